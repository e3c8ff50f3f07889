/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The ATT server: which request goes where, permissions, reads and writes. */
#include <string.h>

#include "host/ble_l2cap.h"
#include "sim/nimble/nimble.h"

uint16_t nimble_att_mtu(const struct connection *c)
{
    if (c->peer_mtu == 0) {
        return BLE_ATT_MTU_DFLT;
    }
    return c->own_mtu < c->peer_mtu ? c->own_mtu : c->peer_mtu;
}

uint16_t ble_att_mtu(uint16_t conn_handle)
{
    struct connection *c = gap_connection(nimble_ready(__func__), conn_handle);
    return c != NULL ? nimble_att_mtu(c) : 0;
}

uint16_t ble_att_preferred_mtu(void)
{
    return nimble_ready(__func__)->preferred_mtu;
}

int ble_att_set_preferred_mtu(uint16_t mtu)
{
    struct nimble *n = nimble_ready(__func__);
    if (mtu < BLE_ATT_MTU_DFLT || mtu > BLE_ATT_MTU_MAX) {
        return BLE_HS_EINVAL;
    }
    n->preferred_mtu = mtu;
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (n->connections[i].used && n->connections[i].peer_mtu == 0) {
            n->connections[i].own_mtu = mtu;
        }
    }
    return 0;
}

uint8_t *nimble_att_prepare(struct os_mbuf *om, uint8_t op, uint16_t size)
{
    uint8_t *bytes = os_mbuf_extend(om, (uint16_t)(size + 1));
    if (bytes == NULL) {
        return NULL;
    }
    bytes[0] = op;
    return bytes + 1;
}

static void send_error(struct connection *c, struct os_mbuf *om, uint8_t op,
                       uint16_t handle, uint8_t error)
{
    uint8_t *bytes = nimble_att_prepare(om, BLE_ATT_OP_ERROR_RSP, 4);
    if (bytes == NULL) {
        os_mbuf_free_chain(om);
        return;
    }
    bytes[0] = op;
    hci_put_le16(bytes + 1, handle);
    bytes[3] = error;
    nimble_l2cap_send(c, BLE_L2CAP_CID_ATT, om);
}

int nimble_att_respond(struct connection *c, int status, struct os_mbuf *om, uint8_t op,
                       uint8_t att_error, uint16_t handle)
{
    if (!c->used || (status != 0 && att_error == 0)) {
        os_mbuf_free_chain(om);
        return status;
    }
    if (status == 0) {
        int excess = OS_MBUF_PKTLEN(om) - nimble_att_mtu(c);
        if (excess > 0) {
            os_mbuf_adj(om, -excess);
        }
        status = nimble_l2cap_send(c, BLE_L2CAP_CID_ATT, om);
        if (status == 0) {
            return 0;
        }
        om = NULL;
        att_error = BLE_ATT_ERR_UNLIKELY;
    }
    if (om == NULL) {
        om = nimble_l2cap_packet();
    } else {
        os_mbuf_adj(om, OS_MBUF_PKTLEN(om));
    }
    if (om != NULL) {
        send_error(c, om, op, handle, att_error);
    }
    return status;
}

int nimble_att_packet(struct os_mbuf **request, struct os_mbuf **ret_response,
                      uint8_t *ret_att_error)
{
    *ret_response = nimble_l2cap_packet();
    if (*ret_response != NULL) {
        return 0;
    }
    /* The request's own buffers carry the error response. */
    *ret_response = *request;
    *request = NULL;
    *ret_att_error = BLE_ATT_ERR_INSUFFICIENT_RES;
    return BLE_HS_ENOMEM;
}

