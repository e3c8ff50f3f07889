/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The public interface: a flow over the BlueZ transport, behind one file descriptor.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include "client/src/bluez.h"
#include "client/src/flow.h"
#include "client/src/inspect.h"
#include "updraft/client.h"

#define TARGET_NAME_SIZE 249u /* 248 bytes: the longest device name */
#define LIMIT_MS_MAX     3600000u
/* How much one call of updraft_central_process does at most. */
#define ROUNDS_MAX 256u

struct updraft_central {
    sd_event *event;
    sd_event_source *timer;
    sd_event_source *wake;
    int wake_fd;
    struct bluez *bluez;
    updraft_report_t report;
    void *context;
    bool job;    /* a job was started and has not been reported finished */
    bool begun;  /* the flow was started */
    bool cancel; /* asked for */
    struct updraft_flow flow;
    struct updraft_parcel parcel;
    uint32_t *sector_crcs; /* the parcel's */
    char name[TARGET_NAME_SIZE];
};

static uint64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static uint32_t now_ms(void)
{
    return (uint32_t)(now_us() / 1000u);
}

/* Makes the descriptor readable: process has something to do. */
static void wake(updraft_central_t *central)
{
    uint64_t one = 1;
    ssize_t written = write(central->wake_fd, &one, sizeof(one));
    (void)written; /* a full counter is readable too */
}

/* After whatever moved the flow: when does it want to be called? */
static void set_timer(updraft_central_t *central)
{
    uint32_t deadline_ms;
    if (!updraft_flow_deadline(&central->flow, &deadline_ms)) {
        (void)sd_event_source_set_enabled(central->timer, SD_EVENT_OFF);
        return;
    }
    uint64_t now = now_us() / 1000u;
    int32_t left_ms = (int32_t)(deadline_ms - (uint32_t)now);
    uint64_t at_ms = left_ms > 0 ? now + (uint64_t)left_ms : now;
    (void)sd_event_source_set_time(central->timer, at_ms * 1000u);
    (void)sd_event_source_set_enabled(central->timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t time_us, void *userdata)
{
    updraft_central_t *central = userdata;
    (void)source;
    (void)time_us;
    updraft_flow_tick(&central->flow, now_ms());
    set_timer(central);
    return 0;
}

static void on_transport(void *context, const struct updraft_transport_event *event)
{
    updraft_central_t *central = context;
    if (central->job && central->begun) {
        updraft_flow_event(&central->flow, event, now_ms());
        set_timer(central);
    }
}

static void on_report(void *context, const struct updraft_event *event)
{
    updraft_central_t *central = context;
    struct updraft_event full = *event;
    if (event->kind == UPDRAFT_EVENT_FINISHED) {
        central->job = false;
        if (event->status != UPDRAFT_OK) {
            full.detail = bluez_detail(central->bluez);
        }
    }
    central->report(central->context, &full);
}

static int on_wake(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    updraft_central_t *central = userdata;
    uint64_t count;
    (void)source;
    (void)events;
    ssize_t got = read(fd, &count, sizeof(count));
    (void)got;
    if (central->job && !central->begun) {
        central->begun = true;
        updraft_flow_start(&central->flow, now_ms());
    }
    if (central->job && central->cancel) {
        central->cancel = false;
        updraft_flow_cancel(&central->flow, now_ms());
    }
    set_timer(central);
    return 0;
}

static int make_loop(updraft_central_t *central)
{
    central->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (central->wake_fd < 0) {
        return UPDRAFT_ERROR_MEMORY;
    }
    int r = sd_event_new(&central->event);
    if (r >= 0) {
        r = sd_event_add_io(central->event, &central->wake, central->wake_fd, EPOLLIN,
                            on_wake, central);
    }
    if (r >= 0) {
        r = sd_event_add_time(central->event, &central->timer, CLOCK_MONOTONIC, 0, 1000,
                              on_timer, central);
    }
    if (r >= 0) {
        r = sd_event_source_set_enabled(central->timer, SD_EVENT_OFF);
    }
    return r < 0 ? UPDRAFT_ERROR_MEMORY : UPDRAFT_OK;
}

int updraft_central_new(const struct updraft_central_config *config,
                        updraft_central_t **ret_central)
{
    if (config == NULL || config->struct_size < sizeof(*config) ||
        config->report == NULL) {
        return UPDRAFT_ERROR_ARGUMENT;
    }
    if (config->adapter != NULL &&
        (config->adapter[0] == '\0' || strlen(config->adapter) > 32 ||
         strspn(config->adapter, "abcdefghijklmnopqrstuvwxyz0123456789_") !=
             strlen(config->adapter))) {
        return UPDRAFT_ERROR_ARGUMENT;
    }
    updraft_central_t *central = calloc(1, sizeof(*central));
    if (central == NULL) {
        return UPDRAFT_ERROR_MEMORY;
    }
    central->report = config->report;
    central->context = config->context;
    int status = make_loop(central);
    if (status == UPDRAFT_OK) {
        status = bluez_new(central->event, config->adapter, on_transport, central,
                           &central->bluez);
    }
    if (status != UPDRAFT_OK) {
        updraft_central_free(central);
        return status;
    }
    /* The loop is not armed yet: let the first process do that. */
    wake(central);
    *ret_central = central;
    return UPDRAFT_OK;
}

void updraft_central_free(updraft_central_t *central)
{
    if (central == NULL) {
        return;
    }
    if (central->bluez != NULL) {
        bluez_free(central->bluez);
    }
    sd_event_source_disable_unref(central->timer);
    sd_event_source_disable_unref(central->wake);
    sd_event_unref(central->event);
    if (central->wake_fd >= 0) {
        close(central->wake_fd);
    }
    free(central->sector_crcs);
    free(central);
}

int updraft_central_fd(const updraft_central_t *central)
{
    return sd_event_get_fd(central->event);
}

/* sd-event's steps one by one, so that it is left armed: only then its descriptor tells
 * of timers as well. */
int updraft_central_process(updraft_central_t *central)
{
    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        int r = 0;
        switch (sd_event_get_state(central->event)) {
        case SD_EVENT_INITIAL:
            r = sd_event_prepare(central->event);
            if (r == 0) {
                /* Armed. Is anything there already? */
                r = sd_event_wait(central->event, 0);
                if (r == 0) {
                    r = sd_event_prepare(central->event);
                    if (r == 0) {
                        return UPDRAFT_OK;
                    }
                }
            }
            break;
        case SD_EVENT_ARMED:
            r = sd_event_wait(central->event, 0);
            break;
        case SD_EVENT_PENDING:
            r = sd_event_dispatch(central->event);
            break;
        default:
            return UPDRAFT_ERROR_STATE;
        }
        if (r < 0) {
            return r == -ENOMEM ? UPDRAFT_ERROR_MEMORY : UPDRAFT_ERROR_STATE;
        }
    }
    wake(central);
    return UPDRAFT_OK;
}

