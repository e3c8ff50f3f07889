/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The original system's defects, each on a switch. */
#ifndef LEGACY_DEFECTS_H
#define LEGACY_DEFECTS_H

/* A firmware is built with -DLEGACY_DEFECTS=<any of these, or-ed>. Without any it is a
 * device that speaks protocol 1 and nothing else, and does it well. The tests of
 * updraft's promises are run against these firmwares too, and must fail there. */
enum legacy_defect {
    /* A packet shorter than the packet size is written with what the buffer held. */
    LEGACY_STALE_BYTES = 1 << 0,
    /* The packet size is believed: 600 writes what lies behind the buffer, too. */
    LEGACY_PACKET_SIZE = 1 << 1,
    /* A packet longer than the packet size is an ATT error, but written all the same. */
    LEGACY_WRONG_LENGTH = 1 << 2,
    /* A failed flash write is logged, and that is all. */
    LEGACY_WRITE_ERRORS = 1 << 3,
    /* The update goes on when its connection has ended: the next one continues it. */
    LEGACY_KEEPS_UPDATING = 1 << 4,
    /* A second REQUEST begins again without ending the first. */
    LEGACY_SECOND_REQUEST = 1 << 5,
    /* Flash is erased and written inside NimBLE's access callback. */
    LEGACY_HOST_TASK = 1 << 6,
    /* The chip restarts inside the access callback of DONE. */
    LEGACY_RESTARTS = 1 << 7,
    /* Whatever boots is marked valid before anything was tested. */
    LEGACY_CONFIRMS = 1 << 8,
    /* The slot is chosen by the addresses of the stock partition table. */
    LEGACY_ADDRESSES = 1 << 9,
    /* A Control value that is not allowed is refused, but the last one is obeyed again.
     */
    LEGACY_REPEATS = 1 << 10,
    /* Any connection may send data into another one's update. */
    LEGACY_NO_OWNER = 1 << 11,
    /* The slot is erased as soon as REQUEST comes, on trial too; and the trial lasts. */
    LEGACY_ON_TRIAL = 1 << 12,
};

#ifndef LEGACY_DEFECTS
#define LEGACY_DEFECTS 0
#endif

/* Not a defect: some devices, the original among them, offer OTA Data by Write Request
 * only. -DLEGACY_REQUESTS_ONLY=1 */
#ifndef LEGACY_REQUESTS_ONLY
#define LEGACY_REQUESTS_ONLY 0
#endif

#define HAS_DEFECT(defect) (((LEGACY_DEFECTS) & (defect)) != 0)

#endif
