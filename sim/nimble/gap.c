/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Connections: their coming and going, their parameters, their events. */
#include <string.h>

#include "host/ble_esp_gap.h"
#include "host/ble_l2cap.h"
#include "sim/nimble/nimble.h"

#define DATA_OCTETS_MAX 251
#define DATA_TIME_MAX   17040

struct connection *gap_connection(struct nimble *n, uint16_t handle)
{
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (n->connections[i].used && n->connections[i].handle == handle) {
            return &n->connections[i];
        }
    }
    return NULL;
}

/* Events. */

void gap_event_call(struct nimble *n, struct ble_gap_event *event, ble_gap_event_fn *cb,
                    void *cb_arg)
{
    struct ble_gap_event_listener *listener;
    SLIST_FOREACH(listener, &n->listeners, link)
    {
        listener->fn(event, listener->arg);
    }
    if (cb != NULL) {
        cb(event, cb_arg);
    }
}

void gap_event_send(struct connection *c, struct ble_gap_event *event)
{
    gap_event_call(nimble_state(), event, c->cb, c->cb_arg);
}

int ble_gap_event_listener_register(struct ble_gap_event_listener *listener,
                                    ble_gap_event_fn *fn, void *arg)
{
    struct nimble *n = nimble_ready(__func__);
    struct ble_gap_event_listener *other;
    SLIST_FOREACH(other, &n->listeners, link)
    {
        if (other == listener) {
            return BLE_HS_EALREADY;
        }
    }
    listener->fn = fn;
    listener->arg = arg;
    SLIST_INSERT_HEAD(&n->listeners, listener, link);
    return 0;
}

int ble_gap_event_listener_unregister(struct ble_gap_event_listener *listener)
{
    struct nimble *n = nimble_ready(__func__);
    struct ble_gap_event_listener *other;
    SLIST_FOREACH(other, &n->listeners, link)
    {
        if (other == listener) {
            SLIST_REMOVE(&n->listeners, listener, ble_gap_event_listener, link);
            return 0;
        }
    }
    return BLE_HS_ENOENT;
}

/* Coming and going. */

static struct connection *connection_new(struct nimble *n, uint16_t handle)
{
    for (size_t i = 0; i < n->binding->connections_max; i++) {
        struct connection *c = &n->connections[i];
        if (!c->used) {
            memset(c, 0, sizeof(*c));
            c->used = true;
            c->handle = handle;
            c->channel[0].id = BLE_L2CAP_CID_ATT;
            c->channel[1].id = BLE_L2CAP_CID_SIG;
            c->channel[2].id = BLE_L2CAP_CID_SM;
            STAILQ_INIT(&c->tx);
            SLIST_INIT(&c->prepared);
            c->own_mtu = n->preferred_mtu;
            c->aware = true;
            return c;
        }
    }
    return NULL;
}

static void connection_free(struct nimble *n, struct connection *c)
{
    for (size_t i = 0; i < L2CAP_CHANNELS; i++) {
        nimble_l2cap_discard(c, &c->channel[i]);
    }
    struct os_mbuf_pkthdr *header;
    while ((header = STAILQ_FIRST(&c->tx)) != NULL) {
        STAILQ_REMOVE_HEAD(&c->tx, omp_next);
        os_mbuf_free_chain(OS_MBUF_PKTHDR_TO_MBUF(header));
    }
    nimble_att_prepared_clear(n, &c->prepared);
    /* What was at the controller is gone, and its buffers are free again. */
    n->acl_credits = (uint16_t)(n->acl_credits + c->outstanding);
    c->used = false;
}

static void ask_peer(uint16_t opcode, uint16_t handle)
{
    uint8_t request[2];
    hci_put_le16(request, handle);
    (void)nimble_hci_command(opcode, request, sizeof(request), NULL, 0);
}

/* Since ESP-IDF 5.5 a connection is told only when the peer's version and features are
 * known. Reads and writes of the peer may come before that. */
static void tell_connection(struct connection *c, int status)
{
    struct ble_gap_event event = {.type = BLE_GAP_EVENT_CONNECT};
    event.connect.status = status;
    event.connect.conn_handle = c->handle;
    c->told = true;
    gap_event_send(c, &event);
}

static void tell_established(struct connection *c, int status)
{
    struct ble_gap_event event = {.type = BLE_GAP_EVENT_LINK_ESTAB};
    event.link_estab.status = status;
    event.link_estab.conn_handle = c->handle;
    gap_event_send(c, &event);
}