int nimble_att_permitted(struct connection *c, const struct attribute *attribute,
                         bool write, uint8_t *ret_att_error)
{
    uint8_t flags = attribute->flags;
    uint8_t basic = write ? BLE_ATT_F_WRITE : BLE_ATT_F_READ;
    uint8_t secure = write ? BLE_ATT_F_WRITE_ENC | BLE_ATT_F_WRITE_AUTHEN
                           : BLE_ATT_F_READ_ENC | BLE_ATT_F_READ_AUTHEN;
    uint8_t authorised = write ? BLE_ATT_F_WRITE_AUTHOR : BLE_ATT_F_READ_AUTHOR;
    if ((flags & basic) == 0) {
        *ret_att_error =
            write ? BLE_ATT_ERR_WRITE_NOT_PERMITTED : BLE_ATT_ERR_READ_NOT_PERMITTED;
        return BLE_HS_EREJECT;
    }
    if ((flags & secure) != 0) {
        /* Links are never encrypted here and no peer has a key: the code for "pair
         * first". */
        *ret_att_error = BLE_ATT_ERR_INSUFFICIENT_AUTHEN;
        return BLE_HS_ATT_ERR(*ret_att_error);
    }
    if ((flags & authorised) != 0) {
        struct ble_gap_event event = {.type = BLE_GAP_EVENT_AUTHORIZE};
        event.authorize.conn_handle = c->handle;
        event.authorize.attr_handle = attribute->handle;
        event.authorize.is_read = !write;
        event.authorize.out_response = BLE_GAP_AUTHORIZE_REJECT;
        gap_event_send(c, &event);
        if (event.authorize.out_response == BLE_GAP_AUTHORIZE_REJECT) {
            *ret_att_error = BLE_ATT_ERR_INSUFFICIENT_AUTHOR;
            return BLE_HS_ATT_ERR(*ret_att_error);
        }
    }
    return 0;
}

int nimble_att_read(struct connection *c, const struct attribute *attribute,
                    uint16_t offset, struct os_mbuf *om, uint8_t *ret_att_error)
{
    if (c != NULL) {
        int rc = nimble_att_permitted(c, attribute, false, ret_att_error);
        if (rc != 0) {
            return rc;
        }
    }
    int error = attribute->access(c, attribute, false, offset, &om);
    if (error != 0) {
        *ret_att_error = (uint8_t)error;
        return BLE_HS_EAPP;
    }
    return 0;
}

int nimble_att_write(struct connection *c, const struct attribute *attribute,
                     uint16_t offset, struct os_mbuf **om, uint8_t *ret_att_error)
{
    if (c != NULL) {
        int rc = nimble_att_permitted(c, attribute, true, ret_att_error);
        if (rc != 0) {
            return rc;
        }
    }
    int error = attribute->access(c, attribute, true, offset, om);
    if (error != 0) {
        *ret_att_error = (uint8_t)error;
        return BLE_HS_EAPP;
    }
    return 0;
}

int ble_att_svr_read_local(uint16_t attr_handle, struct os_mbuf **out_om)
{
    struct nimble *n = nimble_ready(__func__);
    const struct attribute *attribute = gatts_attribute(n, attr_handle);
    uint8_t error = 0;
    if (attribute == NULL) {
        return BLE_HS_ENOENT;
    }
    struct os_mbuf *om = nimble_packet(0);
    if (om == NULL) {
        return BLE_HS_ENOMEM;
    }
    int rc = nimble_att_read(NULL, attribute, 0, om, &error);
    if (rc != 0) {
        os_mbuf_free_chain(om);
        return rc;
    }
    *out_om = om;
    return 0;
}

int ble_att_svr_write_local(uint16_t attr_handle, struct os_mbuf *om)
{
    struct nimble *n = nimble_ready(__func__);
    const struct attribute *attribute = gatts_attribute(n, attr_handle);
    uint8_t error = 0;
    int rc = attribute != NULL ? nimble_att_write(NULL, attribute, 0, &om, &error)
                               : BLE_HS_ENOENT;
    os_mbuf_free_chain(om);
    return rc;
}

static void exchange_mtu(struct connection *c, struct os_mbuf **om)
{
    uint8_t bytes[2];
    uint16_t peer = 0;
    int rc = os_mbuf_copydata(*om, 0, 2, bytes) == 0 ? 0 : BLE_HS_EBADDATA;
    uint8_t error = 0;
    uint16_t before = nimble_att_mtu(c);
    bool exchanged = c->peer_mtu != 0;
    struct os_mbuf *response = *om;
    *om = NULL;
    if (rc == 0) {
        peer = hci_get_le16(bytes);
        os_mbuf_adj(response, OS_MBUF_PKTLEN(response));
        uint8_t *answer = nimble_att_prepare(response, BLE_ATT_OP_MTU_RSP, 2);
        if (answer != NULL) {
            hci_put_le16(answer, c->own_mtu);
        } else {
            rc = BLE_HS_ENOMEM;
            error = BLE_ATT_ERR_INSUFFICIENT_RES;
        }
    }
    rc = nimble_att_respond(c, rc, response, BLE_ATT_OP_MTU_REQ, error, 0);
    if (rc != 0) {
        return;
    }
    c->peer_mtu = peer < BLE_ATT_MTU_DFLT ? BLE_ATT_MTU_DFLT : peer;
    if (!exchanged || nimble_att_mtu(c) != before) {
        struct ble_gap_event event = {.type = BLE_GAP_EVENT_MTU};
        event.mtu.conn_handle = c->handle;
        event.mtu.channel_id = BLE_L2CAP_CID_ATT;
        event.mtu.value = nimble_att_mtu(c);
        gap_event_send(c, &event);
    }
}

