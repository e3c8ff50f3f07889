/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The long run: so many updates with random faults, over several processes. What fails
 * prints the seed and number that show it again. */
#include "tests/world/soak.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOBS_MAX   64u
#define TELL_EVERY 1000u
#define NO_UPDATE  UINT64_MAX

static uint64_t seed = 1;
static uint64_t updates = 1000;
static uint64_t only = NO_UPDATE;
static unsigned jobs = 1;

static void on_crash(int number)
{
    static const char what[] = "violation: the program was stopped by a signal\n";
    char line[96];
    int size = snprintf(line, sizeof(line),
                        "replay: ./run soak --seed %" PRIu64 " --only %" PRIu64 "\n",
                        seed, soak_number);
    ssize_t ignored = write(STDOUT_FILENO, what, sizeof(what) - 1);
    ignored += write(STDOUT_FILENO, line, (size_t)size);
    (void)ignored;
    signal(number, SIG_DFL);
    raise(number);
}

/* Every episode whose turn it is; false where one went wrong. */
static bool play(unsigned job, struct soak_counts *counts)
{
    bool fine = true;
    uint64_t told = 0;
    for (uint64_t first = job * SOAK_EPISODE; fine && first < updates;
         first += (uint64_t)jobs * SOAK_EPISODE) {
        uint64_t last = first + SOAK_EPISODE - 1;
        last = last < updates ? last : updates - 1;
        fine = soak_episode(seed, first, last, /* verbose= */ false, counts);
        if (job == 0 && counts->updates >= told + TELL_EVERY) {
            told = counts->updates;
            fprintf(stderr, "soak: update %" PRIu64 " of %" PRIu64 "\n", last + 1,
                    updates);
        }
    }
    return fine;
}

static void add(struct soak_counts *sum, const struct soak_counts *part)
{
    sum->updates += part->updates;
    sum->native += part->native;
    sum->large += part->large;
    sum->flows += part->flows;
    for (int i = 0; i < SOAK_FAULTS; i++) {
        sum->faults[i] += part->faults[i];
    }
    sum->lost += part->lost;
    sum->overtaken += part->overtaken;
    sum->boots += part->boots;
    sum->virtual_s += part->virtual_s;
    if (part->flows_worst > sum->flows_worst) {
        sum->flows_worst = part->flows_worst;
    }
    if (part->finish_worst_s > sum->finish_worst_s) {
        sum->finish_worst_s = part->finish_worst_s;
    }
}

static void print_counts(const struct soak_counts *counts, unsigned failed)
{
    printf("seed %" PRIu64 ": %" PRIu64 " updates (%" PRIu64 " by protocol 2, %" PRIu64
           " of 1 MiB) on %" PRIu64 " boards, %" PRIu64 " boots, %" PRIu64
           " runs of the client, %" PRIu64 " hours of virtual time\n",
           seed, counts->updates, counts->native, counts->large,
           (counts->updates + SOAK_EPISODE - 1) / SOAK_EPISODE, counts->boots,
           counts->flows, counts->virtual_s / 3600);
    printf("faults:");
    for (int i = 0; i < SOAK_FAULTS; i++) {
        printf(" %" PRIu64 " %s%s", counts->faults[i], soak_fault_names[i],
               i + 1 < SOAK_FAULTS ? "," : "");
    }
    printf("; %" PRIu64 " fragments lost, %" PRIu64 " frames overtaken\n", counts->lost,
           counts->overtaken);
    printf("after the faults: confirmed within %u s of virtual time, with at most %u "
           "more runs of the client; %u violations\n",
           counts->finish_worst_s, counts->flows_worst, failed);
}

static int play_all(void)
{
    int pipes[JOBS_MAX][2];
    struct soak_counts sum = {0};
    unsigned failed = 0;
    fflush(stdout);
    for (unsigned job = 0; job < jobs; job++) {
        if (pipe(pipes[job]) != 0) {
            perror("soak: pipe");
            return EXIT_FAILURE;
        }
        pid_t child = fork();
        if (child < 0) {
            perror("soak: fork");
            return EXIT_FAILURE;
        }
        if (child == 0) {
            struct soak_counts counts = {0};
            bool fine = play(job, &counts);
            fflush(stdout);
            fine =
                write(pipes[job][1], &counts, sizeof(counts)) == sizeof(counts) && fine;
            _exit(fine ? EXIT_SUCCESS : EXIT_FAILURE);
        }
        close(pipes[job][1]);
    }
    for (unsigned job = 0; job < jobs; job++) {
        struct soak_counts part = {0};
        int status = 0;
        if (read(pipes[job][0], &part, sizeof(part)) == sizeof(part)) {
            add(&sum, &part);
        }
        if (wait(&status) < 0 || status != 0) {
            failed++;
        }
    }
    print_counts(&sum, failed);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i += 2) {
        uint64_t value = i + 1 < argc ? strtoull(argv[i + 1], NULL, 10) : 0;
        if (i + 1 < argc && strcmp(argv[i], "--seed") == 0) {
            seed = value;
        } else if (i + 1 < argc && strcmp(argv[i], "--updates") == 0) {
            updates = value;
        } else if (i + 1 < argc && strcmp(argv[i], "--only") == 0) {
            only = value;
        } else if (i + 1 < argc && strcmp(argv[i], "--jobs") == 0 && value > 0 &&
                   value <= JOBS_MAX) {
            jobs = (unsigned)value;
        } else {
            fputs("usage: soak [--seed S] [--updates N] [--jobs J] [--only UPDATE]\n",
                  stderr);
            return 2;
        }
    }
    signal(SIGABRT, on_crash);
    signal(SIGSEGV, on_crash);
    signal(SIGILL, on_crash);
    if (only != NO_UPDATE) {
        struct soak_counts counts = {0};
        uint64_t first = only - only % SOAK_EPISODE;
        return soak_episode(seed, first, only, /* verbose= */ true, &counts)
                   ? EXIT_SUCCESS
                   : EXIT_FAILURE;
    }
    return play_all();
}
