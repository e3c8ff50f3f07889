/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * updraft update, activate, confirm and rollback: what changes the firmware that runs.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/job.h"
#include "cli/verbs.h"
#include "client/src/text.h"
#include "updraft/error.h"

/* Large for a stack of some systems. */
static struct job the_job;

static const char *version_text(const char *version)
{
    return version[0] != '\0' ? version : "a version that it does not tell";
}

/* What it ran before, where that says something. */
static void print_before(const struct job *job)
{
    if (job->firmware_before[0] != '\0' &&
        strcmp(job->firmware_before, job->firmware) != 0) {
        printf(" (was %s)", job->firmware_before);
    }
    printf("\n");
}

/* Nothing had to be done. */
static void print_already(const struct job *job, const char *version)
{
    cli_run_t verb = job->options->verb->run;
    printf(verb == cli_confirm ? "%s runs %s" : "%s already runs %s", job->device,
           version_text(version));
    if (verb == cli_update) {
        printf("; --force sends it again");
    } else if (verb == cli_confirm && job->info.run_state == UPDRAFT_RUN_CONFIRMED) {
        printf(", confirmed already");
    } else if (verb == cli_confirm) {
        printf("%s: there is nothing to confirm",
               job->info.run_state == UPDRAFT_RUN_FACTORY ? ", its factory firmware"
                                                          : ", not on trial");
    }
    printf("\n");
}

static void print_untold(const struct job *job, const char *version)
{
    printf("%s took the image and is back; it ", job->device);
    if (job->firmware[0] == '\0') {
        printf("does not tell which version it runs\n");
    } else if (strcmp(job->firmware, job->firmware_before) == 0) {
        printf("runs %s as before, so the version does not tell whether that is the new "
               "image\n",
               job->firmware);
    } else {
        printf("says that it runs %s, the image is %s\n", job->firmware, version);
    }
}

static void print_outcome(const struct job *job, const char *version)
{
    const char *firmware = version_text(job->firmware);
    switch (job->outcome) {
    case UPDRAFT_OUTCOME_RUNNING:
        printf("%s runs %s", job->device, firmware);
        print_before(job);
        break;
    case UPDRAFT_OUTCOME_CONFIRMED:
        printf("%s runs %s, confirmed", job->device, firmware);
        print_before(job);
        break;
    case UPDRAFT_OUTCOME_REVERTED:
        printf("%s runs %s again", job->device, firmware);
        print_before(job);
        break;
    case UPDRAFT_OUTCOME_STAGED:
        printf("%s holds %s, verified; updraft activate starts it\n", job->device,
               version);
        break;
    case UPDRAFT_OUTCOME_ALREADY:
        print_already(job, version);
        break;
    case UPDRAFT_OUTCOME_UNTOLD:
        print_untold(job, version);
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
    char path[PATH_MAX];
    clean(project, image->descriptor.project);
    updraft_text_copy(path, sizeof(path), (const uint8_t *)options->argument,
                      strlen(options->argument));
    if (!options->quiet && !options->json) {
        fprintf(stderr, "%s: %s %s for %s, %u bytes\n", path, project, version,
                chip != NULL ? chip : "an unknown chip", image->size_bytes);
    }
}

/* The job that the verb stands for. */
static int start(struct job *job, const uint8_t *bytes, size_t size)
{
    const struct cli_options *options = job->options;
    struct updraft_target target = job_target(options);
    if (options->verb->run == cli_confirm) {
        return updraft_central_confirm(job->central, &target);
    }
    if (options->verb->run == cli_rollback) {
        struct updraft_rollback_options rollback = {
            .struct_size = sizeof(rollback),
            .factory = options->factory,
        };
        return updraft_central_rollback(job->central, &target, &rollback);
    }
    if (options->verb->run == cli_activate) {
        struct updraft_activate_options activate = {
            .struct_size = sizeof(activate),
            .image = bytes,
            .image_size = size,
        };
        return updraft_central_activate(job->central, &target, &activate);
    }
    struct updraft_update_options update = {
        .struct_size = sizeof(update),
        .image = bytes,
        .image_size = size,
        .force = options->force,
        .fresh = options->fresh,
        .stage = options->stage,
    };
    return updraft_central_update(job->central, &target, &update);
}

static json_t *result_object(const struct job *job, const char *version)
{
    json_t *result = json_pack("{s:s, s:s, s:s, s:s, s:s}", "outcome",
                               updraft_outcome_name(job->outcome), "address",
                               job->address, "name", job->name, "firmware_revision",
                               job->firmware, "firmware_before", job->firmware_before);
    if (version[0] != '\0') {
        (void)json_object_set_new(result, "image_version", json_string(version));
    }
    if (job->protocol >= UPDRAFT_P2_VERSION && job->options->verb->run == cli_update) {
        (void)json_object_update_new(
            result, json_pack("{s:I, s:I}", "kept_bytes", (json_int_t)job->kept_bytes,
                              "resent_bytes", (json_int_t)job->resent_bytes));
    }
    if (job->status_detail != 0) {
        (void)json_object_set_new(result, "status_detail",
                                  json_integer((json_int_t)job->status_detail));
    }
    if (job->info_known) {
        (void)json_object_set_new(result, "info", job_info_object(&job->info));
    }
    return result;
}

/* With the file read and found whole, or without one: bytes NULL. */
static int run(struct job *job, const struct cli_options *options,
               struct cli_context *context, const uint8_t *bytes, size_t size,
               const char *version)
{
    json_t *result = NULL;
    int status = job_open(job, options);
    if (status == UPDRAFT_OK) {
        status = start(job, bytes, size);
    }
    if (status == UPDRAFT_OK) {
        job_run(job);
        status = job->status;
    }
    if (status == UPDRAFT_OK && !options->json) {
        print_outcome(job, version[0] != '\0' ? version : job->firmware);
    }
    if (options->json && job->device[0] != '\0') {
        result = result_object(job, version);
    }
    context->old_version = job->firmware;
    context->new_version = version[0] != '\0' ? version : "the image that was activated";
    return job_finish(job, status, context, result);
}

static int run_with_file(const struct cli_options *options)
{
    struct updraft_inspection inspection = {0};
    struct cli_context context = {.options = options, .file = options->argument};
    char version[JOB_TEXT_SIZE];
    uint8_t *bytes = NULL;
    size_t size = 0;
    const char *problem = "";
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
    context.image = &inspection.image;
    context.sent_size_bytes = updraft_parcel_size(&inspection.image, size);
    clean(version, inspection.image.descriptor.version);
    print_file(options, &inspection, version);
    status = run(&the_job, options, &context, bytes, size, version);
    /* Only now: the central may still look at the image until it is freed. */
    free(bytes);
    return status;
}

static int run_without_file(const struct cli_options *options)
{
    struct cli_context context = {.options = options};
    return run(&the_job, options, &context, NULL, 0, "");
}

int cli_update(const struct cli_options *options)
{
    return run_with_file(options);
}

int cli_activate(const struct cli_options *options)
{
    return options->argument != NULL ? run_with_file(options) : run_without_file(options);
}

int cli_confirm(const struct cli_options *options)
{
    return run_without_file(options);
}

int cli_rollback(const struct cli_options *options)
{
    return run_without_file(options);
}
