/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * powercut: the power goes in every flash operation of whole updates. */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/powercut/walk.h"

#define SMALL_SIZE  (64u << 10)
#define LARGE_SIZE  (1u << 20)
#define WORKERS_MAX 16u

/* With sanitizers everything takes its time, and they look for other mistakes. */
#ifdef __SANITIZE_ADDRESS__
static const struct plan quick = {
    .dull_every = 64,
    .dull_variants = 1,
    .variants = 1,
};
#else
static const struct plan quick = {
    .dull_every = 16,
    .dull_variants = 1,
    .variants = 3,
    .dull_double_every = 128,
    .doubles = 1,
    .dull_failure_every = 32,
    .failure_every = 1,
};
#endif

static const struct plan usual = {
    .dull_every = 1,
    .dull_variants = 6,
    .variants = 16,
    .dull_double_every = 4,
    .doubles = 8,
    .dull_failure_every = 1,
    .failure_every = 1,
};

static const struct plan large = {
    .dull_every = 64,
    .dull_variants = 2,
    .variants = 4,
    .dull_double_every = 256,
    .doubles = 1,
    .dull_failure_every = 512,
    .failure_every = 1,
};

/* Courses that are tried with a large image, too. */
static const char *const large_names[] = {"fresh-", "resumed-", "to-ota0-", "staged-"};

struct task {
    const struct course *course;
    uint32_t size_bytes;
    const struct plan *plan;
};

/* Of one worker; its parent reads them, also after a crash. */
struct worker {
    struct tally tally;
    struct spot spot;
    uint32_t courses_wrong;
};

struct shared {
    atomic_uint next_task;
    struct worker workers[WORKERS_MAX];
};

struct options {
    bool all;
    unsigned jobs;
    const char *course; /* this one alone; NULL: all */
    const char *replay;
};

static struct course courses[COURSES_MAX];
static size_t course_count;
static struct task tasks[COURSES_MAX];
static unsigned task_count;

static bool is_large(const char *name)
{
    for (size_t i = 0; i < sizeof(large_names) / sizeof(large_names[0]); i++) {
        if (strncmp(name, large_names[i], strlen(large_names[i])) == 0) {
            return true;
        }
    }
    return false;
}

static void make_tasks(const struct options *options, bool is_small)
{
    task_count = 0;
    for (size_t i = 0; i < course_count; i++) {
        const struct course *course = &courses[i];
        if ((options->course != NULL && strcmp(options->course, course->name) != 0) ||
            (!is_small && !is_large(course->name))) {
            continue;
        }
        tasks[task_count++] = (struct task){
            .course = course,
            .size_bytes = is_small ? SMALL_SIZE : LARGE_SIZE,
            .plan = !is_small      ? &large
                    : options->all ? &usual
                                   : &quick,
        };
    }
}

static void work(struct shared *shared, struct worker *worker)
{
    for (;;) {
        unsigned number = atomic_fetch_add(&shared->next_task, 1);
        if (number >= task_count) {
            return;
        }
        const struct task *task = &tasks[number];
        uint64_t cuts = worker->tally.cuts;
        uint64_t operations = worker->tally.operations;
        if (!walk(task->course, task->size_bytes, task->plan, &worker->tally,
                  &worker->spot)) {
            worker->courses_wrong++;
        }
        printf("%-24s %7" PRIu32 " bytes, %5" PRIu64 " flash operations, %6" PRIu64
               " cut points\n",
               task->course->name, task->size_bytes,
               worker->tally.operations - operations, worker->tally.cuts - cuts);
        fflush(stdout);
    }
}

static void add(struct tally *sum, const struct tally *tally)
{
    sum->operations += tally->operations;
    sum->cuts += tally->cuts;
    sum->double_cuts += tally->double_cuts;
    sum->failures += tally->failures;
    sum->boots += tally->boots;
    sum->resumptions += tally->resumptions;
    sum->by_itself += tally->by_itself;
    sum->by_another += tally->by_another;
    if (tally->resent_bytes_max > sum->resent_bytes_max) {
        sum->resent_bytes_max = tally->resent_bytes_max;
    }
    for (int i = 0; i < VERDICT_COUNT; i++) {
        sum->verdicts[i] += tally->verdicts[i];
    }
}