/* Takes the target's strings over. */
static int set_target(updraft_central_t *central, const struct updraft_target *target,
                      struct updraft_flow_config *config)
{
    if (target == NULL || (target->address != NULL && target->name != NULL) ||
        target->find_limit_ms > LIMIT_MS_MAX) {
        return UPDRAFT_ERROR_ARGUMENT;
    }
    config->find_limit_ms = target->find_limit_ms;
    if (target->address != NULL) {
        config->by_address = true;
        return updraft_address_parse(target->address, &config->address);
    }
    if (target->name != NULL) {
        size_t length = strlen(target->name);
        if (length == 0 || length >= sizeof(central->name)) {
            return UPDRAFT_ERROR_ARGUMENT;
        }
        memcpy(central->name, target->name, length + 1);
        config->name = central->name;
    }
    return UPDRAFT_OK;
}

static int start_job(updraft_central_t *central, struct updraft_flow_config *config)
{
    config->ops = &bluez_ops;
    config->transport = central->bluez;
    config->report = on_report;
    config->context = central;
    int status = updraft_flow_init(&central->flow, config);
    if (status == UPDRAFT_OK) {
        bluez_clear_detail(central->bluez);
        central->job = true;
        central->begun = false;
        central->cancel = false;
        wake(central);
    }
    return status;
}

int updraft_central_scan(updraft_central_t *central, uint32_t duration_ms)
{
    struct updraft_flow_config config = {
        .verb = UPDRAFT_FLOW_SCAN,
        .find_limit_ms = duration_ms,
    };
    if (central->job) {
        return UPDRAFT_ERROR_STATE;
    }
    if (duration_ms == 0 || duration_ms > LIMIT_MS_MAX) {
        return UPDRAFT_ERROR_ARGUMENT;
    }
    return start_job(central, &config);
}

int updraft_central_info(updraft_central_t *central, const struct updraft_target *target)
{
    struct updraft_flow_config config = {.verb = UPDRAFT_FLOW_INFO};
    if (central->job) {
        return UPDRAFT_ERROR_STATE;
    }
    int status = set_target(central, target, &config);
    return status == UPDRAFT_OK ? start_job(central, &config) : status;
}

