/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What a flow starts from: its limits, and the image's version.
 */
#include <assert.h>
#include <string.h>

#include "client/src/flow_private.h"
#include "client/src/text.h"
#include "updraft/image.h"

#define FIND_LIMIT_MS    10000u
#define SETTLE_MS        1500u
#define CONNECT_LIMIT_MS 20000u
#define READ_LIMIT_MS    30000u
#define CLOSE_LIMIT_MS   5000u
#define PAUSE_MS         500u
#define RETURN_LIMIT_MS  60000u
/* Longer than the shortest trial (UPDRAFT_TRIAL_SETTLE_MS), so that a firmware that still
 * holds the link is a confirmed one. */
#define WATCH_MS           5000u
#define POLL_MS            1000u
#define ATTEMPTS_MAX       3u
#define ATTEMPTS_TOTAL_MAX 20u

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value != 0 ? value : otherwise;
}

static void fill_limits(struct updraft_flow_config *config)
{
    config->find_limit_ms = or_default(config->find_limit_ms, FIND_LIMIT_MS);
    config->settle_ms = or_default(config->settle_ms, SETTLE_MS);
    config->connect_limit_ms = or_default(config->connect_limit_ms, CONNECT_LIMIT_MS);
    config->read_limit_ms = or_default(config->read_limit_ms, READ_LIMIT_MS);
    config->close_limit_ms = or_default(config->close_limit_ms, CLOSE_LIMIT_MS);
    config->pause_ms = or_default(config->pause_ms, PAUSE_MS);
    config->return_limit_ms = or_default(config->return_limit_ms, RETURN_LIMIT_MS);
    config->watch_ms = or_default(config->watch_ms, WATCH_MS);
    config->poll_ms = or_default(config->poll_ms, POLL_MS);
    if (config->attempts_max == 0) {
        config->attempts_max = ATTEMPTS_MAX;
    }
    if (config->attempts_total_max == 0) {
        config->attempts_total_max = ATTEMPTS_TOTAL_MAX;
    }
    if (config->protocol_max == 0) {
        config->protocol_max = UPDRAFT_P2_VERSION;
    }
}

/* Takes the image's version and id, and judges the image unless that was declined. */
static int take_image(struct updraft_flow *flow)
{
    struct updraft_image image;
    const struct updraft_flow_config *config = &flow->config;
    if (config->image == NULL || config->image_size_bytes == 0) {
        return UPDRAFT_ERROR_ARGUMENT;
    }
    updraft_image_init(&image, UINT32_MAX);
    int status = updraft_image_input(&image, config->image, config->image_size_bytes);
    if (status == UPDRAFT_OK) {
        status = updraft_image_finish(&image);
    }
    if (status == UPDRAFT_OK && !image.header.hash_appended) {
        status = UPDRAFT_ERROR_IMAGE_NO_HASH;
    }
    if (status == UPDRAFT_OK && !updraft_image_has_descriptor(&image)) {
        status = UPDRAFT_ERROR_IMAGE_DESCRIPTOR; /* a boot loader, for one */
    }
    if (updraft_image_has_descriptor(&image)) {
        const char *version = image.descriptor.version;
        updraft_text_copy(flow->version, sizeof(flow->version), (const uint8_t *)version,
                          strlen(version));
    }
    if (updraft_image_complete(&image) && image.header.hash_appended) {
        flow->wanted_size = UPDRAFT_IMAGE_HASH_SIZE;
        memcpy(flow->wanted_id, image.hash, UPDRAFT_IMAGE_HASH_SIZE);
    }
    return config->unchecked ? UPDRAFT_OK : status;
}

int updraft_flow_init(struct updraft_flow *flow, const struct updraft_flow_config *config)
{
    assert(config->ops != NULL && config->report != NULL);
    if (config->by_address && config->name != NULL) {
        return UPDRAFT_ERROR_ARGUMENT;
    }
    memset(flow, 0, sizeof(*flow));
    flow->config = *config;
    fill_limits(&flow->config);
    if (config->verb == UPDRAFT_FLOW_UPDATE ||
        (config->verb == UPDRAFT_FLOW_ACTIVATE && config->image != NULL)) {
        return take_image(flow);
    }
    return UPDRAFT_OK;
}
