/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * ATT requests that search the table. */
#include <string.h>

#include "sim/nimble/nimble.h"

/* A search: a range of handles, and the response that is being filled. */
struct search {
    struct connection *connection;
    struct os_mbuf *response;
    uint16_t start;
    uint16_t end;
    int rc;
    uint8_t error;
    uint16_t error_handle;
    uint8_t op;
    uint16_t request_size;
    uint8_t request[4 + 16 + 512]; /* what follows the opcode */
};

/* Reads the request and checks its range. */
static bool search_begin(struct search *s, struct connection *c, struct os_mbuf **om,
                         uint8_t op, uint16_t size_min)
{
    memset(s, 0, sizeof(*s));
    s->connection = c;
    s->op = op;
    s->request_size = OS_MBUF_PKTLEN(*om);
    if (s->request_size > sizeof(s->request)) {
        s->request_size = sizeof(s->request);
    }
    os_mbuf_copydata(*om, 0, s->request_size, s->request);
    s->rc = nimble_att_packet(om, &s->response, &s->error);
    if (s->rc != 0) {
        return false;
    }
    if (s->request_size < size_min) {
        s->rc = BLE_HS_EBADDATA;
        s->error = 0; /* no answer */
        return false;
    }
    s->start = hci_get_le16(s->request);
    s->end = hci_get_le16(s->request + 2);
    s->error_handle = s->start;
    if (s->start > s->end || s->start == 0) {
        s->rc = BLE_HS_EBADDATA;
        s->error = BLE_ATT_ERR_INVALID_HANDLE;
        return false;
    }
    return true;
}

static void search_fail(struct search *s, int rc, uint8_t error, uint16_t handle)
{
    s->rc = rc;
    s->error = error;
    s->error_handle = handle;
}

static void search_end(struct search *s, bool found)
{
    if (s->rc == 0 && !found) {
        search_fail(s, BLE_HS_ENOENT, BLE_ATT_ERR_ATTR_NOT_FOUND, s->start);
    }
    nimble_att_respond(s->connection, s->rc, s->response, s->op, s->error,
                       s->error_handle);
}

static bool room(const struct search *s, uint16_t size)
{
    return OS_MBUF_PKTLEN(s->response) + size <= nimble_att_mtu(s->connection);
}

static bool add(struct search *s, const void *bytes, uint16_t size)
{
    if (os_mbuf_append(s->response, bytes, size) != 0) {
        search_fail(s, BLE_HS_ENOMEM, BLE_ATT_ERR_INSUFFICIENT_RES, s->start);
        return false;
    }
    return true;
}

static const struct attribute *next_attribute(const struct nimble *n,
                                              const struct search *s, uint16_t *index)
{
    for (; *index < n->attributes_count; (*index)++) {
        const struct attribute *attribute = &n->attributes[*index];
        if (attribute->handle >= s->start && attribute->handle <= s->end &&
            !attribute->hidden) {
            (*index)++;
            return attribute;
        }
    }
    return NULL;
}

void nimble_att_find_information(struct connection *c, struct os_mbuf **om)
{
    const struct nimble *n = nimble_state();
    struct search s;
    uint8_t format = 0;
    if (search_begin(&s, c, om, BLE_ATT_OP_FIND_INFO_REQ, 4)) {
        uint16_t index = 0;
        const struct attribute *attribute;
        while (s.rc == 0 && (attribute = next_attribute(n, &s, &index)) != NULL) {
            uint8_t entry[2 + 16];
            uint8_t size = uuid_put(entry + 2, attribute->uuid);
            uint8_t this_format = size == 2 ? 1 : 2;
            if (format == 0) {
                uint8_t *bytes =
                    nimble_att_prepare(s.response, BLE_ATT_OP_FIND_INFO_RSP, 1);
                format = this_format;
                bytes[0] = format;
            }
            if (format != this_format || !room(&s, (uint16_t)(2 + size))) {
                break;
            }
            hci_put_le16(entry, attribute->handle);
            add(&s, entry, (uint16_t)(2 + size));
        }
    }
    search_end(&s, format != 0);
}

static bool is_group(const struct attribute *attribute)
{
    uint16_t uuid = ble_uuid_u16(attribute->uuid);
    return uuid == BLE_ATT_UUID_PRIMARY_SERVICE || uuid == BLE_ATT_UUID_SECONDARY_SERVICE;
}

/* Only service declarations have values worth comparing; others are read like them. */
static bool value_equals(struct connection *c, const struct attribute *attribute,
                         const uint8_t *value, uint16_t size)
{
    uint8_t error = 0;
    struct os_mbuf *om = nimble_packet(0);
    if (om == NULL) {
        return false;
    }
    bool equal = nimble_att_read(c, attribute, 0, om, &error) == 0 &&
                 OS_MBUF_PKTLEN(om) == size && os_mbuf_cmpf(om, 0, value, size) == 0;
    os_mbuf_free_chain(om);
    return equal;
}

