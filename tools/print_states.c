/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Prints a session's state diagram for Graphviz, from the table that the session itself
 * obeys: print_states device|client|client2. */
#include <stdio.h>
#include <string.h>

#include "core/src/states.h"

struct transition {
    const char *from;
    const char *to;
    const char *why;
};

#define TRANSITION(from, to, why) {#from, #to, why},

static const struct transition device[] = {UPDRAFT_DEVICE_TRANSITIONS(TRANSITION)};
static const struct transition client[] = {UPDRAFT_CLIENT_TRANSITIONS(TRANSITION)};
static const struct transition client2[] = {UPDRAFT_CLIENT2_TRANSITIONS(TRANSITION)};

/* Labels are broken at the commas, so that the edges stay apart. */
static void print_label(const char *why)
{
    for (; *why; why++) {
        if (strncmp(why, ", ", 2) == 0) {
            fputs(",\\n", stdout);
            why++;
        } else {
            putchar(*why);
        }
    }
}

static void print_graph(const char *name, const struct transition *transitions,
                        size_t count)
{
    printf(
        "// The states of %s.\n// Made from core/src/states.h by tools/print_states.c.\n",
        name);
    printf("digraph {\n");
    printf("    node [shape=box style=rounded fontname=\"sans-serif\" fontsize=11]\n");
    printf("    edge [fontname=\"sans-serif\" fontsize=9]\n");
    printf("    start [shape=point]\n");
    printf("    start -> %s\n", transitions[0].from);
    for (size_t i = 0; i < count; i++) {
        printf("    %s -> %s [label=\"", transitions[i].from, transitions[i].to);
        print_label(transitions[i].why);
        printf("\"]\n");
    }
    printf("}\n");
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "device") == 0) {
        print_graph("an update on the device", device,
                    sizeof(device) / sizeof(device[0]));
    } else if (argc == 2 && strcmp(argv[1], "client") == 0) {
        print_graph("a connection of the client", client,
                    sizeof(client) / sizeof(client[0]));
    } else if (argc == 2 && strcmp(argv[1], "client2") == 0) {
        print_graph("a connection of the client by protocol 2", client2,
                    sizeof(client2) / sizeof(client2[0]));
    } else {
        fprintf(stderr, "usage: print_states device|client|client2\n");
        return 2;
    }
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
