/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * updraft on the chip: what a firmware author calls. */
#ifndef UPDRAFT_H
#define UPDRAFT_H

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"
#include "updraft/device_session.h"
#include "updraft/error.h"

struct ble_gap_event;

#ifdef __cplusplus
extern "C" {
#endif

/* How far an update is; passed by reference, valid during the call. */
typedef struct {
    enum updraft_device_state state;
    /* Of the image, counted from its start: what was kept of an earlier attempt is in it,
     * and it goes back where a part is sent again. */
    uint32_t received_bytes;
    /* FAILED and IDLE: why the update failed, ended, or was refused, an error of
     * updraft/error.h. 0 otherwise, and where it left a staged image, for which nothing
     * is lost with the link. */
    int error;
    /* NULL while nobody updates, and until the image's first 288 bytes are in. */
    const struct updraft_image_descriptor *image;
} updraft_progress_t;

/* Zero or NULL means the default. Copied by the call that takes it; strings must stay. */
typedef struct {
    const char *name;         /* advertised; CONFIG_UPDRAFT_DEVICE_NAME */
    const char *manufacturer; /* Device Information; CONFIG_UPDRAFT_MANUFACTURER */
    const char *model;        /* Device Information; CONFIG_UPDRAFT_MODEL */
    /* Called once, on the first boot of a new firmware, in updraft's task: true keeps the
     * firmware, false rolls it back. It may take CONFIG_UPDRAFT_SELF_TEST_LIMIT_S; a test
     * that has not returned by then is ended by the RTC watchdog, and the firmware is
     * rolled back. NULL: that Bluetooth came up is test enough. */
    bool (*self_test)(void *context);
    /* Called in updraft's task before an update begins (image NULL) and before anything
     * is erased (image known). False refuses. NULL: always true. */
    bool (*may_update)(void *context, const struct updraft_image_descriptor *image);
    /* Called in updraft's task before it restarts the chip, into a new firmware or back
     * to another: the last answer may still be on its way. It should return within a
     * second. Not called before a rollback that the trial itself decides. May be NULL. */
    void (*before_restart)(void *context);
    /* Called in updraft's task when state or error changed, and about every 64 KiB; the
     * update waits meanwhile. May be NULL. */
    void (*progress)(void *context, const updraft_progress_t *progress);
    void *context; /* for the callbacks */
} updraft_config_t;

/* Everything: NVS, NimBLE, services, advertising, the update task, and the decision about
 * a firmware that is on trial. Call it once, early in app_main (the RTC watchdog runs
 * from the boot loader on, CONFIG_BOOTLOADER_WDT_TIME_MS). config may be NULL. Returns
 * ESP_OK, or the error of the part that failed; on trial a failure does not return but
 * rolls back, unless there is nothing to go back to. Needs CONFIG_UPDRAFT_START. */
esp_err_t updraft_start(const updraft_config_t *config);

/* For an app that has its own NimBLE: the same in two steps. */

/* After nimble_port_init and the app's own ble_svc_gap_init/ble_svc_gatt_init, before
 * nimble_port_freertos_init: registers updraft's services and starts its task. Call it
 * once, early in app_main. config->name is not used. Result as of updraft_start. */
esp_err_t updraft_attach(const updraft_config_t *config);

/* To be called first in the app's GAP event callback, for every event, in the host task.
 */
void updraft_gap_event(const struct ble_gap_event *event);

/* To be called by the app once its advertising (or its other proof of a working
 * Bluetooth) is up: on trial, the firmware is not confirmed before. */
void updraft_radio_ready(void);

/* True from boot until a new firmware is confirmed. Any task. */
bool updraft_on_trial(void);

#ifdef __cplusplus
}
#endif

#endif