/* Inspects the image and puts it into the job. */
static int set_image(const uint8_t *image, size_t size,
                     struct updraft_inspection *ret_inspection,
                     struct updraft_flow_config *config)
{
    if (image == NULL) {
        return UPDRAFT_ERROR_ARGUMENT;
    }
    updraft_inspect(image, size, ret_inspection);
    config->image = image;
    config->image_size_bytes = (uint32_t)size;
    return ret_inspection->status;
}

/* Another number for each session, so that a device can tell them apart. */
static uint32_t make_nonce(void)
{
    uint32_t nonce = 0;
    if (getrandom(&nonce, sizeof(nonce), GRND_NONBLOCK) != (ssize_t)sizeof(nonce)) {
        nonce = (uint32_t)now_us();
    }
    return nonce;
}

int updraft_central_update(updraft_central_t *central,
                           const struct updraft_target *target,
                           const struct updraft_update_options *options)
{
    struct updraft_inspection inspection;
    struct updraft_flow_config config = {
        .verb = UPDRAFT_FLOW_UPDATE,
        .parcel = &central->parcel,
    };
    if (central->job) {
        return UPDRAFT_ERROR_STATE;
    }
    if (options == NULL || options->struct_size < sizeof(*options)) {
        return UPDRAFT_ERROR_ARGUMENT;
    }
    int status = set_image(options->image, options->image_size, &inspection, &config);
    if (status == UPDRAFT_OK) {
        status = set_target(central, target, &config);
    }
    if (status != UPDRAFT_OK) {
        return status;
    }
    free(central->sector_crcs);
    central->sector_crcs = NULL;
    status = updraft_inspect_parcel(&inspection, options->image, options->image_size,
                                    &central->parcel, &central->sector_crcs);
    if (status != UPDRAFT_OK) {
        return status;
    }
    config.force = options->force;
    config.fresh = options->fresh;
    config.stage = options->stage;
    config.nonce = make_nonce();
    return start_job(central, &config);
}

int updraft_central_activate(updraft_central_t *central,
                             const struct updraft_target *target,
                             const struct updraft_activate_options *options)
{
    struct updraft_inspection inspection;
    struct updraft_flow_config config = {.verb = UPDRAFT_FLOW_ACTIVATE};
    int status = UPDRAFT_OK;
    if (central->job) {
        return UPDRAFT_ERROR_STATE;
    }
    if (options != NULL && options->struct_size < sizeof(*options)) {
        return UPDRAFT_ERROR_ARGUMENT;
    }
    if (options != NULL && options->image != NULL) {
        status = set_image(options->image, options->image_size, &inspection, &config);
    }
    if (status == UPDRAFT_OK) {
        status = set_target(central, target, &config);
    }
    return status == UPDRAFT_OK ? start_job(central, &config) : status;
}

int updraft_central_confirm(updraft_central_t *central,
                            const struct updraft_target *target)
{
    struct updraft_flow_config config = {.verb = UPDRAFT_FLOW_CONFIRM};
    if (central->job) {
        return UPDRAFT_ERROR_STATE;
    }
    int status = set_target(central, target, &config);
    return status == UPDRAFT_OK ? start_job(central, &config) : status;
}

int updraft_central_rollback(updraft_central_t *central,
                             const struct updraft_target *target,
                             const struct updraft_rollback_options *options)
{
    struct updraft_flow_config config = {.verb = UPDRAFT_FLOW_ROLLBACK};
    if (central->job) {
        return UPDRAFT_ERROR_STATE;
    }
    if (options != NULL && options->struct_size < sizeof(*options)) {
        return UPDRAFT_ERROR_ARGUMENT;
    }
    config.factory = options != NULL && options->factory;
    int status = set_target(central, target, &config);
    return status == UPDRAFT_OK ? start_job(central, &config) : status;
}

void updraft_central_cancel(updraft_central_t *central)
{
    if (central->job) {
        central->cancel = true;
        wake(central);
    }
}

bool updraft_central_busy(const updraft_central_t *central)
{
    return central->job;
}

bool updraft_error_may_retry(int error)
{
    return updraft_error_exit(error) == UPDRAFT_EXIT_LINK ||
           error == UPDRAFT_ERROR_NO_DEVICE || error == UPDRAFT_ERROR_BUSY ||
           error == UPDRAFT_ERROR_REFUSED || error == UPDRAFT_ERROR_ON_TRIAL ||
           error == UPDRAFT_ERROR_VETOED || error == UPDRAFT_ERROR_RATE_LIMIT ||
           error == UPDRAFT_ERROR_CANCELLED;
}

const char *updraft_library_version(void)
{
    return UPDRAFT_VERSION;
}
