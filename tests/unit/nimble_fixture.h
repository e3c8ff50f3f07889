/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A board that runs tests/firmware/nimble, and centrals that speak ATT frame by frame. */
#ifndef TESTS_NIMBLE_FIXTURE_H
#define TESTS_NIMBLE_FIXTURE_H

#include "sim/chip/chip.h"
#include "sim/idf/board.h"
#include "tests/firmware/nimble/orders.h"
#include "tests/unit/hci_host.h"

#define FIXTURE_CENTRALS    4
#define FIXTURE_UPDATES_MAX 64
#define FIXTURE_SEED        11

/* A notification or indication that a central received. */
struct att_update {
    bool indication;
    uint16_t handle;
    uint16_t size;
    uint8_t bytes[512];
};

/* One central's link to the board. */
struct att_link {
    struct hci_host host;
    bool connected;
    uint16_t handle;
    /* Putting PDUs together. */
    size_t rx_size;
    uint8_t rx[4 + 600];
    /* The answer to the last request; size 0: none yet. */
    size_t answer_size;
    uint8_t answer[600];
    size_t updates;
    struct att_update update[FIXTURE_UPDATES_MAX];
    bool confirm; /* indications, by itself */
    /* What came on the signalling channel last, and on the one of the Security Manager.
     */
    size_t signal_size;
    uint8_t signal[64];
    size_t smp_size;
    uint8_t smp[64];
};

struct nimble_fixture {
    sim_arena_t *arena;
    sim_loop_t *loop;
    sim_flash_t *flash;
    sim_chip_t *chip;
    sim_board_t *board;
    sim_air_t *air;
    sim_controller_t *controller;
    struct att_link central[FIXTURE_CENTRALS];
    size_t log_size;
    char log[256 * 1024];
};
extern struct nimble_fixture fixture;

/* What the board and its air are like; 0 and NULL: the usual. */
struct fixture_options {
    const char *firmware;  /* "nimble" */
    const char *behaviour; /* "good" */
    const char *chip;      /* "esp32c3" */
    bool timed;            /* connection events instead of the instant air */
    const char *flash;     /* "ideal" */
    int idf_minor;         /* of ESP-IDF 5; 5 */
    uint8_t centrals;      /* 1 */
    bool preempt;
    bool allow_flash_in_host_task;
    bool without_wait; /* do not wait until it advertises */
};
void fixture_open(const struct fixture_options *options);
/* Also checks that no mbuf is missing, unless leaked says how many are. */
void fixture_close(uint32_t leaked);

/* Runs until the board has written this text, at most limit_ms; false: it has not.
 * After `mark`, a former log_size. */
bool fixture_await(const char *text, size_t mark, uint64_t limit_ms);
bool fixture_wrote(const char *text, size_t mark);
void fixture_run_ms(uint64_t ms);

/* Connects central number index, and goes on at once: the board may not know it yet. */
struct att_link *att_connect_only(size_t index);
/* Connects central number index; and exchanges MTUs if mtu is not 0. */
struct att_link *att_connect(size_t index, uint16_t mtu);
/* Sends a PDU of ATT, in as many ACL packets as it takes. Waits for credits. */
void att_send(struct att_link *link, const void *bytes, size_t size);
/* The same on any channel. */
void l2cap_send_raw(struct att_link *link, uint16_t channel, const void *bytes,
                    size_t size);
/* Sends a request and waits for its answer, whose size is returned; fails the test when
 * none comes within 5 s. */
size_t att_request(struct att_link *link, const void *bytes, size_t size);
/* The error code in the answer; 0: it is none. */
uint8_t att_error(const struct att_link *link);

/* The handle of a characteristic's value, found by discovery. */
uint16_t att_find(struct att_link *link, const uint8_t uuid[16]);
/* The same for the firmware's, by their number in ORDER_UUID128. */
uint16_t att_value_handle(struct att_link *link, uint8_t number);
/* Write Request; returns the error code. */
uint8_t att_write(struct att_link *link, uint16_t handle, const void *bytes, size_t size);
void att_write_command(struct att_link *link, uint16_t handle, const void *bytes,
                       size_t size);
/* Tells the firmware what to do. */
void give_order(struct att_link *link, uint8_t order, uint16_t argument);
/* The same for orders that end the link: the answer may not make it. */
void drop_order(struct att_link *link, uint8_t order, uint16_t argument);

#endif