void nimble_att_find_by_type_value(struct connection *c, struct os_mbuf **om)
{
    const struct nimble *n = nimble_state();
    struct search s;
    bool found = false;
    if (search_begin(&s, c, om, BLE_ATT_OP_FIND_TYPE_VALUE_REQ, 6)) {
        uint16_t index = 0;
        const struct attribute *attribute;
        while (s.rc == 0 && (attribute = next_attribute(n, &s, &index)) != NULL) {
            if (!uuid_equals(attribute->uuid, s.request + 4, 2) ||
                !value_equals(c, attribute, s.request + 6,
                              (uint16_t)(s.request_size - 6))) {
                continue;
            }
            if (!found) {
                nimble_att_prepare(s.response, BLE_ATT_OP_FIND_TYPE_VALUE_RSP, 0);
                found = true;
            }
            if (!room(&s, 4)) {
                break;
            }
            uint8_t entry[4];
            hci_put_le16(entry, attribute->handle);
            hci_put_le16(entry + 2,
                         is_group(attribute) ? attribute->end : attribute->handle);
            add(&s, entry, sizeof(entry));
        }
    }
    search_end(&s, found);
}

/* Appends handle (and end, for groups) and value, cut to what fits. All entries of a
 * response have one length; returns false when this one is to be left for the next
 * request. */
static bool add_entry(struct search *s, const struct attribute *attribute, bool group,
                      uint8_t *entry_size)
{
    uint8_t head = group ? 4 : 2;
    uint16_t mtu = nimble_att_mtu(s->connection);
    uint8_t entry[4 + 255];
    uint8_t error = 0;
    struct os_mbuf *value = nimble_packet(0);
    if (value == NULL) {
        search_fail(s, BLE_HS_ENOMEM, BLE_ATT_ERR_INSUFFICIENT_RES, attribute->handle);
        return false;
    }
    int rc = nimble_att_read(s->connection, attribute, 0, value, &error);
    if (rc != 0) {
        os_mbuf_free_chain(value);
        if (*entry_size == 0) { /* else the client gets what came before */
            search_fail(s, rc, error, attribute->handle);
        }
        return false;
    }
    uint16_t size = OS_MBUF_PKTLEN(value);
    uint16_t max = (uint16_t)(mtu - 2 - head);
    max = max > 255 - head ? (uint16_t)(255 - head) : max;
    size = size > max ? max : size;
    os_mbuf_copydata(value, 0, size, entry + head);
    os_mbuf_free_chain(value);
    if (*entry_size == 0) {
        uint8_t *bytes = nimble_att_prepare(s->response, (uint8_t)(s->op + 1), 1);
        *entry_size = (uint8_t)(head + size);
        bytes[0] = *entry_size;
    }
    if (head + size != *entry_size || !room(s, *entry_size)) {
        return false;
    }
    hci_put_le16(entry, attribute->handle);
    if (group) {
        hci_put_le16(entry + 2, attribute->end);
    }
    return add(s, entry, *entry_size);
}

void nimble_att_read_by_type(struct connection *c, struct os_mbuf **om)
{
    const struct nimble *n = nimble_state();
    struct search s;
    uint8_t entry_size = 0;
    if (search_begin(&s, c, om, BLE_ATT_OP_READ_TYPE_REQ, 6)) {
        if (s.request_size != 6 && s.request_size != 20) {
            search_fail(&s, BLE_HS_EBADDATA, /* error= */ 0, s.start);
        }
        uint16_t index = 0;
        const struct attribute *attribute;
        while (s.rc == 0 && (attribute = next_attribute(n, &s, &index)) != NULL) {
            if (uuid_equals(attribute->uuid, s.request + 4, s.request_size - 4u) &&
                !add_entry(&s, attribute, false, &entry_size)) {
                break;
            }
        }
    }
    search_end(&s, entry_size != 0);
}

void nimble_att_read_by_group_type(struct connection *c, struct os_mbuf **om)
{
    const struct nimble *n = nimble_state();
    struct search s;
    uint8_t entry_size = 0;
    if (search_begin(&s, c, om, BLE_ATT_OP_READ_GROUP_TYPE_REQ, 6)) {
        uint16_t type = s.request_size == 6 ? hci_get_le16(s.request + 4) : 0;
        if (s.request_size != 6 && s.request_size != 20) {
            search_fail(&s, BLE_HS_EBADDATA, /* error= */ 0, s.start);
        } else if (type != BLE_ATT_UUID_PRIMARY_SERVICE &&
                   type != BLE_ATT_UUID_SECONDARY_SERVICE) {
            search_fail(&s, BLE_HS_EREJECT, BLE_ATT_ERR_UNSUPPORTED_GROUP, s.start);
        }
        uint16_t index = 0;
        const struct attribute *attribute;
        while (s.rc == 0 && (attribute = next_attribute(n, &s, &index)) != NULL) {
            if (ble_uuid_u16(attribute->uuid) == type &&
                !add_entry(&s, attribute, true, &entry_size)) {
                break;
            }
        }
    }
    search_end(&s, entry_size != 0);
}