void gap_connected(struct nimble *n, const uint8_t *p)
{
    struct advertising *advertising = &n->advertising;
    if (p[0] != HCI_SUCCESS) {
        if (p[0] == HCI_ERR_ADVERTISING_TIMEOUT && advertising->active) {
            gap_adv_finished(n, 0);
        }
        return;
    }
    uint16_t handle = hci_get_le16(p + 1);
    if (gap_connection(n, handle) != NULL || !advertising->active) {
        return;
    }
    struct connection *c = connection_new(n, handle);
    if (c == NULL) {
        return;
    }
    c->role = p[3];
    c->peer.type = p[4];
    memcpy(c->peer.val, p + 5, 6);
    c->interval = hci_get_le16(p + 11);
    c->latency = hci_get_le16(p + 13);
    c->timeout = hci_get_le16(p + 15);
    c->clock_accuracy = p[17];
    c->cb = advertising->cb;
    c->cb_arg = advertising->cb_arg;
    c->own_address_type = advertising->own_address_type;
    c->begun_by = *advertising;
    memset(advertising, 0, sizeof(*advertising));
    if (!nimble_since(n, 5, 5)) {
        tell_connection(c, 0);
    }
    ask_peer(nimble_since(n, 5, 4) ? HCI_READ_REMOTE_VERSION
                                   : HCI_LE_READ_REMOTE_FEATURES,
             handle);
}

static void describe(const struct nimble *n, const struct connection *c,
                     struct ble_gap_conn_desc *desc)
{
    memset(desc, 0, sizeof(*desc));
    desc->our_id_addr.type = c->own_address_type & 1;
    memcpy(desc->our_id_addr.val,
           desc->our_id_addr.type == BLE_ADDR_PUBLIC ? n->public_address
                                                     : n->random_address,
           6);
    desc->our_ota_addr = desc->our_id_addr;
    desc->peer_id_addr = c->peer;
    desc->peer_ota_addr = c->peer;
    desc->conn_handle = c->handle;
    desc->conn_itvl = c->interval;
    desc->conn_latency = c->latency;
    desc->supervision_timeout = c->timeout;
    desc->role = c->role;
    desc->master_clock_accuracy = c->clock_accuracy;
}

/* With BT_NIMBLE_ENABLE_CONN_REATTEMPT, the default on all chips but the first, NimBLE
 * tells nothing of the end of a link that never came about, even if it told of its
 * beginning: it advertises again, or means to. */
static bool ends_in_silence(const struct nimble *n, const struct connection *c,
                            int reason)
{
    if (sim_board_chip(n->board)->chip_id == 0 || !n->binding->reattempt) {
        return false;
    }
    return reason == BLE_HS_HCI_ERR(BLE_ERR_CONN_ESTABLISHMENT) ||
           (nimble_since(n, 5, 4) && !c->known &&
            reason == BLE_HS_HCI_ERR(BLE_ERR_CONN_SPVN_TMO));
}

void gap_broken(struct nimble *n, uint16_t handle, int reason)
{
    struct connection *c = gap_connection(n, handle);
    if (c == NULL) {
        return;
    }
    if (ends_in_silence(n, c, reason)) {
        struct advertising before = c->begun_by;
        gatts_disconnected(c);
        connection_free(n, c);
        gap_adv_again(n, &before);
        return;
    }
    struct ble_gap_event event = {.type = BLE_GAP_EVENT_DISCONNECT};
    event.disconnect.reason = reason;
    describe(n, c, &event.disconnect.conn);
    if (c->updating) {
        gap_update_done(c, reason);
    }
    gatts_disconnected(c);
    if (!c->told) {
        /* It failed before it was told: there is no other event. */
        tell_connection(c, BLE_HS_EAGAIN);
        tell_established(c, BLE_HS_EAGAIN);
        connection_free(n, c);
        return;
    }
    ble_gap_event_fn *cb = c->cb;
    void *cb_arg = c->cb_arg;
    connection_free(n, c);
    gap_event_call(n, &event, cb, cb_arg);
}

void gap_reset(struct nimble *n, int reason)
{
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (n->connections[i].used) {
            gap_broken(n, n->connections[i].handle, reason);
        }
    }
    if (n->advertising.active) {
        gap_adv_finished(n, reason);
    }
}

int ble_gap_conn_find(uint16_t handle, struct ble_gap_conn_desc *out_desc)
{
    struct nimble *n = nimble_ready(__func__);
    const struct connection *c = gap_connection(n, handle);
    if (c == NULL) {
        return BLE_HS_ENOTCONN;
    }
    if (out_desc != NULL) {
        describe(n, c, out_desc);
    }
    return 0;
}

