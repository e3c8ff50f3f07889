/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A job of libupdraft run to its end: scan, info and update share it.
 */
#ifndef UPDRAFT_CLI_JOB_H
#define UPDRAFT_CLI_JOB_H

#include "cli/message.h"
#include "cli/progress.h"
#include "updraft/client.h"

#define JOB_HEARD_MAX 512u
#define JOB_TEXT_SIZE 64u

struct job_heard {
    char address[UPDRAFT_ADDRESS_TEXT_SIZE];
    char name[JOB_TEXT_SIZE];
    int rssi_dbm;
    bool has_service;
};

struct job {
    const struct cli_options *options;
    updraft_central_t *central;
    struct cli_progress progress;
    uint64_t progress_ms; /* JSON: when progress was last printed */
    bool finished;
    bool taken; /* the device has the image */
    int status;
    enum updraft_outcome outcome;
    char address[UPDRAFT_ADDRESS_TEXT_SIZE];
    char name[JOB_TEXT_SIZE];
    char device[2 * JOB_TEXT_SIZE]; /* "kitchen (AA:BB:CC:DD:EE:FF)"; "": none yet */
    uint16_t mtu;
    bool has_service;
    char firmware[JOB_TEXT_SIZE];
    char firmware_before[JOB_TEXT_SIZE];
    char model[JOB_TEXT_SIZE];
    char manufacturer[JOB_TEXT_SIZE];
    uint8_t protocol; /* 1 or 2; 0: no update service */
    bool info_known;  /* with protocol 2, what the device said of itself last */
    struct updraft_info info;
    bool kept_said; /* in this attempt */
    uint32_t kept_bytes;
    uint32_t resent_bytes;
    uint32_t status_detail;
    char detail[256];
    size_t heard_count;
    struct job_heard heard[JOB_HEARD_MAX];
};

/* Makes job->central. Returns 0 or an error. */
int job_open(struct job *job, const struct cli_options *options);

/* Runs the job that was started on job->central until it is finished or interrupted. */
void job_run(struct job *job);

/* Info as JSON; steals nothing. */
json_t *job_info_object(const struct updraft_info *info);

/* The target that --device names. Points into options. */
struct updraft_target job_target(const struct cli_options *options);

/* Prints the end and frees the central. */
int job_finish(struct job *job, int status, const struct cli_context *context,
               json_t *result);

#endif
