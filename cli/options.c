/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Reads the command line by the tables of verbs and options.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"

#define TIMEOUT_MAX_S 3600u
#define WORD_MAX      31u
/* What the library takes. */
#define NAME_MAX_SIZE    248u /* the longest device name */
#define ADAPTER_MAX_SIZE 32u

const struct cli_option cli_option_table[] = {
    {"device", 'd', true, "NAME|ADDRESS",
     "the device; needless when only one in range has the update service"},
    {"adapter", 'a', true, "NAME", "the Bluetooth adapter (hci0); else the first one"},
    {"timeout", 't', true, "SECONDS", "how long to listen for devices (scan 5, else 10)"},
    {"all", 'A', false, NULL, "also list devices without a name"},
    {"force", 'F', false, NULL,
     "update even if the device runs this already, or it is another project's"},
    {"fresh", 'N', false, NULL, "send everything, whatever the device has of it already"},
    {"stage", 'S', false, NULL,
     "do not start the new firmware yet; updraft activate does"},
    {"factory", 'B', false, NULL, "go back to the factory firmware"},
    {"json", 'J', false, NULL, "print one JSON object a line on standard output"},
    {"verbose", 'v', true, NULL, "say more; twice: everything"},
    {"quiet", 'q', true, NULL, "say nothing but results and errors"},
    {"help", 'h', true, NULL, "print help"},
    {"version", 'V', true, NULL, "print the version"},
    {NULL, 0, false, NULL, NULL},
};

const struct cli_verb *cli_find_verb(const char *name)
{
    for (const struct cli_verb *verb = cli_verbs; verb->name != NULL; verb++) {
        if (strcmp(verb->name, name) == 0) {
            return verb;
        }
    }
    return NULL;
}

bool cli_verb_takes(const struct cli_verb *verb, const struct cli_option *option)
{
    return option->letter == 'h' || option->letter == 'V' ||
           strchr(verb->options, option->letter) != NULL;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;
    return least < c ? least : c;
}

unsigned cli_distance(const char *a, const char *b)
{
    size_t a_length = strlen(a);
    size_t b_length = strlen(b);
    unsigned cost[WORD_MAX + 1][WORD_MAX + 1];
    if (a_length > WORD_MAX || b_length > WORD_MAX) {
        return WORD_MAX;
    }
    for (size_t i = 0; i <= a_length; i++) {
        for (size_t j = 0; j <= b_length; j++) {
            if (i == 0 || j == 0) {
                cost[i][j] = (unsigned)(i + j);
                continue;
            }
            unsigned differ = a[i - 1] != b[j - 1];
            cost[i][j] =
                min3(cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + differ);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                cost[i - 2][j - 2] + 1 < cost[i][j]) {
                cost[i][j] = cost[i - 2][j - 2] + 1;
            }
        }
    }
    return cost[a_length][b_length];
}

/* Keeps the nearer of two words; far ones are no help. */
static void consider(const char *wanted, const char *word, const char **best,
                     unsigned *best_distance)
{
    /* A word cut short is as near as one letter. */
    bool cut = wanted[0] != '\0' && strncmp(word, wanted, strlen(wanted)) == 0;
    unsigned distance = cut ? 1 : cli_distance(wanted, word);
    unsigned limit = (unsigned)strlen(wanted) / 2;
    if (distance < *best_distance && distance <= (limit > 1 ? limit : 1)) {
        *best = word;
        *best_distance = distance;
    }
}

static const char *nearest_verb(const char *name)
{
    const char *best = NULL;
    unsigned distance = WORD_MAX;
    for (const struct cli_verb *verb = cli_verbs; verb->name != NULL; verb++) {
        consider(name, verb->name, &best, &distance);
    }
    return best;
}

/* Of those that the verb takes; verb may be NULL. */
static const char *nearest_option(const char *name, const struct cli_verb *verb)
{
    const char *best = NULL;
    unsigned distance = WORD_MAX;
    for (const struct cli_option *option = cli_option_table; option->name != NULL;
         option++) {
        if (verb == NULL || cli_verb_takes(verb, option)) {
            consider(name, option->name, &best, &distance);
        }
    }
    return best;
}

__attribute__((format(printf, 2, 3))) static bool problem(char *ret_problem,
                                                          const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(ret_problem, CLI_PROBLEM_SIZE, format, arguments);
    va_end(arguments);
    return false;
}

void cli_unknown_verb(const char *name, char ret_problem[CLI_PROBLEM_SIZE])
{
    const char *best = nearest_verb(name);
    if (best != NULL) {
        (void)problem(ret_problem, "there is no verb '%.40s'; the nearest is '%s'", name,
                      best);
    } else {
        (void)problem(ret_problem, "there is no verb '%.40s'", name);
    }
}

