/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * libupdraft: firmware updates over Bluetooth LE, for programs with an event loop.
 */
#ifndef UPDRAFT_CLIENT_H
#define UPDRAFT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updraft/error.h"
#include "updraft/info.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How it is used:
 *
 *     updraft_central_new(&config, &central);
 *     updraft_central_update(central, &target, &options);
 *     while (updraft_central_busy(central)) {
 *         poll {updraft_central_fd(central), POLLIN};
 *         updraft_central_process(central);         calls config.report
 *     }
 *     updraft_central_free(central);
 *
 * One job (scan, info, update, ...) at a time. Nothing here blocks or starts a thread. A
 * central belongs to one thread; several centrals, in one thread or in many, do not
 * disturb each other. Functions return 0 or a negative error of updraft/error.h. */

/* A Bluetooth device address, most significant byte first, as it is printed. */
struct updraft_address {
    uint8_t bytes[6];
    bool is_random;
};

/* "AA:BB:CC:DD:EE:FF" and its terminator. */
#define UPDRAFT_ADDRESS_TEXT_SIZE 18u

/* Writes the address as text. */
void updraft_address_format(const struct updraft_address *address,
                            char ret_text[UPDRAFT_ADDRESS_TEXT_SIZE]);

/* Reads "AA:BB:CC:DD:EE:FF" (either case). is_random is set to false: the text does not
 * tell. Returns 0, or ARGUMENT when the text is not an address. */
int updraft_address_parse(const char *text, struct updraft_address *ret_address);

/* What a job is doing. Phases come in this order; a job may go back after a lost link. */
enum updraft_phase {
    UPDRAFT_PHASE_IDLE,
    UPDRAFT_PHASE_FINDING,      /* listening for the device */
    UPDRAFT_PHASE_CONNECTING,   /* link, MTU, services */
    UPDRAFT_PHASE_READING,      /* Device Information */
    UPDRAFT_PHASE_REQUESTING,   /* asking the device whether it takes an update */
    UPDRAFT_PHASE_TRANSFERRING, /* the image is under way */
    UPDRAFT_PHASE_VERIFYING,    /* the device verifies what its flash holds */
    UPDRAFT_PHASE_RESTARTING, /* the device took the image; waiting for it to come back */
    UPDRAFT_PHASE_WATCHING,   /* it is back; does the new firmware stay up? */
    UPDRAFT_PHASE_ENDING,     /* closing the link */
};

/* "finding" and so on; the same words as in `updraft --json`. Static storage. */
const char *updraft_phase_name(enum updraft_phase phase);

/* What is known about a job that ended without error. Protocol 1 has no way to ask a
 * device whether its new firmware confirmed itself: what the device tells is the version
 * that runs. */
enum updraft_outcome {
    UPDRAFT_OUTCOME_NONE,      /* the job changes nothing, or it ended with an error */
    UPDRAFT_OUTCOME_RUNNING,   /* the device runs the image's version, and stayed up; or
                                * it runs the image, and its boot loader knows no trial */
    UPDRAFT_OUTCOME_ALREADY,   /* it ran the image before: nothing was sent; confirm: what
                                * it runs is not on trial, there is nothing to confirm */
    UPDRAFT_OUTCOME_UNTOLD,    /* the device took the image and is back, but does not tell
                                * a version from which one could see what runs */
    UPDRAFT_OUTCOME_CONFIRMED, /* it runs the image and says that this is confirmed */
    UPDRAFT_OUTCOME_STAGED,    /* it holds the image, verified, to be activated later */
    UPDRAFT_OUTCOME_REVERTED,  /* rollback: it runs the firmware that it was to go back to
                                */
};

/* "running" and so on; the same words as in `updraft --json`. Static storage. */
const char *updraft_outcome_name(enum updraft_outcome outcome);

enum updraft_event_kind {
    UPDRAFT_EVENT_FOUND,     /* address, name, rssi_dbm, has_service: a device was heard;
                              * again whenever one of them changed */
    UPDRAFT_EVENT_PHASE,     /* phase */
    UPDRAFT_EVENT_CONNECTED, /* address, name, mtu, has_service */
    UPDRAFT_EVENT_DEVICE,    /* address, name, firmware_revision, model, manufacturer,
                              * protocol, info; model and manufacturer of a device with
                              * protocol 2 are asked for by updraft_central_info alone */
    UPDRAFT_EVENT_PROGRESS,  /* done_bytes, total_bytes, kept_bytes */
    UPDRAFT_EVENT_RETRY,     /* status, attempt: something failed and is tried again */
    UPDRAFT_EVENT_FINISHED,  /* the job's last event: status, status_detail, detail, info;
                              * of a job that changes what runs also outcome,
                              * firmware_before, firmware_revision, kept_bytes,
                              * resent_bytes */
};