int ble_gap_conn_find_by_addr(const ble_addr_t *addr, struct ble_gap_conn_desc *out_desc)
{
    const struct nimble *n = nimble_ready(__func__);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        const struct connection *c = &n->connections[i];
        if (c->used && ble_addr_cmp(&c->peer, addr) == 0) {
            if (out_desc != NULL) {
                describe(n, c, out_desc);
            }
            return 0;
        }
    }
    return BLE_HS_ENOTCONN;
}

int ble_gap_conn_active(void)
{
    return 0; /* never a central */
}

int ble_gap_set_event_cb(uint16_t conn_handle, ble_gap_event_fn *cb, void *cb_arg)
{
    struct connection *c = gap_connection(nimble_ready(__func__), conn_handle);
    if (c == NULL) {
        return BLE_HS_ENOTCONN;
    }
    c->cb = cb;
    c->cb_arg = cb_arg;
    return 0;
}

int ble_gap_terminate(uint16_t conn_handle, uint8_t hci_reason)
{
    struct nimble *n = nimble_ready(__func__);
    if (n->enabled != HOST_ON) {
        return BLE_HS_EDISABLED;
    }
    struct connection *c = gap_connection(n, conn_handle);
    if (c == NULL) {
        return BLE_HS_ENOTCONN;
    }
    if (c->terminating) {
        return BLE_HS_EALREADY;
    }
    uint8_t p[3];
    hci_put_le16(p, conn_handle);
    p[2] = hci_reason;
    int rc = nimble_hci_command(HCI_DISCONNECT, p, sizeof(p), NULL, 0);
    /* The command may have taken so long that the connection went by itself. */
    c = gap_connection(n, conn_handle);
    if (rc == 0 && c != NULL) {
        c->terminating = true;
    }
    return rc;
}

/* Parameters. */

static bool parameters_valid(const struct ble_gap_upd_params *params)
{
    return params != NULL && params->itvl_min >= 6 && params->itvl_max <= 3200 &&
           params->itvl_min <= params->itvl_max && params->latency <= 499 &&
           params->supervision_timeout >= 10 && params->supervision_timeout <= 3200 &&
           params->supervision_timeout * 4u > (1u + params->latency) * params->itvl_max;
}

int ble_gap_update_params(uint16_t conn_handle, const struct ble_gap_upd_params *params)
{
    struct nimble *n = nimble_ready(__func__);
    if (!parameters_valid(params)) {
        return BLE_HS_EINVAL;
    }
    if (n->enabled != HOST_ON) {
        return BLE_HS_EDISABLED;
    }
    struct connection *c = gap_connection(n, conn_handle);
    if (c == NULL) {
        return BLE_HS_ENOTCONN;
    }
    if (c->updating) {
        return BLE_HS_EALREADY;
    }
    int rc;
    if ((c->peer_features & HCI_LE_FEATURE_PARAMETER_REQUEST) == 0) {
        rc = nimble_l2cap_ask_parameters(c, params);
    } else {
        uint8_t p[14];
        hci_put_le16(p, conn_handle);
        hci_put_le16(p + 2, params->itvl_min);
        hci_put_le16(p + 4, params->itvl_max);
        hci_put_le16(p + 6, params->latency);
        hci_put_le16(p + 8, params->supervision_timeout);
        hci_put_le16(p + 10, params->min_ce_len);
        hci_put_le16(p + 12, params->max_ce_len);
        rc = nimble_hci_command(HCI_LE_CONNECTION_UPDATE, p, sizeof(p), NULL, 0);
        c = gap_connection(n, conn_handle);
    }
    if (rc == 0 && c != NULL) {
        c->updating = true;
        c->update = *params;
        c->update_deadline = xTaskGetTickCount() + nimble_ticks(n, UPDATE_TIMEOUT_MS);
        nimble_wake(n);
    }
    return rc;
}

void gap_update_done(struct connection *c, int status)
{
    c->updating = false;
    struct ble_gap_event event = {.type = BLE_GAP_EVENT_CONN_UPDATE};
    event.conn_update.conn_handle = c->handle;
    event.conn_update.status = status;
    gap_event_send(c, &event);
}

void gap_updated(struct nimble *n, const uint8_t *p)
{
    struct connection *c = gap_connection(n, hci_get_le16(p + 1));
    if (c == NULL) {
        return;
    }
    if (p[0] == HCI_SUCCESS) {
        c->interval = hci_get_le16(p + 3);
        c->latency = hci_get_le16(p + 5);
        c->timeout = hci_get_le16(p + 7);
    } else if (p[0] == HCI_ERR_UNSUPPORTED_REMOTE_FEATURE && c->updating &&
               nimble_l2cap_ask_parameters(c, &c->update) == 0) {
        return; /* the older way now */
    }
    gap_update_done(c, BLE_HS_HCI_ERR(p[0]));
}