static bool take_timeout(struct cli_options *options, const char *value,
                         char *ret_problem)
{
    char *end = NULL;
    double seconds = strtod(value, &end);
    /* Written so that NaN fails as well. */
    if (end == value || *end != '\0' || !(seconds >= 0.1 && seconds <= TIMEOUT_MAX_S)) {
        return problem(ret_problem, "--timeout takes 0.1 to %u seconds, not '%.40s'",
                       TIMEOUT_MAX_S, value);
    }
    options->timeout_ms = (uint32_t)(seconds * 1000.0 + 0.5);
    return true;
}

static bool take_value(struct cli_options *options, const struct cli_option *option,
                       const char *value, char *ret_problem)
{
    if (value[0] == '\0') {
        return problem(ret_problem, "--%s is empty; it takes %s", option->name,
                       option->argument);
    }
    switch (option->letter) {
    case 'd':
        if (strlen(value) > NAME_MAX_SIZE) {
            return problem(ret_problem, "--device takes a name of at most %u bytes",
                           NAME_MAX_SIZE);
        }
        options->device = value;
        break;
    case 'a':
        if (strlen(value) > ADAPTER_MAX_SIZE ||
            value[strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789_")] != '\0') {
            return problem(ret_problem,
                           "--adapter takes a name such as hci0, not '%.40s'", value);
        }
        options->adapter = value;
        break;
    case 't':
        return take_timeout(options, value, ret_problem);
    }
    return true;
}

/* An option without a value. */
static void take_flag(struct cli_options *options, char letter)
{
    switch (letter) {
    case 'A':
        options->all = true;
        break;
    case 'F':
        options->force = true;
        break;
    case 'N':
        options->fresh = true;
        break;
    case 'S':
        options->stage = true;
        break;
    case 'B':
        options->factory = true;
        break;
    case 'J':
        options->json = true;
        break;
    case 'v':
        options->verbose++;
        break;
    case 'q':
        options->quiet = true;
        break;
    case 'h':
        options->help = true;
        break;
    case 'V':
        options->version = true;
        break;
    }
}

/* What was read so far. seen: letters of the options met, to be held against the verb. */
struct reader {
    int argc;
    char **argv;
    int index;
    bool words_only; /* after "--" */
    char seen[sizeof(cli_option_table) / sizeof(cli_option_table[0])];
    size_t seen_count;
};

static void note_seen(struct reader *reader, char letter)
{
    if (memchr(reader->seen, letter, reader->seen_count) == NULL) {
        reader->seen[reader->seen_count++] = letter;
    }
}

static bool read_long(struct reader *reader, struct cli_options *options,
                      char *ret_problem)
{
    char name[WORD_MAX + 1];
    const char *text = reader->argv[reader->index++] + 2;
    const char *equals = strchr(text, '=');
    size_t length = equals != NULL ? (size_t)(equals - text) : strlen(text);
    snprintf(name, sizeof(name), "%.*s", (int)(length < WORD_MAX ? length : WORD_MAX),
             text);
    for (const struct cli_option *option = cli_option_table; option->name != NULL;
         option++) {
        if (strcmp(option->name, name) != 0 || length > WORD_MAX) {
            continue;
        }
        const char *value = equals != NULL ? equals + 1 : NULL;
        if (option->argument == NULL && value != NULL) {
            return problem(ret_problem, "--%s takes no value", option->name);
        }
        note_seen(reader, option->letter);
        if (option->argument == NULL) {
            take_flag(options, option->letter);
            return true;
        }
        if (value == NULL) {
            if (reader->index >= reader->argc) {
                return problem(ret_problem, "--%s takes %s", option->name,
                               option->argument);
            }
            value = reader->argv[reader->index++];
        }
        return take_value(options, option, value, ret_problem);
    }
    const char *best = nearest_option(name, options->verb);
    return best != NULL
               ? problem(ret_problem, "there is no option --%s; the nearest is --%s",
                         name, best)
               : problem(ret_problem, "there is no option --%s", name);
}

static const struct cli_option *find_short(char letter)
{
    for (const struct cli_option *option = cli_option_table; option->name != NULL;
         option++) {
        if (option->has_short && option->letter == letter) {
            return option;
        }
    }
    return NULL;
}

/* "-v", "-vq", "-d NAME", "-dNAME". */
static bool read_short(struct reader *reader, struct cli_options *options,
                       char *ret_problem)
{
    const char *text = reader->argv[reader->index++] + 1;
    for (; *text != '\0'; text++) {
        const struct cli_option *option = find_short(*text);
        if (option == NULL) {
            return problem(ret_problem, "there is no option -%c", *text);
        }
        note_seen(reader, option->letter);
        if (option->argument == NULL) {
            take_flag(options, option->letter);
            continue;
        }
        const char *value = text + 1;
        if (*value == '\0') {
            if (reader->index >= reader->argc) {
                return problem(ret_problem, "-%c takes %s", *text, option->argument);
            }
            value = reader->argv[reader->index++];
        }
        return take_value(options, option, value, ret_problem);
    }
    return true;
}

static bool read_word(struct reader *reader, struct cli_options *options,
                      char *ret_problem)
{
    const char *word = reader->argv[reader->index++];
    if (options->verb == NULL) {
        options->verb = cli_find_verb(word);
        if (options->verb != NULL) {
            return true;
        }
        cli_unknown_verb(word, ret_problem);
        return false;
    }
    if (options->verb->argument == NULL) {
        return problem(ret_problem, "%s takes no argument, but there is '%.40s'",
                       options->verb->name, word);
    }
    if (options->argument != NULL) {
        return problem(ret_problem, "%s takes one argument, but there is also '%.40s'",
                       options->verb->name, word);
    }
    options->argument = word;
    return true;
}

static bool check_options(const struct reader *reader, const struct cli_options *options,
                          char *ret_problem)
{
    const struct cli_verb *verb = options->verb;
    if (options->help || options->version) {
        return true;
    }
    if (verb == NULL) {
        return problem(ret_problem, "there is no verb");
    }
    for (const struct cli_option *option = cli_option_table; option->name != NULL;
         option++) {
        if (memchr(reader->seen, option->letter, reader->seen_count) != NULL &&
            !cli_verb_takes(verb, option)) {
            return problem(ret_problem, "%s has no option --%s", verb->name,
                           option->name);
        }
    }
    if (verb->argument != NULL && verb->argument[0] != '[' && options->argument == NULL) {
        return problem(ret_problem, "%s takes %s", verb->name, verb->argument);
    }
    if (options->quiet && options->verbose > 0) {
        return problem(ret_problem, "--quiet and --verbose exclude each other");
    }
    return true;
}

/* Errors of the command line itself have to come out as JSON as well. */
static bool asks_for_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            return true;
        }
    }
    return false;
}