/* Read and Read Blob. The response goes into the request's buffers. */
static void read(struct connection *c, struct os_mbuf **om, uint8_t op)
{
    struct nimble *n = nimble_state();
    uint8_t bytes[4] = {0};
    uint16_t size = op == BLE_ATT_OP_READ_REQ ? 2 : 4;
    uint8_t error = 0;
    int rc = os_mbuf_copydata(*om, 0, size, bytes) == 0 ? 0 : BLE_HS_EBADDATA;
    uint16_t handle = hci_get_le16(bytes);
    const struct attribute *attribute = gatts_attribute(n, handle);
    struct os_mbuf *response = *om;
    *om = NULL;
    os_mbuf_adj(response, OS_MBUF_PKTLEN(response));
    if (rc != 0) {
        error = 0; /* too short: no answer */
    } else if (attribute == NULL) {
        rc = BLE_HS_ENOENT;
        error = BLE_ATT_ERR_INVALID_HANDLE;
    } else if (nimble_att_prepare(response, (uint8_t)(op + 1), 0) == NULL) {
        rc = BLE_HS_ENOMEM;
        error = BLE_ATT_ERR_INSUFFICIENT_RES;
    } else {
        rc = nimble_att_read(c, attribute, hci_get_le16(bytes + 2), response, &error);
    }
    nimble_att_respond(c, rc, response, op, error, handle);
}

/* Values are read one after the other into one response, as far as the MTU reaches; the
 * last but one must be of a length that the client knows. */
static void read_multiple(struct connection *c, struct os_mbuf **om)
{
    struct nimble *n = nimble_state();
    struct os_mbuf *response = NULL;
    uint8_t error = 0;
    uint16_t handle = 0;
    uint16_t size = OS_MBUF_PKTLEN(*om);
    int rc = nimble_att_packet(om, &response, &error);
    if (rc == 0 && (size < 4 || size % 2 != 0)) {
        rc = BLE_HS_EBADDATA;
        error = BLE_ATT_ERR_INVALID_PDU;
    }
    if (rc == 0) {
        nimble_att_prepare(response, BLE_ATT_OP_READ_MULT_RSP, 0);
    }
    for (int at = 0; rc == 0 && at + 2 <= size; at += 2) {
        uint8_t bytes[2];
        os_mbuf_copydata(*om, at, 2, bytes);
        handle = hci_get_le16(bytes);
        const struct attribute *attribute = gatts_attribute(n, handle);
        if (attribute == NULL) {
            rc = BLE_HS_ENOENT;
            error = BLE_ATT_ERR_INVALID_HANDLE;
        } else {
            rc = nimble_att_read(c, attribute, 0, response, &error);
        }
    }
    nimble_att_respond(c, rc, response, BLE_ATT_OP_READ_MULT_REQ, error, handle);
}

static void write_request(struct connection *c, struct os_mbuf **om)
{
    struct nimble *n = nimble_state();
    uint8_t bytes[2] = {0};
    uint8_t error = 0;
    struct os_mbuf *response = NULL;
    int rc = os_mbuf_copydata(*om, 0, 2, bytes) == 0 ? 0 : BLE_HS_EBADDATA;
    uint16_t handle = hci_get_le16(bytes);
    if (rc != 0) {
        error = 0; /* too short: no answer */
        response = *om;
        *om = NULL;
    } else {
        rc = nimble_att_packet(om, &response, &error);
    }
    if (rc == 0) {
        const struct attribute *attribute = gatts_attribute(n, handle);
        nimble_att_prepare(response, BLE_ATT_OP_WRITE_RSP, 0);
        os_mbuf_adj(*om, 2);
        if (attribute == NULL) {
            rc = BLE_HS_ENOENT;
            error = BLE_ATT_ERR_INVALID_HANDLE;
        } else {
            rc = nimble_att_write(c, attribute, 0, om, &error);
        }
    }
    nimble_att_respond(c, rc, response, BLE_ATT_OP_WRITE_REQ, error, handle);
}