/* "found" and so on; the same words as in `updraft --json`. Static storage. */
const char *updraft_event_name(enum updraft_event_kind kind);

/* What is reported. Filled as far as the kind says, the rest is zero or "". Strings are
 * never NULL, are UTF-8 as the device sent them (control characters replaced), and valid
 * during the call only. Later versions of the library may append fields. */
struct updraft_event {
    enum updraft_event_kind kind;
    enum updraft_phase phase;
    enum updraft_outcome outcome;
    int status; /* 0 or an error of updraft/error.h */
    unsigned attempt;
    struct updraft_address address;
    const char *name;
    int rssi_dbm; /* 0: not known */
    bool has_service;
    uint16_t mtu;
    uint32_t done_bytes;
    uint32_t total_bytes;
    const char *firmware_revision; /* the version that runs, "": not told */
    const char *firmware_before;   /* the version that ran before the update */
    const char *model;
    const char *manufacturer;
    const char *detail; /* what the system said about the error, for a log; or "" */
    uint8_t protocol;   /* 1 or 2; 0: the device has no update service */
    /* What the device said of itself last; NULL with protocol 1. */
    const struct updraft_info *info;
    /* Of the image, what the device had from before this attempt and was not sent again:
     * counts as done. FINISHED: of the last attempt. */
    uint32_t kept_bytes;
    /* FINISHED: what was sent more than once, over all attempts. */
    uint32_t resent_bytes;
    /* With an error that the device told, what it said beside it: SPEC.md, STATE, detail
     * (IMAGE_CHIP: its chip; RATE_LIMIT: seconds to wait; and so on); else 0. */
    uint32_t status_detail;
};

/* Words for what updraft_info tells, as in `updraft --json`: "on_trial", "rolled_back",
 * "self_test". A number that this version does not know is "unknown". Static storage. */
const char *updraft_run_state_name(uint8_t run_state);
const char *updraft_result_name(uint8_t result);
const char *updraft_reason_name(uint8_t reason);
/* What a device was reset by, from ESP-IDF's esp_reset_reason_t: "panic", "brownout". */
const char *updraft_reset_name(uint8_t reset_reason);
/* Why the device went back, as the end of a sentence: "its self-test failed", "it was
 * reset on trial (panic)". Returns ret_text. */
const char *updraft_reason_text(const struct updraft_info *info, char *ret_text,
                                size_t text_size);

/* Called from within updraft_central_process, never from a starting call. It may call
 * updraft_central_cancel and the functions that only ask, nothing else. */
typedef void (*updraft_report_t)(void *context, const struct updraft_event *event);

struct updraft_central_config {
    size_t struct_size;  /* sizeof(struct updraft_central_config) */
    const char *adapter; /* "hci1"; NULL: the first one that is switched on */
    updraft_report_t report;
    void *context; /* handed to report */
};

/* Which device is meant. Strings are copied. */
struct updraft_target {
    const char *address; /* "AA:BB:CC:DD:EE:FF", or NULL */
    const char *name;    /* the advertised name in full, or NULL; not with address */
    /* Neither: the only device in range that advertises the update service. */
    uint32_t find_limit_ms; /* how long to look for it, 1 to 3600000; 0: 10000 */
};

struct updraft_update_options {
    size_t struct_size; /* sizeof(struct updraft_update_options) */
    /* A whole ESP32 application image. Must stay where it is until the job is finished;
     * it is not written to. */
    const uint8_t *image;
    size_t image_size;
    bool force; /* update although the device runs the image already; with protocol 2 also
                 * to an image of another project, or without updraft inside */
    bool fresh; /* send everything, whatever the device has of the image already */
    bool stage; /* do not activate it: updraft_central_activate does, later. Protocol 2
                 * alone; UNSUPPORTED else */
};

