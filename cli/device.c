/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * updraft scan, info and update.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/job.h"
#include "cli/verbs.h"
#include "client/src/text.h"
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

/* Returns how many devices were worth a line. */
static size_t print_heard(struct job *job)
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
        fprintf(stderr, "%zu more without a name: updraft scan --all lists them\n",
                job->heard_count - listed);
    }
    return listed;
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
    size_t listed = job->heard_count;
    if (!options->json && (status == UPDRAFT_OK || status == UPDRAFT_ERROR_CANCELLED)) {
        listed = print_heard(job);
    }
    if (status == UPDRAFT_OK && listed == 0) {
        status = UPDRAFT_ERROR_NO_DEVICE;
    }
    return job_finish(job, status, &context,
                      json_pack("{s:I}", "count", (json_int_t)job->heard_count));
}

static void print_info(const struct job *job)
{
    static const char untold[] = "not told";
    printf("Device        %s\n", job->name[0] != '\0' ? job->name : "without a name");
    printf("Address       %s\n", job->address);
    printf("Manufacturer  %s\n",
           job->manufacturer[0] != '\0' ? job->manufacturer : untold);
    printf("Model         %s\n", job->model[0] != '\0' ? job->model : untold);
    printf("Firmware      %s\n", job->firmware[0] != '\0' ? job->firmware : untold);
    if (job->has_service) {
        printf("Update        protocol 1, MTU %u\n", job->mtu);
    } else {
        printf("Update        no update service\n");
    }
}

int cli_info(const struct cli_options *options)
{
    struct job *job = &the_job;
    struct cli_context context = {0};
    struct updraft_target target = job_target(options);
    int status = job_open(job, options);
    if (status == UPDRAFT_OK) {
        status = updraft_central_info(job->central, &target);
    }
    if (status == UPDRAFT_OK) {
        job_run(job);
        status = job->status;
    }
    if (status == UPDRAFT_OK && !options->json) {
        print_info(job);
    }
    return job_finish(job, status, &context, NULL);
}

static void print_outcome(const struct job *job, const char *version)
{
    switch (job->outcome) {
    case UPDRAFT_OUTCOME_RUNNING:
        printf("%s runs %s", job->device, job->firmware);
        if (job->firmware_before[0] != '\0') {
            printf(" (was %s)", job->firmware_before);
        }
        printf("\n");
        break;
    case UPDRAFT_OUTCOME_ALREADY:
        printf("%s already runs %s; --force sends it again\n", job->device, version);
        break;
    case UPDRAFT_OUTCOME_UNTOLD:
        if (job->firmware[0] == '\0') {
            printf("%s took the image and is back; it does not tell which version it "
                   "runs\n",
                   job->device);
        } else if (strcmp(job->firmware, job->firmware_before) == 0) {
            printf("%s took the image and is back; it runs %s as before, so the version "
                   "does not tell whether that is the new image\n",
                   job->device, job->firmware);
        } else {
            printf("%s took the image and is back; it says that it runs %s, the image is "
                   "%s\n",
                   job->device, job->firmware, version);
        }
        break;
    case UPDRAFT_OUTCOME_NONE:
        break;
    }
}

/* The file may come from anywhere: its texts go to a terminal. */
static void clean(char ret_text[JOB_TEXT_SIZE], const char *text)
{
    updraft_text_copy(ret_text, JOB_TEXT_SIZE, (const uint8_t *)text, strlen(text));
}

static void print_file(const struct cli_options *options,
                       const struct updraft_inspection *inspection, const char *version)
{
    const struct updraft_image *image = &inspection->image;
    const char *chip = updraft_chip_name(image->header.chip_id);
    char project[JOB_TEXT_SIZE];
    clean(project, image->descriptor.project);
    if (!options->quiet && !options->json) {
        fprintf(stderr, "%s: %s %s for %s, %u bytes\n", options->argument, project,
                version, chip != NULL ? chip : "an unknown chip", image->size_bytes);
    }
}

static int run_update(struct job *job, const struct cli_options *options,
                      const uint8_t *bytes, size_t size)
{
    struct updraft_target target = job_target(options);
    struct updraft_update_options update = {
        .struct_size = sizeof(update),
        .image = bytes,
        .image_size = size,
        .force = options->force,
    };
    int status = job_open(job, options);
    if (status == UPDRAFT_OK) {
        status = updraft_central_update(job->central, &target, &update);
    }
    if (status == UPDRAFT_OK) {
        job_run(job);
        status = job->status;
    }
    return status;
}

int cli_update(const struct cli_options *options)
{
    struct job *job = &the_job;
    struct updraft_inspection inspection = {0};
    struct cli_context context = {.options = options, .file = options->argument};
    uint8_t *bytes = NULL;
    size_t size = 0;
    const char *problem = "";
    json_t *result = NULL;
    int status = cli_read_file(options->argument, &bytes, &size, &problem);
    if (status != UPDRAFT_OK) {
        context.detail = problem;
        return cli_finish(&context, status, NULL);
    }
    updraft_inspect(bytes, size, &inspection);
    if (inspection.status == UPDRAFT_OK &&
        !updraft_image_has_descriptor(&inspection.image)) {
        inspection.status = UPDRAFT_ERROR_IMAGE_DESCRIPTOR;
    }
    if (inspection.status != UPDRAFT_OK) {
        free(bytes);
        return cli_finish(&context, inspection.status, NULL);
    }
    char version[JOB_TEXT_SIZE];
    clean(version, inspection.image.descriptor.version);
    print_file(options, &inspection, version);
    status = run_update(job, options, bytes, size);
    if (status == UPDRAFT_OK && !options->json) {
        print_outcome(job, version);
    }
    if (options->json && job->device[0] != '\0') {
        result =
            json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "outcome",
                      updraft_outcome_name(job->outcome), "address", job->address, "name",
                      job->name, "firmware_revision", job->firmware, "firmware_before",
                      job->firmware_before, "image_version", version);
    }
    context.old_version = job->firmware;
    context.new_version = version;
    status = job_finish(job, status, &context, result);
    /* Only now: the central may still look at the image until it is freed. */
    free(bytes);
    return status;
}