/* Whatever goes wrong, nobody is told. */
static void write_command(struct connection *c, struct os_mbuf **om)
{
    struct nimble *n = nimble_state();
    uint8_t bytes[2];
    uint8_t error = 0;
    if (n->binding->gatt_caching && (c->client_features & 1) != 0 && !c->aware) {
        return;
    }
    if (os_mbuf_copydata(*om, 0, 2, bytes) != 0) {
        return;
    }
    const struct attribute *attribute = gatts_attribute(n, hci_get_le16(bytes));
    os_mbuf_adj(*om, 2);
    if (attribute != NULL) {
        (void)nimble_att_write(c, attribute, 0, om, &error);
    }
}

/* Robust caching (Vol 3, Part G, 2.5.2.1): the first request of a client that does not
 * know the table is refused, unless it is about its features or the hash. */
static bool out_of_sync(struct connection *c, uint8_t op, const struct os_mbuf *om)
{
    const struct nimble *n = nimble_state();
    uint8_t bytes[2] = {0};
    if (!n->binding->gatt_caching || (c->client_features & 1) == 0 || c->aware) {
        return false;
    }
    bool direct = op == BLE_ATT_OP_READ_REQ || op == BLE_ATT_OP_READ_BLOB_REQ ||
                  op == BLE_ATT_OP_READ_MULT_REQ || op == BLE_ATT_OP_WRITE_REQ ||
                  op == BLE_ATT_OP_PREP_WRITE_REQ || op == BLE_ATT_OP_EXEC_WRITE_REQ;
    os_mbuf_copydata(om, 0, 2, bytes);
    if (!direct || hci_get_le16(bytes) == n->client_features_handle) {
        return false;
    }
    c->aware = true;
    return true;
}

static void unknown_request(struct connection *c, uint8_t op, struct os_mbuf **om)
{
    /* Commands (bit 6) and what only clients get are not answered. */
    bool request = (op & 0x40) == 0;
    struct os_mbuf *response = *om;
    *om = NULL;
    nimble_att_respond(c, BLE_HS_ENOTSUP, response, op,
                       request ? BLE_ATT_ERR_REQ_NOT_SUPPORTED : 0, 0);
}

void nimble_att_input(struct connection *c, struct os_mbuf **om)
{
    uint8_t op = 0;
    if (os_mbuf_copydata(*om, 0, 1, &op) != 0) {
        return;
    }
    os_mbuf_adj(*om, 1);
    if (out_of_sync(c, op, *om)) {
        struct os_mbuf *response = *om;
        uint8_t bytes[2] = {0};
        os_mbuf_copydata(response, 0, 2, bytes);
        *om = NULL;
        nimble_att_respond(c, BLE_HS_EREJECT, response, op, BLE_ATT_ERR_DB_OUT_OF_SYNC,
                           hci_get_le16(bytes));
        return;
    }
    switch (op) {
    case BLE_ATT_OP_MTU_REQ:
        exchange_mtu(c, om);
        break;
    case BLE_ATT_OP_FIND_INFO_REQ:
        nimble_att_find_information(c, om);
        break;
    case BLE_ATT_OP_FIND_TYPE_VALUE_REQ:
        nimble_att_find_by_type_value(c, om);
        break;
    case BLE_ATT_OP_READ_TYPE_REQ:
        nimble_att_read_by_type(c, om);
        break;
    case BLE_ATT_OP_READ_REQ:
    case BLE_ATT_OP_READ_BLOB_REQ:
        read(c, om, op);
        break;
    case BLE_ATT_OP_READ_MULT_REQ:
        read_multiple(c, om);
        break;
    case BLE_ATT_OP_READ_GROUP_TYPE_REQ:
        nimble_att_read_by_group_type(c, om);
        break;
    case BLE_ATT_OP_WRITE_REQ:
        write_request(c, om);
        break;
    case BLE_ATT_OP_WRITE_CMD:
        write_command(c, om);
        break;
    case BLE_ATT_OP_PREP_WRITE_REQ:
        nimble_att_prepare_write(c, om);
        break;
    case BLE_ATT_OP_EXEC_WRITE_REQ:
        nimble_att_execute_write(c, om);
        break;
    case BLE_ATT_OP_INDICATE_RSP:
        gatts_confirmed(c);
        break;
    default:
        unknown_request(c, op, om);
        break;
    }
}
