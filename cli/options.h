/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The tables of verbs and options, and the command line read by them.
 */
#ifndef UPDRAFT_CLI_OPTIONS_H
#define UPDRAFT_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct cli_verb;

/* The command line. Strings point into argv. */
struct cli_options {
    const struct cli_verb *verb;
    const char *argument; /* FILE, or help's VERB */
    const char *device;
    const char *adapter;
    uint32_t timeout_ms; /* 0: the default */
    bool all;
    bool force;
    bool fresh;
    bool stage;
    bool factory;
    bool json;
    bool quiet;
    bool help;
    bool version;
    unsigned verbose;
};

typedef int (*cli_run_t)(const struct cli_options *options); /* the exit status */

struct cli_verb {
    const char *name;
    const char *argument; /* "FILE", "[VERB]", or NULL */
    const char *summary;
    const char *options; /* the short names (or capital letters, for options that have
                          * none) of the options that it takes */
    cli_run_t run;
};

/* NULL at the end's name. */
extern const struct cli_verb cli_verbs[];

struct cli_option {
    const char *name;     /* without the two hyphens */
    char letter;          /* its name in cli_verb.options */
    bool has_short;       /* the letter is also its short form */
    const char *argument; /* "SECONDS", or NULL */
    const char *help;
};

/* NULL at the end's name. */
extern const struct cli_option cli_option_table[];

/* What is wrong with a command line: one sentence without its full stop. */
#define CLI_PROBLEM_SIZE 256u

/* Reads the command line. Returns true, or false with the problem's text. options is
 * filled as far as reading came; json is right in any case. */
bool cli_parse(int argc, char **argv, struct cli_options *ret_options,
               char ret_problem[CLI_PROBLEM_SIZE]);

const struct cli_verb *cli_find_verb(const char *name);
/* Says that there is no such verb, and which is the nearest. */
void cli_unknown_verb(const char *name, char ret_problem[CLI_PROBLEM_SIZE]);
bool cli_verb_takes(const struct cli_verb *verb, const struct cli_option *option);

/* Prints the general help, or that of one verb. */
void cli_print_help(FILE *file, const struct cli_verb *verb);

/* How many insertions, deletions, replacements and swaps of neighbours lead from one text
 * to the other; both at most 31 characters, else 31. */
unsigned cli_distance(const char *a, const char *b);

#endif
