/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Values sent to clients: notifications, indications, subscriptions; the table's hash. */
#include <assert.h>
#include <string.h>

#include "host/ble_l2cap.h"
#include "sim/nimble/nimble.h"

#define CCCD_NOTIFY   0x01
#define CCCD_INDICATE 0x02
/* Robust caching, EATT (no), multiple notifications: what is understood of a client. */
#define CLIENT_FEATURES_CACHING 0x07
#define CLIENT_FEATURES_PLAIN   0x06
#define HASH_INPUT_MAX          ((size_t)ATTRIBUTES_MAX * 23)

void gatts_subscribed(struct connection *c, uint16_t value_handle, uint8_t reason,
                      uint8_t before, uint8_t after)
{
    if (before == after) {
        return;
    }
    struct ble_gap_event event = {.type = BLE_GAP_EVENT_SUBSCRIBE};
    event.subscribe.conn_handle = c->handle;
    event.subscribe.attr_handle = value_handle;
    event.subscribe.reason = reason;
    event.subscribe.prev_notify = (before & CCCD_NOTIFY) != 0;
    event.subscribe.cur_notify = (after & CCCD_NOTIFY) != 0;
    event.subscribe.prev_indicate = (before & CCCD_INDICATE) != 0;
    event.subscribe.cur_indicate = (after & CCCD_INDICATE) != 0;
    gap_event_send(c, &event);
}

static void tell_sent(uint16_t connection, uint16_t handle, int status, bool indication)
{
    struct connection *c = gap_connection(nimble_state(), connection);
    struct ble_gap_event event = {.type = BLE_GAP_EVENT_NOTIFY_TX};
    if (c == NULL) {
        return;
    }
    event.notify_tx.conn_handle = connection;
    event.notify_tx.attr_handle = handle;
    event.notify_tx.status = status;
    event.notify_tx.indication = indication;
    gap_event_send(c, &event);
}

/* What the access callback gives. */
static int read_value(uint16_t handle, struct os_mbuf **ret_om)
{
    struct nimble *n = nimble_state();
    const struct attribute *attribute = gatts_attribute(n, handle);
    uint8_t error = 0;
    struct os_mbuf *om = ble_hs_mbuf_att_pkt();
    if (om == NULL) {
        return BLE_HS_ENOMEM;
    }
    if (attribute == NULL || nimble_att_read(NULL, attribute, 0, om, &error) != 0) {
        os_mbuf_free_chain(om);
        return BLE_HS_EAPP;
    }
    *ret_om = om;
    return 0;
}

/* Consumes om. */
static int send_value(struct connection *c, uint8_t op, uint16_t handle,
                      struct os_mbuf *om)
{
    int excess = OS_MBUF_PKTLEN(om) + 3 - nimble_att_mtu(c);
    if (excess > 0) {
        os_mbuf_adj(om, -excess);
    }
    om = os_mbuf_prepend_pullup(om, 3);
    if (om == NULL) {
        return BLE_HS_ENOMEM;
    }
    om->om_data[0] = op;
    hci_put_le16(om->om_data + 1, handle);
    return nimble_l2cap_send(c, BLE_L2CAP_CID_ATT, om);
}

static bool client_unaware(const struct connection *c)
{
    return nimble_state()->binding->gatt_caching && !c->aware;
}

int ble_gatts_notify_custom(uint16_t conn_handle, uint16_t att_handle, struct os_mbuf *om)
{
    struct nimble *n = nimble_ready(__func__);
    struct connection *c = gap_connection(n, conn_handle);
    int rc = 0;
    if (c == NULL) {
        rc = BLE_HS_ENOTCONN;
    } else if (client_unaware(c)) {
        rc = BLE_HS_EREJECT;
    } else if (om == NULL) {
        rc = read_value(att_handle, &om);
    }
    if (rc == 0) {
        rc = send_value(c, BLE_ATT_OP_NOTIFY_REQ, att_handle, om);
        om = NULL;
    }
    tell_sent(conn_handle, att_handle, rc, false);
    os_mbuf_free_chain(om);
    return rc;
}