void gap_parameters_requested(struct nimble *n, const uint8_t *p)
{
    struct connection *c = gap_connection(n, hci_get_le16(p));
    if (c == NULL) {
        return;
    }
    struct ble_gap_upd_params theirs = {.itvl_min = hci_get_le16(p + 2),
                                        .itvl_max = hci_get_le16(p + 4),
                                        .latency = hci_get_le16(p + 6),
                                        .supervision_timeout = hci_get_le16(p + 8)};
    struct ble_gap_upd_params ours = theirs;
    struct ble_gap_event event = {.type = BLE_GAP_EVENT_CONN_UPDATE_REQ};
    event.conn_update_req.conn_handle = c->handle;
    event.conn_update_req.peer_params = &theirs;
    event.conn_update_req.self_params = &ours;
    int refusal = c->cb != NULL ? c->cb(&event, c->cb_arg) : 0;
    uint8_t answer[14] = {p[0], p[1]};
    if (refusal != 0) {
        answer[2] = (uint8_t)refusal;
        (void)nimble_hci_command(HCI_LE_REMOTE_PARAMETER_NEGATIVE_REPLY, answer, 3, NULL,
                                 2);
        return;
    }
    hci_put_le16(answer + 2, ours.itvl_min);
    hci_put_le16(answer + 4, ours.itvl_max);
    hci_put_le16(answer + 6, ours.latency);
    hci_put_le16(answer + 8, ours.supervision_timeout);
    hci_put_le16(answer + 10, ours.min_ce_len);
    hci_put_le16(answer + 12, ours.max_ce_len);
    (void)nimble_hci_command(HCI_LE_REMOTE_PARAMETER_REPLY, answer, sizeof(answer), NULL,
                             2);
}

void gap_version_known(struct nimble *n, const uint8_t *p)
{
    uint16_t handle = hci_get_le16(p + 1);
    if (gap_connection(n, handle) != NULL) {
        ask_peer(HCI_LE_READ_REMOTE_FEATURES, handle);
    }
}

/* After the peer's features are known NimBLE asks, on chips with the VHCI, for the
 * longest data PDUs of itself. */
void gap_features_known(struct nimble *n, const uint8_t *p)
{
    uint16_t handle = hci_get_le16(p + 1);
    struct connection *c = gap_connection(n, handle);
    if (c == NULL || (p[0] != HCI_SUCCESS && c->told)) {
        return;
    }
    c->known = true;
    if (p[0] == HCI_SUCCESS) {
        c->peer_features = hci_get_le64(p + 3);
    }
    if (!c->told) {
        tell_connection(c, p[0]);
    }
    tell_established(c, p[0]);
    if (p[0] == HCI_SUCCESS) {
        (void)ble_hs_hci_util_set_data_len(handle, DATA_OCTETS_MAX, DATA_TIME_MAX);
    }
}

/* Timers. */

static void note(TickType_t *next, TickType_t deadline)
{
    TickType_t left = nimble_due(deadline) ? 0 : deadline - xTaskGetTickCount();
    *next = left < *next ? left : *next;
}

/* A peer that leaves a procedure of ATT or L2CAP unfinished for 30 s is dropped. */
static bool overdue(struct connection *c, TickType_t *next)
{
    bool late = false;
    if (c->rx_waiting) {
        late = late || nimble_due(c->rx_deadline);
        note(next, c->rx_deadline);
    }
    if (!SLIST_EMPTY(&c->prepared)) {
        late = late || nimble_due(c->prepared_deadline);
        note(next, c->prepared_deadline);
    }
    for (size_t i = 0; i < INDICATIONS_MAX; i++) {
        if (c->indication[i].active) {
            late = late || nimble_due(c->indication[i].deadline);
            note(next, c->indication[i].deadline);
        }
    }
    return late;
}

TickType_t gap_timers(struct nimble *n)
{
    TickType_t next = portMAX_DELAY;
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *c = &n->connections[i];
        if (!c->used) {
            continue;
        }
        TickType_t own = portMAX_DELAY;
        if (!c->terminating && overdue(c, &own)) {
            c->rx_waiting = false;
            (void)ble_gap_terminate(c->handle, BLE_ERR_REM_USER_CONN_TERM);
            own = 1;
        }
        if (c->used && c->updating) {
            if (nimble_due(c->update_deadline)) {
                c->updating = false; /* without an event, as NimBLE does */
                c->signalling_id = 0;
            } else {
                note(&own, c->update_deadline);
            }
        }
        next = own < next ? own : next;
    }
    return next;
}
