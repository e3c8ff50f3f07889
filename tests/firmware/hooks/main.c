/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A firmware that says when updraft calls it. Its version chooses more: "veto" refuses
 * updates, "picky" refuses images once it sees them. */
#include <string.h>

#include "esp_app_desc.h"
#include "esp_log.h"
#include "updraft.h"

static const char *const TAG = "hooks";

static bool may_update(void *context, const struct updraft_image_descriptor *image)
{
    (void)context;
    ESP_LOGI(TAG, "asked about %s", image != NULL ? image->version : "an update");
    const char *wish = esp_app_get_description()->version;
    return strcmp(wish, image != NULL ? "picky" : "veto") != 0;
}

static void before_restart(void *context)
{
    (void)context;
    ESP_LOGI(TAG, "about to restart");
}

static void progress(void *context, const updraft_progress_t *progress)
{
    (void)context;
    ESP_LOGI(TAG, "state %d, %u bytes of %s, error %d", (int)progress->state,
             (unsigned)progress->received_bytes,
             progress->image != NULL ? progress->image->version : "nothing",
             progress->error);
}

void app_main(void)
{
    const updraft_config_t config = {
        .may_update = may_update,
        .before_restart = before_restart,
        .progress = progress,
    };
    ESP_ERROR_CHECK(updraft_start(&config));
}