struct updraft_activate_options {
    size_t struct_size; /* sizeof(struct updraft_activate_options) */
    /* The staged image that is meant, as for an update; NULL: whatever is staged. */
    const uint8_t *image;
    size_t image_size;
};

struct updraft_rollback_options {
    size_t struct_size; /* sizeof(struct updraft_rollback_options) */
    bool factory;       /* to the factory partition, not to the previous image */
};

typedef struct updraft_central updraft_central_t;

/* Makes a central and connects to the system's message bus (DBUS_SYSTEM_BUS_ADDRESS names
 * another one). config is copied. Returns ARGUMENT, MEMORY, or NO_BLUETOOTHD when there
 * is no message bus. *ret_central must be given to updraft_central_free. */
int updraft_central_new(const struct updraft_central_config *config,
                        updraft_central_t **ret_central);

/* Ends a running job without further events, closes a link that it made, and frees the
 * central. NULL does nothing. Not from within report. */
void updraft_central_free(updraft_central_t *central);

/* A file descriptor that is readable whenever updraft_central_process has something to
 * do, deadlines included: no timer is needed beside it. It stays the same for the
 * central's life and belongs to the central; do not read or close it. */
int updraft_central_fd(const updraft_central_t *central);

/* Does what is due and reports it. Never blocks; harmless when nothing is due. Returns 0,
 * or an error after which only updraft_central_free is of use; a job that fails is no
 * error here but FINISHED with a status. */
int updraft_central_process(updraft_central_t *central);

/* Reports every device that is heard for `duration_ms` (1 to 3600000), then FINISHED.
 * Returns ARGUMENT, or STATE while a job runs. */
int updraft_central_scan(updraft_central_t *central, uint32_t duration_ms);

/* Finds the device, connects, reports its Device Information and lets it go. Returns
 * ARGUMENT, or STATE while a job runs. */
int updraft_central_info(updraft_central_t *central, const struct updraft_target *target);

/* Updates the device: find, connect, compare versions, transfer, have it verified, wait
 * for it to come back, see which version runs and, with protocol 2, see it confirmed. A
 * lost link is tried again: a few times, or with protocol 2 as long as more of the image
 * arrives each time. What has arrived and is intact is not sent again. The image is
 * inspected first: one that is not whole is refused with its error before anything else
 * happens. Returns that error, ARGUMENT, or STATE while a job runs.
 *
 * FINISHED has status 0 with an outcome; ROLLED_BACK when the device came back with its
 * previous version, with protocol 2 its info tells why; LINK_NOT_BACK when it did not
 * come back in a minute; ON_TRIAL when its trial had no end in time. Until the device has
 * verified the whole image it keeps what it runs, whatever happens to the job. */
int updraft_central_update(updraft_central_t *central,
                           const struct updraft_target *target,
                           const struct updraft_update_options *options);

/* The jobs below need a device that speaks protocol 2: UNSUPPORTED else. They return
 * ARGUMENT, or STATE while a job runs. */

/* Activates a staged image, and goes on as an update does. NOTHING_STAGED. */
int updraft_central_activate(updraft_central_t *central,
                             const struct updraft_target *target,
                             const struct updraft_activate_options *options);

/* Confirms the firmware that runs, where it is on trial, and waits until it is confirmed;
 * ALREADY where it is not. Waits a quarter of an hour at most, whatever the device says
 * is left of the trial; so do the jobs that begin one. */
int updraft_central_confirm(updraft_central_t *central,
                            const struct updraft_target *target);

/* Makes the device go back to another firmware and waits until that runs. options may be
 * NULL. NO_FALLBACK. */
int updraft_central_rollback(updraft_central_t *central,
                             const struct updraft_target *target,
                             const struct updraft_rollback_options *options);

/* Asks a running job to end: it closes its link and finishes with CANCELLED, in six
 * seconds at most. An image that the device took already is not taken back; what has
 * arrived of one is kept. No effect when no job runs. */
void updraft_central_cancel(updraft_central_t *central);

/* True from a successful start of a job until its FINISHED was reported. */
bool updraft_central_busy(const updraft_central_t *central);

/* True for errors after which the same call may succeed with nothing changed: the link
 * was lost, the device or the adapter was busy, the device wants a pause. */
bool updraft_error_may_retry(int error);

/* The version of this library, as "0.1.0". Static storage. */
const char *updraft_library_version(void);

#ifdef __cplusplus
}
#endif

#endif