bool cli_parse(int argc, char **argv, struct cli_options *ret_options,
               char ret_problem[CLI_PROBLEM_SIZE])
{
    struct reader reader = {.argc = argc, .argv = argv, .index = 1};
    memset(ret_options, 0, sizeof(*ret_options));
    ret_options->json = asks_for_json(argc, argv);
    while (reader.index < argc) {
        const char *text = argv[reader.index];
        bool good;
        if (reader.words_only || text[0] != '-' || text[1] == '\0') {
            good = read_word(&reader, ret_options, ret_problem);
        } else if (strcmp(text, "--") == 0) {
            reader.words_only = true;
            reader.index++;
            good = true;
        } else if (text[1] == '-') {
            good = read_long(&reader, ret_options, ret_problem);
        } else {
            good = read_short(&reader, ret_options, ret_problem);
        }
        if (!good) {
            return false;
        }
    }
    return check_options(&reader, ret_options, ret_problem);
}

static void print_options(FILE *file, const struct cli_verb *verb)
{
    for (const struct cli_option *option = cli_option_table; option->name != NULL;
         option++) {
        char left[40];
        if (verb != NULL && !cli_verb_takes(verb, option)) {
            continue;
        }
        if (option->has_short) {
            snprintf(left, sizeof(left), "-%c, --%s%s%s", option->letter, option->name,
                     option->argument != NULL ? " " : "",
                     option->argument != NULL ? option->argument : "");
        } else {
            snprintf(left, sizeof(left), "    --%s", option->name);
        }
        fprintf(file, "  %-26s %s\n", left, option->help);
    }
}

void cli_print_help(FILE *file, const struct cli_verb *verb)
{
    if (verb != NULL) {
        fprintf(file, "usage: updraft %s%s%s [OPTION...]\n\n%s.\n\nOptions:\n",
                verb->name, verb->argument != NULL ? " " : "",
                verb->argument != NULL ? verb->argument : "", verb->summary);
        print_options(file, verb);
        return;
    }
    fprintf(file, "usage: updraft VERB [ARGUMENT] [OPTION...]\n\n"
                  "Updates the firmware of ESP32 boards over Bluetooth LE.\n\nVerbs:\n");
    for (verb = cli_verbs; verb->name != NULL; verb++) {
        char left[32];
        snprintf(left, sizeof(left), "%s%s%s", verb->name,
                 verb->argument != NULL ? " " : "",
                 verb->argument != NULL ? verb->argument : "");
        fprintf(file, "  %-26s %s\n", left, verb->summary);
    }
    fprintf(file, "\nOptions (updraft help VERB shows those of a verb):\n");
    print_options(file, NULL);
    fprintf(file,
            "\nExit status: 0 done; 1 internal error; 2 usage; 3 no such device, or "
            "no Bluetooth;\n4 link lost, try again; 5 refused by the device; 6 bad "
            "image or file; 7 rolled\nback; 130 interrupted. The manual is updraft(1)."
            "\n");
}