static void print_tally(const struct tally *sum)
{
    printf("\n%u jobs of %" PRIu32 " bytes with %" PRIu64 " flash operations:\n"
           "%" PRIu64 " cut points, %" PRIu64 " pairs of cuts, %" PRIu64
           " operations that failed\n"
           "%" PRIu64 " boots, %" PRIu64 " resumptions\n"
           "finished by the disturbed job itself: %" PRIu64 ", by the next one: %" PRIu64
           "\n"
           "protocol 2: at most %" PRIu64 " bytes were sent again\n"
           "%" PRIu64 " lost boards, %" PRIu64 " corrupt boots, %" PRIu64
           " updates that could not be finished, %" PRIu64 " other broken promises\n",
           task_count, tasks[0].size_bytes, sum->operations, sum->cuts, sum->double_cuts,
           sum->failures, sum->boots, sum->resumptions, sum->by_itself, sum->by_another,
           sum->resent_bytes_max, sum->verdicts[VERDICT_LOST],
           sum->verdicts[VERDICT_CORRUPT], sum->verdicts[VERDICT_UNFINISHED],
           sum->verdicts[VERDICT_BROKEN]);
}

/* Every task, in as many processes as the options say. */
static bool run_tasks(const struct options *options)
{
    struct tally sum = {0};
    pid_t pids[WORKERS_MAX];
    bool fine = true;
    struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("mmap");
        return false;
    }
    fflush(NULL); /* or each child prints it once more */
    for (unsigned i = 0; i < options->jobs; i++) {
        struct worker *worker = &shared->workers[i];
        pids[i] = fork();
        if (pids[i] == 0) {
            work(shared, worker);
            exit(EXIT_SUCCESS);
        }
        if (pids[i] < 0) {
            perror("fork");
            return false;
        }
    }
    for (unsigned i = 0; i < options->jobs; i++) {
        struct worker *worker = &shared->workers[i];
        int status = 0;
        if (waitpid(pids[i], &status, 0) < 0 || status != 0) {
            char text[SPOT_TEXT_SIZE];
            spot_put(&worker->spot, text);
            printf("ended with %d; again: ./run powercut --replay %s\n", status, text);
            fine = false;
        }
        fine = fine && worker->courses_wrong == 0;
        add(&sum, &worker->tally);
    }
    print_tally(&sum);
    for (int i = VERDICT_FINE + 1; i < VERDICT_COUNT; i++) {
        fine = fine && sum.verdicts[i] == 0;
    }
    /* An empty run is none. */
    return fine && sum.cuts > 0;
}

static int replay(const char *text)
{
    struct spot spot = {0};
    if (!spot_get(text, &spot)) {
        fprintf(stderr, "--replay %s: not as a failure prints it\n", text);
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < course_count; i++) {
        if (strcmp(courses[i].name, spot.course) == 0) {
            return walk_replay(&courses[i], &spot) ? EXIT_SUCCESS : EXIT_FAILURE;
        }
    }
    fprintf(stderr, "--replay %s: no such course\n", text);
    return EXIT_FAILURE;
}

static bool get_options(int argc, char **argv, struct options *ret_options)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--all") == 0) {
            ret_options->all = true;
            continue;
        }
        if (value == NULL) {
            return false;
        }
        i++;
        if (strcmp(argv[i - 1], "--jobs") == 0) {
            ret_options->jobs = (unsigned)strtoul(value, NULL, 10);
        } else if (strcmp(argv[i - 1], "--course") == 0) {
            ret_options->course = value;
        } else if (strcmp(argv[i - 1], "--replay") == 0) {
            ret_options->replay = value;
        } else {
            return false;
        }
    }
    return ret_options->jobs >= 1 && ret_options->jobs <= WORKERS_MAX;
}

int main(int argc, char **argv)
{
    struct options options = {.jobs = 1};
    if (!get_options(argc, argv, &options)) {
        fprintf(stderr, "usage: powercut [--all] [--jobs N] [--course NAME]\n"
                        "       powercut --replay SPOT\n");
        return 2;
    }
    options.all = options.all || fixture_all();
    course_count = courses_make(courses);
    if (options.replay != NULL) {
        return replay(options.replay);
    }
    bool fine = true;
    for (int small = 1; small >= (options.all ? 0 : 1); small--) {
        make_tasks(&options, small != 0);
        if (small != 0 && task_count == 0) {
            fprintf(stderr, "--course %s: no such course\n", options.course);
            return 2;
        }
        fine = (task_count == 0 || run_tasks(&options)) && fine;
    }
    struct rusage usage;
    if (getrusage(RUSAGE_CHILDREN, &usage) == 0) {
        printf("%ld s of processor time\n",
               (long)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec));
    }
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
