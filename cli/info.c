/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * updraft info: everything that a device tells.
 */
#include <string.h>

#include "cli/job.h"
#include "cli/verbs.h"
#include "updraft/error.h"
#include "updraft/image.h"

#define HEX_SIZE (2 * UPDRAFT_IMAGE_HASH_SIZE + 1)

/* Large for a stack of some systems. */
static struct job the_job;

static void slot_text(uint8_t slot, char ret_text[16])
{
    if (slot == UPDRAFT_INFO_SLOT_FACTORY) {
        snprintf(ret_text, 16, "factory");
    } else {
        snprintf(ret_text, 16, "ota_%u", slot);
    }
}

json_t *job_info_object(const struct updraft_info *info)
{
    char device_id[UPDRAFT_ADDRESS_TEXT_SIZE];
    char image_id[HEX_SIZE];
    char noted_id[HEX_SIZE];
    char slot[16];
    struct updraft_address address = {0};
    const char *chip = updraft_chip_name(info->chip_id);
    memcpy(address.bytes, info->device_id, sizeof(address.bytes));
    updraft_address_format(&address, device_id);
    cli_hex(info->image_id, sizeof(info->image_id), image_id);
    cli_hex(info->noted_id, sizeof(info->noted_id), noted_id);
    slot_text(info->slot, slot);
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "run_state",
                  updraft_run_state_name(info->run_state), "slot", slot, "result",
                  updraft_result_name(info->result), "reason",
                  updraft_reason_name(info->reason), "project", info->project,
                  "device_id", device_id, "image_id", image_id, "noted_id", noted_id);
    json_t *numbers = json_pack(
        "{s:i, s:i, s:I, s:i, s:i, s:i, s:I, s:I}", "chip_id", info->chip_id,
        "chip_revision", info->chip_revision, "slot_size_bytes",
        (json_int_t)info->slot_size_bytes, "write_size_bytes", info->write_size_bytes,
        "window_bytes", info->window_bytes, "trial_left_s", info->trial_left_s,
        "hardware_id", (json_int_t)info->hardware_id, "secure_version",
        (json_int_t)info->secure_version);
    json_t *flags =
        json_pack("{s:b, s:b, s:b, s:b, s:b}", "needs_signature",
                  (info->flags & UPDRAFT_INFO_NEEDS_SIGNATURE) != 0, "needs_encryption",
                  (info->flags & UPDRAFT_INFO_NEEDS_ENCRYPTION) != 0, "staged",
                  (info->flags & UPDRAFT_INFO_STAGED) != 0, "awaits_confirm",
                  (info->flags & UPDRAFT_INFO_CONFIRM_CLIENT) != 0, "busy",
                  (info->flags & UPDRAFT_INFO_BUSY) != 0);
    (void)json_object_update_new(object, numbers);
    (void)json_object_update_new(object, flags);
    if (chip != NULL) {
        (void)json_object_set_new(object, "chip", json_string(chip));
    }
    if (info->result == UPDRAFT_RESULT_ROLLED_BACK &&
        info->reason == UPDRAFT_REASON_RESET) {
        (void)json_object_set_new(object, "reset",
                                  json_string(updraft_reset_name(info->detail)));
    }
    return object;
}

static void print_state(const struct updraft_info *info)
{
    switch ((enum updraft_run_state)info->run_state) {
    case UPDRAFT_RUN_CONFIRMED:
        printf("State         confirmed\n");
        return;
    case UPDRAFT_RUN_ON_TRIAL:
        printf("State         on trial, %u s left%s\n", info->trial_left_s,
               (info->flags & UPDRAFT_INFO_CONFIRM_CLIENT) != 0
                   ? "; it awaits updraft confirm"
                   : "");
        return;
    case UPDRAFT_RUN_FACTORY:
        printf("State         factory firmware: no trial, nothing to confirm\n");
        return;
    case UPDRAFT_RUN_UNMONITORED:
        printf("State         not monitored: its boot loader does not roll back\n");
        return;
    }
    printf("State         unknown (%u)\n", info->run_state);
}

static void print_result(const struct updraft_info *info)
{
    char text[80];
    switch ((enum updraft_result)info->result) {
    case UPDRAFT_RESULT_NONE:
        return;
    case UPDRAFT_RESULT_CONFIRMED:
        printf("Last update   confirmed\n");
        return;
    case UPDRAFT_RESULT_ROLLED_BACK:
    case UPDRAFT_RESULT_LOST:
        printf("Last update   %s: %s\n",
               info->result == UPDRAFT_RESULT_LOST ? "lost" : "rolled back",
               updraft_reason_text(info, text, sizeof(text)));
        return;
    }
    printf("Last update   unknown (%u)\n", info->result);
}

static void print_native(const struct updraft_info *info)
{
    char id[2 * UPDRAFT_P2_ID_SIZE + 1];
    char slot[16];
    const char *chip = updraft_chip_name(info->chip_id);
    printf("Project       %s\n", info->project);
    print_state(info);
    cli_hex(info->image_id, UPDRAFT_P2_ID_SIZE, id);
    slot_text(info->slot, slot);
    printf("Image         %s, in %s\n", id, slot);
    if (chip != NULL) {
        printf("Chip          %s, revision %u.%u\n", chip, info->chip_revision / 100u,
               info->chip_revision % 100u);
    } else {
        printf("Chip          unknown (id 0x%04x)\n", info->chip_id);
    }
    if (info->hardware_id != 0) {
        printf("Hardware      %u\n", info->hardware_id);
    }
    if (info->secure_version != 0) {
        printf("Secure        version %u or later\n", info->secure_version);
    }
    if (info->slot_size_bytes == 0) {
        printf("Slot          none to update\n");
    } else {
        printf("Slot          %.1f KiB\n", info->slot_size_bytes / 1024.0);
    }
    if ((info->flags & UPDRAFT_INFO_STAGED) != 0) {
        cli_hex(info->noted_id, UPDRAFT_P2_ID_SIZE, id);
        printf("Staged        %s; updraft activate starts it\n", id);
    }
    print_result(info);
    if ((info->flags & UPDRAFT_INFO_NEEDS_SIGNATURE) != 0) {
        printf("Requires      signed images\n");
    }
    if ((info->flags & UPDRAFT_INFO_NEEDS_ENCRYPTION) != 0) {
        printf("Requires      an encrypted link\n");
    }
    if ((info->flags & UPDRAFT_INFO_BUSY) != 0) {
        printf("Busy          another central updates it\n");
    }
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
    if (job->protocol >= UPDRAFT_P2_VERSION) {
        print_native(&job->info);
        printf("Update        protocol 2, MTU %u, %u bytes a write, window %u bytes\n",
               job->mtu, job->info.write_size_bytes, job->info.window_bytes);
    } else if (job->has_service) {
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
