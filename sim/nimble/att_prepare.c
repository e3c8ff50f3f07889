/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * ATT's queued writes: Prepare Write, Execute Write. */
#include <string.h>

#include "sim/nimble/nimble.h"

void nimble_att_prepared_clear(struct nimble *n, struct prepared_list *list)
{
    struct prepared *entry;
    while ((entry = SLIST_FIRST(list)) != NULL) {
        SLIST_REMOVE_HEAD(list, next);
        os_mbuf_free_chain(entry->value);
        sim_runtime_free(entry);
        n->prepared_count--;
    }
}

/* Keeps a copy of the value behind the last one. */
static uint8_t keep(struct nimble *n, struct connection *c, uint16_t handle,
                    uint16_t offset, const struct os_mbuf *om)
{
    if (n->prepared_count >= n->binding->prepare_entries_max) {
        return BLE_ATT_ERR_PREPARE_QUEUE_FULL;
    }
    struct prepared *entry = sim_runtime_malloc(sizeof(*entry));
    struct os_mbuf *value = nimble_l2cap_packet();
    uint8_t error = 0;
    if (entry == NULL || value == NULL) {
        error = BLE_ATT_ERR_INSUFFICIENT_RES;
    } else if (os_mbuf_appendfrom(value, om, 4, (uint16_t)(OS_MBUF_PKTLEN(om) - 4)) !=
               0) {
        error = BLE_ATT_ERR_PREPARE_QUEUE_FULL;
    }
    if (error != 0) {
        if (entry != NULL) {
            sim_runtime_free(entry);
        }
        os_mbuf_free_chain(value);
        return error;
    }
    *entry = (struct prepared){.handle = handle, .offset = offset, .value = value};
    n->prepared_count++;
    struct prepared *last = NULL;
    struct prepared *at;
    SLIST_FOREACH(at, &c->prepared, next)
    {
        last = at;
    }
    if (last == NULL) {
        SLIST_INSERT_HEAD(&c->prepared, entry, next);
    } else {
        SLIST_INSERT_AFTER(last, entry, next);
    }
    c->prepared_deadline = xTaskGetTickCount() + nimble_ticks(n, ATT_TIMEOUT_MS);
    return 0;
}

void nimble_att_prepare_write(struct connection *c, struct os_mbuf **om)
{
    struct nimble *n = nimble_state();
    uint8_t bytes[4] = {0};
    uint8_t error = 0;
    int rc = os_mbuf_copydata(*om, 0, 4, bytes) == 0 ? 0 : BLE_HS_EBADDATA;
    uint16_t handle = hci_get_le16(bytes);
    const struct attribute *attribute = gatts_attribute(n, handle);
    if (rc != 0) {
        error = 0; /* too short: no answer */
    } else if (attribute == NULL) {
        rc = BLE_HS_ENOENT;
        error = BLE_ATT_ERR_INVALID_HANDLE;
    } else {
        rc = nimble_att_permitted(c, attribute, true, &error);
    }
    if (rc == 0) {
        error = keep(n, c, handle, hci_get_le16(bytes + 2), *om);
        rc = error != 0 ? BLE_HS_ENOMEM : 0;
    }
    struct os_mbuf *response = *om;
    *om = NULL;
    if (rc == 0) { /* the request comes back as it is */
        response = os_mbuf_prepend(response, 1);
        if (response == NULL) {
            rc = BLE_HS_ENOMEM;
            error = BLE_ATT_ERR_INSUFFICIENT_RES;
        } else {
            response->om_data[0] = BLE_ATT_OP_PREP_WRITE_RSP;
        }
    }
    nimble_att_respond(c, rc, response, BLE_ATT_OP_PREP_WRITE_REQ, error, handle);
}

/* Parts of one value must follow one another without a gap, and end within 512 bytes. */
static uint8_t validate(const struct prepared_list *list, uint16_t *ret_handle)
{
    const struct prepared *before = NULL;
    const struct prepared *entry;
    SLIST_FOREACH(entry, list, next)
    {
        uint16_t expected = 0;
        if (before != NULL && before->handle == entry->handle) {
            expected = (uint16_t)(before->offset + OS_MBUF_PKTLEN(before->value));
        }
        *ret_handle = entry->handle;
        if (entry->offset != expected) {
            return BLE_ATT_ERR_INVALID_OFFSET;
        }
        if (entry->offset + OS_MBUF_PKTLEN(entry->value) > BLE_ATT_ATTR_MAX_LEN) {
            return BLE_ATT_ERR_INVALID_ATTR_VALUE_LEN;
        }
        before = entry;
    }
    return 0;
}

/* Writes the value that the first entries make together, and drops them. */
static uint8_t write_first(struct nimble *n, struct connection *c,
                           struct prepared_list *list, uint16_t *ret_handle)
{
    struct prepared *entry = SLIST_FIRST(list);
    uint16_t handle = entry->handle;
    struct os_mbuf *value = NULL;
    uint8_t error = 0;
    *ret_handle = handle;
    while ((entry = SLIST_FIRST(list)) != NULL && entry->handle == handle &&
           (value == NULL || entry->offset != 0)) {
        if (value == NULL) {
            value = entry->value;
        } else {
            os_mbuf_concat(value, entry->value);
        }
        SLIST_REMOVE_HEAD(list, next);
        sim_runtime_free(entry);
        n->prepared_count--;
    }
    const struct attribute *attribute = gatts_attribute(n, handle);
    if (attribute == NULL) {
        error = BLE_ATT_ERR_INVALID_HANDLE;
    } else if (nimble_att_write(c, attribute, 0, &value, &error) != 0 && error == 0) {
        error = BLE_ATT_ERR_UNLIKELY;
    }
    os_mbuf_free_chain(value);
    return error;
}

void nimble_att_execute_write(struct connection *c, struct os_mbuf **om)
{
    struct nimble *n = nimble_state();
    uint8_t flags = 0;
    uint8_t error = 0;
    uint16_t handle = 0;
    int rc = os_mbuf_copydata(*om, 0, 1, &flags) == 0 ? 0 : BLE_HS_EBADDATA;
    struct os_mbuf *response = *om;
    *om = NULL;
    if (rc != 0) {
        error = 0; /* too short: no answer */
    } else {
        os_mbuf_adj(response, OS_MBUF_PKTLEN(response));
        nimble_att_prepare(response, BLE_ATT_OP_EXEC_WRITE_RSP, 0);
        struct prepared_list list = c->prepared;
        SLIST_INIT(&c->prepared);
        if (flags != 0) {
            error = validate(&list, &handle);
            while (error == 0 && !SLIST_EMPTY(&list)) {
                error = write_first(n, c, &list, &handle);
            }
            rc = error != 0 ? BLE_HS_EAPP : 0;
        }
        nimble_att_prepared_clear(n, &list);
    }
    nimble_att_respond(c, rc, response, BLE_ATT_OP_EXEC_WRITE_REQ, error, handle);
}
