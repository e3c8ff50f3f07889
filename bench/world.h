/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * updraft on the same links: no generator, but the firmware and the client's flow. */
#ifndef BENCH_WORLD_H
#define BENCH_WORLD_H

#include "bench/bench.h"

struct bench_world_result {
    int status;       /* of the update; 0: the new firmware runs */
    double session_s; /* from asking the device to its yes: what peers are measured by */
    double payload_s; /* of it, while the image is under way */
    double interval_ms; /* mean, of the link's events in that part; 0: none */
    double whole_s;     /* from looking for the device to having seen the new firmware */
};

struct world_flow_options;

/* A way to update with updraft; each is a row of the report. */
struct bench_world_row {
    const char *name;
    const char *label;
    /* Sets what differs from the client's own choice; NULL: nothing. */
    void (*choose)(struct world_flow_options *options);
    bool compare_alone; /* of no interest beside the bounds */
};
extern const struct bench_world_row bench_world_rows[];
extern const size_t bench_world_row_count;

/* Updates a virtual board of the world that has the settings' air and flash. */
struct bench_world_result bench_world(const struct bench_world_row *row,
                                      const struct bench_settings *settings);

#endif
