/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A queue's inside, for queue.c and semaphore.c. */
#ifndef SIM_IDF_QUEUE_H
#define SIM_IDF_QUEUE_H

#include "freertos/semphr.h"
#include "sim/idf/internal.h"

enum sim_queue_kind {
    SIM_QUEUE_ITEMS,
    SIM_QUEUE_SEMAPHORE,
    SIM_QUEUE_MUTEX,
    SIM_QUEUE_RECURSIVE,
};

struct QueueDefinition {
    enum sim_queue_kind kind;
    bool from_heap;
    UBaseType_t length;
    UBaseType_t item_size;
    UBaseType_t count;
    UBaseType_t first;
    uint8_t *storage;
    TaskHandle_t holder;   /* of a mutex */
    UBaseType_t recursion; /* of a recursive one */
    /* Their addresses are what tasks wait for. */
    char items;
    char room;
};

QueueHandle_t sim_queue_new(UBaseType_t length, UBaseType_t item_size, uint8_t *storage,
                            StaticQueue_t *room, enum sim_queue_kind kind);

#endif