int ble_gatts_indicate_custom(uint16_t conn_handle, uint16_t chr_val_handle,
                              struct os_mbuf *txom)
{
    struct nimble *n = nimble_ready(__func__);
    struct connection *c = gap_connection(n, conn_handle);
    struct indication *place = NULL;
    int rc = c == NULL ? BLE_HS_ENOTCONN : 0;
    for (size_t i = 0; rc == 0 && i < INDICATIONS_MAX && place == NULL; i++) {
        place = c->indication[i].active ? NULL : &c->indication[i];
    }
    if (rc == 0 && place == NULL) {
        rc = BLE_HS_ENOMEM;
    }
    if (rc == 0 && chr_val_handle != n->changed_handle && client_unaware(c)) {
        rc = BLE_HS_EREJECT;
    }
    if (rc == 0 && txom == NULL) {
        rc = read_value(chr_val_handle, &txom);
    }
    if (rc == 0) {
        rc = send_value(c, BLE_ATT_OP_INDICATE_REQ, chr_val_handle, txom);
        txom = NULL;
    }
    if (rc == 0) {
        c->indicated = chr_val_handle;
        *place = (struct indication){.active = true,
                                     .handle = chr_val_handle,
                                     .deadline = xTaskGetTickCount() +
                                                 nimble_ticks(n, ATT_TIMEOUT_MS)};
        nimble_wake(n);
    }
    tell_sent(conn_handle, chr_val_handle, rc, true);
    os_mbuf_free_chain(txom);
    return rc;
}

int ble_gatts_notify(uint16_t conn_handle, uint16_t chr_val_handle)
{
    return ble_gatts_notify_custom(conn_handle, chr_val_handle, NULL);
}

int ble_gatts_indicate(uint16_t conn_handle, uint16_t chr_val_handle)
{
    return ble_gatts_indicate_custom(conn_handle, chr_val_handle, NULL);
}

int ble_gattc_notify_custom(uint16_t conn_handle, uint16_t att_handle, struct os_mbuf *om)
{
    return ble_gatts_notify_custom(conn_handle, att_handle, om);
}

int ble_gattc_indicate_custom(uint16_t conn_handle, uint16_t chr_val_handle,
                              struct os_mbuf *txom)
{
    return ble_gatts_indicate_custom(conn_handle, chr_val_handle, txom);
}

int ble_gattc_notify(uint16_t conn_handle, uint16_t chr_val_handle)
{
    return ble_gatts_notify(conn_handle, chr_val_handle);
}

int ble_gattc_indicate(uint16_t conn_handle, uint16_t chr_val_handle)
{
    return ble_gatts_indicate(conn_handle, chr_val_handle);
}

/* The client confirmed the oldest indication. */
void gatts_confirmed(struct connection *c)
{
    const struct nimble *n = nimble_state();
    for (size_t i = 0; i < INDICATIONS_MAX; i++) {
        struct indication *indication = &c->indication[i];
        if (indication->active) {
            indication->active = false;
            if (indication->handle == n->changed_handle) {
                c->aware = true;
            }
            c->indicated = 0;
            tell_sent(c->handle, indication->handle, BLE_HS_EDONE, true);
            return;
        }
    }
}

void ble_gatts_chr_updated(uint16_t chr_val_handle)
{
    struct nimble *n = nimble_ready(__func__);
    for (uint16_t i = 0; i < n->cccds_count; i++) {
        for (size_t k = 0; k < CONNECTIONS_MAX; k++) {
            if (n->cccds[i].value_handle == chr_val_handle && n->connections[k].used) {
                n->connections[k].cccd_modified[i] = true;
            }
        }
    }
    nimble_wake(n);
}

static void send_modified(struct nimble *n, struct connection *c, uint16_t i)
{
    uint16_t handle = n->cccds[i].value_handle;
    if ((c->cccd_flags[i] & CCCD_NOTIFY) != 0) {
        c->cccd_modified[i] = false;
        (void)ble_gatts_notify(c->handle, handle);
    } else if ((c->cccd_flags[i] & CCCD_INDICATE) != 0) {
        if (c->indicated == 0) { /* else after the one under way */
            c->cccd_modified[i] = false;
            (void)ble_gatts_indicate(c->handle, handle);
        }
    } else {
        c->cccd_modified[i] = false;
    }
}

