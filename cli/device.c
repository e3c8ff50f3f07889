/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * updraft scan.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/job.h"
#include "cli/verbs.h"
#include "updraft/error.h"

#define SCAN_MS 5000u

/* Large for a stack of some systems. */
static struct job the_job;

static int by_worth(const void *a, const void *b)
{
    const struct job_heard *first = a;
    const struct job_heard *second = b;
    if (first->has_service != second->has_service) {
        return first->has_service ? -1 : 1;
    }
    if (first->rssi_dbm != second->rssi_dbm) {
        return first->rssi_dbm > second->rssi_dbm ? -1 : 1;
    }
    return strcmp(first->address, second->address);
}

static void print_heard(struct job *job)
{
    size_t listed = 0;
    qsort(job->heard, job->heard_count, sizeof(job->heard[0]), by_worth);
    for (size_t i = 0; i < job->heard_count; i++) {
        const struct job_heard *heard = &job->heard[i];
        char rssi[16] = "-";
        if (!job->options->all && !heard->has_service && heard->name[0] == '\0') {
            continue;
        }
        if (listed++ == 0) {
            printf("%-17s  %8s  %-6s  %s\n", "ADDRESS", "RSSI", "UPDATE", "NAME");
        }
        if (heard->rssi_dbm != 0) {
            snprintf(rssi, sizeof(rssi), "%d dBm", heard->rssi_dbm);
        }
        printf("%-17s  %8s  %-6s  %s\n", heard->address, rssi,
               heard->has_service ? "yes" : "-", heard->name);
    }
    if (job->heard_count > listed && !job->options->quiet) {
        fprintf(stderr, "%zu %swithout a name: updraft scan --all lists them\n",
                job->heard_count - listed, listed > 0 ? "more " : "");
    }
}

int cli_scan(const struct cli_options *options)
{
    struct job *job = &the_job;
    struct cli_context context = {0};
    int status = job_open(job, options);
    if (status == UPDRAFT_OK) {
        status = updraft_central_scan(
            job->central, options->timeout_ms != 0 ? options->timeout_ms : SCAN_MS);
    }
    if (status == UPDRAFT_OK) {
        job_run(job);
        status = job->status;
    }
    if (!options->json && (status == UPDRAFT_OK || status == UPDRAFT_ERROR_CANCELLED)) {
        print_heard(job);
    }
    if (status == UPDRAFT_OK && job->heard_count == 0) {
        status = UPDRAFT_ERROR_NO_DEVICE;
    }
    return job_finish(job, status, &context,
                      json_pack("{s:I}", "count", (json_int_t)job->heard_count));
}
