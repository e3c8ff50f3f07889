/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What comes from the controller: ESP-IDF's VHCI receive path, with its finite buffers.
 */
#include <assert.h>
#include <string.h>

#include "sim/nimble/nimble.h"

#define ARRIVAL_EVENT 0
#define ARRIVAL_DATA  1

static void arrived(struct nimble *n, uint8_t kind)
{
    assert(n->arrivals_count < sizeof(n->arrivals));
    unsigned place = (n->arrivals_first + n->arrivals_count) % sizeof(n->arrivals);
    n->arrivals[place] = kind;
    n->arrivals_count++;
    nimble_wake(n);
}

bool receive_next(struct nimble *n, struct hci_event_item **ret_event,
                  struct os_mbuf **ret_data)
{
    *ret_event = NULL;
    *ret_data = NULL;
    if (n->arrivals_count == 0) {
        return false;
    }
    uint8_t kind = n->arrivals[n->arrivals_first];
    n->arrivals_first = (uint8_t)((n->arrivals_first + 1) % sizeof(n->arrivals));
    n->arrivals_count--;
    if (kind == ARRIVAL_EVENT) {
        *ret_event = STAILQ_FIRST(&n->events_ready);
        STAILQ_REMOVE_HEAD(&n->events_ready, next);
    } else {
        struct os_mbuf_pkthdr *header = STAILQ_FIRST(&n->acl_ready);
        STAILQ_REMOVE_HEAD(&n->acl_ready, omp_next);
        *ret_data = OS_MBUF_PKTHDR_TO_MBUF(header);
    }
    return true;
}

void receive_event_free(struct nimble *n, struct hci_event_item *event)
{
    STAILQ_INSERT_HEAD(&n->events_free, event, next);
}

void receive_clear(struct nimble *n)
{
    struct hci_event_item *event;
    struct os_mbuf *data;
    while (receive_next(n, &event, &data)) {
        if (event != NULL) {
            receive_event_free(n, event);
        }
        os_mbuf_free_chain(data);
    }
}

/* The answer to the command that waits for it is not queued. */
static bool take_answer(struct nimble *n, const uint8_t *bytes, uint16_t size)
{
    if (bytes[0] != HCI_EV_COMMAND_COMPLETE && bytes[0] != HCI_EV_COMMAND_STATUS) {
        return false;
    }
    if (!n->answer_awaited) {
        return true; /* too late: its command was given up */
    }
    n->answer_awaited = false;
    n->answer_size = size;
    memcpy(n->answer_bytes, bytes, size);
    if (sim_runtime_in_task()) {
        xSemaphoreGive(n->answer);
    } else {
        xSemaphoreGiveFromISR(n->answer, NULL);
    }
    return true;
}

static void take_event(struct nimble *n, const uint8_t *bytes, uint16_t size)
{
    if (size > HCI_EVENT_MAX) {
        sim_runtime_log(n->board,
                        "Received HCI data length at host (%u) exceeds maximum "
                        "configured HCI event buffer size (%u).",
                        size, HCI_EVENT_MAX);
        host_reset_schedule(n, BLE_HS_ECONTROLLER);
        return;
    }
    if (bytes[0] == HCI_EV_HARDWARE_ERROR) {
        sim_runtime_panic(n->board, "assert failed: host_rcv_pkt esp_nimble_hci.c");
        return;
    }
    if (take_answer(n, bytes, size)) {
        return;
    }
    struct hci_event_item *event = STAILQ_FIRST(&n->events_free);
    if (event == NULL) {
        /* The host's task has not run for so long that all buffers are taken. */
        sim_runtime_panic(n->board,
                          "assert failed: host_rcv_pkt esp_nimble_hci.c (evbuf != NULL)");
        return;
    }
    STAILQ_REMOVE_HEAD(&n->events_free, next);
    event->size = size;
    memcpy(event->bytes, bytes, size);
    STAILQ_INSERT_TAIL(&n->events_ready, event, next);
    arrived(n, ARRIVAL_EVENT);
}

/* False: no buffer is free. */
static bool take_data(struct nimble *n, const uint8_t *bytes, uint16_t size)
{
    struct os_mbuf *om = nimble_acl_packet(n, bytes, size);
    if (om == NULL) {
        return false;
    }
    STAILQ_INSERT_TAIL(&n->acl_ready, OS_MBUF_PKTHDR(om), omp_next);
    arrived(n, ARRIVAL_DATA);
    return true;
}

/* From the controller, in interrupt context. While the controller's task waits for a
 * buffer, nothing else gets through: false. */
static bool receive(void *context, const uint8_t *packet, size_t size)
{
    struct nimble *n = context;
    if (n->receiving) {
        return false;
    }
    if (n->enabled == HOST_OFF) {
        sim_runtime_log(n->board, "Host not enabled. Dropping the packet!");
        return true;
    }
    if (packet[0] == HCI_H4_EVENT) {
        take_event(n, packet + 1, (uint16_t)(size - 1));
        return true;
    }
    uint16_t data_size = (uint16_t)(size - 1);
    if (packet[0] != HCI_H4_ACL || data_size < HCI_ACL_HEADER_SIZE - 1 ||
        data_size > n->binding->acl_size || take_data(n, packet + 1, data_size)) {
        return true;
    }
    n->receiving = true;
    n->received_size = data_size;
    memcpy(n->received, packet + 1, data_size);
    vTaskNotifyGiveFromISR(n->controller_task, NULL);
    return true;
}

/* Retries once a tick, as ESP-IDF does, and after 29 of them drops the fragment: the
 * link layer has acknowledged it long ago, so the peer never learns. */
static void wait_for_buffer(struct nimble *n)
{
    for (int tries = 1; tries < ACL_RETRIES;) {
        if (take_data(n, n->received, n->received_size)) {
            return;
        }
        if (tries % 5 == 0) {
            sim_runtime_log(n->board, "ACL buf alloc failed %d times", tries);
        }
        vTaskDelay(1);
        tries++;
    }
    n->acl_dropped++;
    sim_runtime_log(n->board, "MBUF alloc stuck");
}

static void controller_task(void *context)
{
    struct nimble *n = context;
    for (;;) {
        ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
        if (n->receiving) {
            wait_for_buffer(n);
            n->receiving = false;
            sim_runtime_hci_room(n->board);
        }
    }
}

void receive_open(struct nimble *n)
{
    STAILQ_INIT(&n->events_free);
    STAILQ_INIT(&n->events_ready);
    STAILQ_INIT(&n->acl_ready);
    for (uint16_t i = 0; i < n->binding->event_count; i++) {
        STAILQ_INSERT_TAIL(&n->events_free, &n->events[i], next);
    }
    if (n->controller_task == NULL) {
        xTaskCreate(controller_task, "btController", CONTROLLER_STACK, n,
                    CONTROLLER_PRIORITY, &n->controller_task);
    }
    sim_runtime_on_hci(n->board, receive, n);
}

void receive_close(struct nimble *n)
{
    receive_clear(n);
    sim_runtime_on_hci(n->board, NULL, NULL);
}
