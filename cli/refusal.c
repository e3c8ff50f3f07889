/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What a device with protocol 2 said when it refused an image, in full.
 */
#include <stdio.h>
#include <string.h>

#include "cli/message.h"
#include "client/src/text.h"
#include "updraft/client.h"
#include "updraft/error.h"

#define WHY_SIZE 192u

static const char *chip_text(uint16_t chip_id, char ret_text[32])
{
    const char *chip = updraft_chip_name(chip_id);
    if (chip != NULL) {
        return chip;
    }
    snprintf(ret_text, 32, "unknown chip (0x%04x)", chip_id);
    return ret_text;
}

static void revision_why(const struct updraft_image_header *header, uint32_t revision,
                         char *ret_why)
{
    unsigned low = header->chip_revision_min;
    unsigned high = header->chip_revision_max;
    if (high == 0 || high == 0xFFFF) {
        snprintf(ret_why, WHY_SIZE,
                 "it is for chip revision %u.%u and later, this is %u.%u", low / 100u,
                 low % 100u, revision / 100u, revision % 100u);
    } else {
        snprintf(ret_why, WHY_SIZE,
                 "it is for chip revisions %u.%u to %u.%u, this is %u.%u", low / 100u,
                 low % 100u, high / 100u, high % 100u, revision / 100u, revision % 100u);
    }
}

/* "" for other refusals than those of an image that does not fit. */
static void say_why(const struct cli_context *context, int status, char *ret_why)
{
    const struct updraft_image *image = context->image;
    uint32_t detail = context->status_detail;
    char text[2][40];
    char project[33];
    ret_why[0] = '\0';
    switch (status) {
    case UPDRAFT_ERROR_IMAGE_CHIP:
        snprintf(ret_why, WHY_SIZE, "it is for %s, this is an %s",
                 chip_text(image->header.chip_id, text[0]),
                 chip_text((uint16_t)detail, text[1]));
        break;
    case UPDRAFT_ERROR_IMAGE_CHIP_REVISION:
        revision_why(&image->header, detail, ret_why);
        break;
    case UPDRAFT_ERROR_IMAGE_TOO_LARGE:
        snprintf(ret_why, WHY_SIZE, "it has %u bytes, the slot %u",
                 context->sent_size_bytes, detail);
        break;
    case UPDRAFT_ERROR_IMAGE_HARDWARE:
        snprintf(ret_why, WHY_SIZE, "it is for another board than hardware %u", detail);
        break;
    case UPDRAFT_ERROR_IMAGE_PROJECT:
        updraft_text_copy(project, sizeof(project),
                          (const uint8_t *)image->descriptor.project,
                          strlen(image->descriptor.project));
        snprintf(ret_why, WHY_SIZE, "it is of project %s, the device runs %s", project,
                 context->info->project);
        break;
    case UPDRAFT_ERROR_SECURE_VERSION:
        snprintf(ret_why, WHY_SIZE, "its secure version is %u, the device wants %u",
                 image->descriptor.secure_version, detail);
        break;
    case UPDRAFT_ERROR_NO_UPDRAFT:
        snprintf(ret_why, WHY_SIZE,
                 "it has no updraft inside and would be the last update over Bluetooth");
        break;
    }
}

bool cli_say_refusal(const struct cli_context *context, int status, char *ret_text,
                     size_t size)
{
    char why[WHY_SIZE];
    if (context->image == NULL || context->info == NULL) {
        return false;
    }
    say_why(context, status, why);
    if (why[0] == '\0') {
        return false;
    }
    snprintf(ret_text, size, "%s refused the image: %s",
             context->device != NULL ? context->device : "the device", why);
    return true;
}