void gatts_send_modified(struct nimble *n)
{
    for (size_t k = 0; k < CONNECTIONS_MAX; k++) {
        struct connection *c = &n->connections[k];
        for (uint16_t i = 0; i < n->cccds_count && c->used; i++) {
            if (c->cccd_modified[i]) {
                send_modified(n, c, i);
            }
        }
    }
}

void gatts_disconnected(struct connection *c)
{
    const struct nimble *n = nimble_state();
    for (size_t i = 0; i < INDICATIONS_MAX; i++) {
        if (c->indication[i].active) {
            c->indication[i].active = false;
            tell_sent(c->handle, c->indication[i].handle, BLE_HS_ENOTCONN, true);
        }
    }
    for (uint16_t i = 0; i < n->cccds_count; i++) {
        uint8_t before = c->cccd_flags[i];
        c->cccd_flags[i] = 0;
        gatts_subscribed(c, n->cccds[i].value_handle, BLE_GAP_SUBSCRIBE_REASON_TERM,
                         before, 0);
    }
}

int ble_gatts_peer_cl_sup_feat_get(uint16_t conn_handle, uint8_t *out_supported_feat,
                                   uint8_t len)
{
    const struct connection *c = gap_connection(nimble_ready(__func__), conn_handle);
    if (c == NULL) {
        return BLE_HS_ENOTCONN;
    }
    if (out_supported_feat == NULL || len == 0) {
        return BLE_HS_EINVAL;
    }
    out_supported_feat[0] = c->client_features;
    return 0;
}

int ble_gatts_peer_cl_sup_feat_update(uint16_t conn_handle, struct os_mbuf *om)
{
    const struct nimble *n = nimble_ready(__func__);
    struct connection *c = gap_connection(nimble_ready(__func__), conn_handle);
    uint8_t features = 0;
    if (om == NULL || os_mbuf_copydata(om, 0, 1, &features) != 0) {
        return om == NULL ? BLE_ATT_ERR_INSUFFICIENT_RES : BLE_ATT_ERR_UNLIKELY;
    }
    if (c == NULL) {
        return BLE_ATT_ERR_UNLIKELY;
    }
    features &=
        n->binding->gatt_caching ? CLIENT_FEATURES_CACHING : CLIENT_FEATURES_PLAIN;
    if ((c->client_features & features) != c->client_features) {
        return BLE_ATT_ERR_VALUE_NOT_ALLOWED; /* what was set stays set */
    }
    c->client_features = features;
    return 0;
}

/* Core Specification, Vol 3, Part G, 7.3.1: declarations with their values, descriptors
 * that the profile defines without. */
static size_t hash_entry(uint8_t *target, const struct attribute *attribute)
{
    uint16_t type = ble_uuid_u16(attribute->uuid);
    uint8_t error = 0;
    if (type < 0x2800 || type > 0x2905 || (type > 0x2803 && type < 0x2900)) {
        return 0;
    }
    hci_put_le16(target, attribute->handle);
    hci_put_le16(target + 2, type);
    if (type >= 0x2900) {
        return 4;
    }
    struct os_mbuf *om = nimble_packet(0);
    uint16_t size = 0;
    if (om != NULL && nimble_att_read(NULL, attribute, 0, om, &error) == 0) {
        size = OS_MBUF_PKTLEN(om);
        assert(size <= 19);
        os_mbuf_copydata(om, 0, size, target + 4);
    }
    os_mbuf_free_chain(om);
    return 4u + size;
}

int ble_gatts_calculate_hash(uint8_t *out_hash_key)
{
    const struct nimble *n = nimble_ready(__func__);
    static const uint8_t key[16];
    uint8_t mac[16];
    uint8_t *input = sim_runtime_malloc(HASH_INPUT_MAX);
    size_t size = 0;
    if (input == NULL) {
        return BLE_HS_ENOMEM;
    }
    for (uint16_t i = 0; i < n->attributes_count; i++) {
        if (!n->attributes[i].hidden) {
            size += hash_entry(input + size, &n->attributes[i]);
        }
    }
    int rc = nimble_cmac(key, input, size, mac);
    sim_runtime_free(input);
    for (size_t i = 0; rc == 0 && i < sizeof(mac); i++) {
        out_hash_key[i] = mac[sizeof(mac) - 1 - i];
    }
    return rc == 0 ? 0 : BLE_HS_EUNKNOWN;
}
