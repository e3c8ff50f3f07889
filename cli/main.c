/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * updraft: firmware updates over Bluetooth LE, from the command line.
 */
#include <fcntl.h>
#include <signal.h>

#include "cli/verbs.h"
#include "updraft/client.h"
#include "updraft/error.h"

static int print_help(const struct cli_options *options);
static int print_version(const struct cli_options *options);

const struct cli_verb cli_verbs[] = {
    {"scan", NULL, "List the devices in range", "atAJvq", cli_scan},
    {"info", NULL, "Say what a device is and what it runs", "datJvq", cli_info},
    {"update", "FILE", "Update a device and see the new firmware run", "datFNSJvq",
     cli_update},
    {"activate", "[FILE]", "Start the firmware that update --stage left on a device",
     "datJvq", cli_activate},
    {"confirm", NULL, "Confirm the firmware that a device runs on trial", "datJvq",
     cli_confirm},
    {"rollback", NULL, "Make a device go back to its previous firmware", "datBJvq",
     cli_rollback},
    {"image", "FILE", "Say what is in an image file, and whether it is whole", "Jvq",
     cli_image},
    {"help", "[VERB]", "Print help", "", print_help},
    {"version", NULL, "Print the version", "J", print_version},
    {NULL, NULL, NULL, NULL, NULL},
};

static int print_help(const struct cli_options *options)
{
    const struct cli_verb *verb = NULL;
    if (options->argument != NULL) {
        verb = cli_find_verb(options->argument);
        if (verb == NULL) {
            char problem[CLI_PROBLEM_SIZE];
            cli_unknown_verb(options->argument, problem);
            return cli_usage_error(options, problem);
        }
    } else if (options->verb != NULL && options->verb->run != print_help) {
        verb = options->verb; /* updraft VERB --help */
    }
    cli_print_help(stdout, verb);
    return cli_flush(UPDRAFT_EXIT_DONE);
}

static int print_version(const struct cli_options *options)
{
    if (options->json) {
        cli_json_line("version",
                      json_pack("{s:s}", "version", updraft_library_version()));
    } else {
        printf("updraft %s\n", updraft_library_version());
    }
    return cli_flush(UPDRAFT_EXIT_DONE);
}

/* Where the caller closed one of the three, the next file or socket would get its number
 * and what is printed would go there. Writing to what is open for reading fails, as to a
 * closed one. */
static void keep_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0) {
            (void)open("/dev/null", O_RDONLY);
        }
    }
}

int main(int argc, char **argv)
{
    struct cli_options options;
    char problem[CLI_PROBLEM_SIZE];
    /* A reader that went away must not kill an update half-way: writes fail instead. */
    (void)signal(SIGPIPE, SIG_IGN);
    keep_standard_streams();
    if (!cli_parse(argc, argv, &options, problem)) {
        return cli_usage_error(&options, problem);
    }
    if (options.version) {
        return print_version(&options);
    }
    if (options.help) {
        options.argument = NULL;
        return print_help(&options);
    }
    return options.verb->run(&options);
}
