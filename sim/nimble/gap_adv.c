/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Advertising; and what GAP asks of the controller besides. */
#include <string.h>

#include "sim/nimble/nimble.h"

/* Intervals when the firmware names none (0.625 ms): connectable and not. */
#define FAST_MIN BLE_GAP_ADV_FAST_INTERVAL1_MIN
#define FAST_MAX BLE_GAP_ADV_FAST_INTERVAL1_MAX
#define SLOW_MIN BLE_GAP_ADV_FAST_INTERVAL2_MIN
#define SLOW_MAX BLE_GAP_ADV_FAST_INTERVAL2_MAX

void gap_adv_finished(struct nimble *n, int reason)
{
    ble_gap_event_fn *cb = n->advertising.cb;
    void *cb_arg = n->advertising.cb_arg;
    memset(&n->advertising, 0, sizeof(n->advertising));
    struct ble_gap_event event = {.type = BLE_GAP_EVENT_ADV_COMPLETE};
    event.adv_complete.reason = reason;
    gap_event_call(n, &event, cb, cb_arg);
}

static int enable(uint8_t on)
{
    return nimble_hci_command(HCI_LE_SET_ADV_ENABLE, &on, 1, NULL, 0);
}

TickType_t gap_adv_timer(struct nimble *n)
{
    const struct advertising *advertising = &n->advertising;
    if (!advertising->active || !advertising->limited) {
        return portMAX_DELAY;
    }
    if (!nimble_due(advertising->deadline)) {
        return advertising->deadline - xTaskGetTickCount();
    }
    (void)enable(0);
    gap_adv_finished(n, BLE_HS_ETIMEOUT);
    return 0;
}

static bool connection_free_place(const struct nimble *n)
{
    for (size_t i = 0; i < n->binding->connections_max; i++) {
        if (!n->connections[i].used) {
            return true;
        }
    }
    return false;
}

static int validate(const struct nimble *n, uint8_t own_addr_type,
                    const ble_addr_t *direct_addr,
                    const struct ble_gap_adv_params *params)
{
    if (params == NULL || own_addr_type > BLE_OWN_ADDR_RPA_RANDOM_DEFAULT ||
        params->disc_mode > BLE_GAP_DISC_MODE_GEN) {
        return BLE_HS_EINVAL;
    }
    if (n->advertising.active) {
        return BLE_HS_EALREADY;
    }
    if ((params->itvl_min != 0 && params->itvl_min < BLE_HCI_ADV_ITVL_MIN) ||
        params->itvl_max > BLE_HCI_ADV_ITVL_MAX) {
        return BLE_HS_EINVAL;
    }
    switch (params->conn_mode) {
    case BLE_GAP_CONN_MODE_NON:
        return params->high_duty_cycle ? BLE_HS_EINVAL : 0;
    case BLE_GAP_CONN_MODE_UND:
        if (params->high_duty_cycle) {
            return BLE_HS_EINVAL;
        }
        break;
    case BLE_GAP_CONN_MODE_DIR:
        if (direct_addr == NULL || direct_addr->type > BLE_ADDR_RANDOM_ID) {
            return BLE_HS_EINVAL;
        }
        break;
    default:
        return BLE_HS_EINVAL;
    }
    return connection_free_place(n) ? 0 : BLE_HS_ENOMEM;
}

static uint8_t hci_type(const struct ble_gap_adv_params *params)
{
    if (params->conn_mode == BLE_GAP_CONN_MODE_NON) {
        return params->disc_mode == BLE_GAP_DISC_MODE_NON ? HCI_ADV_NONCONNECTABLE
                                                          : HCI_ADV_SCANNABLE;
    }
    if (params->conn_mode == BLE_GAP_CONN_MODE_UND) {
        return HCI_ADV_CONNECTABLE;
    }
    return params->high_duty_cycle ? HCI_ADV_DIRECTED_HIGH : HCI_ADV_DIRECTED_LOW;
}

static int set_parameters(uint8_t own_addr_type, const ble_addr_t *direct_addr,
                          const struct ble_gap_adv_params *params)
{
    uint8_t p[15] = {0};
    bool slow = params->conn_mode == BLE_GAP_CONN_MODE_NON;
    bool given = params->itvl_min != 0 || params->itvl_max != 0;
    hci_put_le16(p, given ? params->itvl_min : slow ? SLOW_MIN : FAST_MIN);
    hci_put_le16(p + 2, given ? params->itvl_max : slow ? SLOW_MAX : FAST_MAX);
    p[4] = hci_type(params);
    p[5] = own_addr_type;
    if (direct_addr != NULL) {
        p[6] = direct_addr->type;
        memcpy(p + 7, direct_addr->val, 6);
    }
    p[13] = params->channel_map != 0 ? params->channel_map : BLE_GAP_ADV_DFLT_CHANNEL_MAP;
    p[14] = params->filter_policy;
    return nimble_hci_command(HCI_LE_SET_ADV_PARAMETERS, p, sizeof(p), NULL, 0);
}

int ble_gap_adv_start(uint8_t own_addr_type, const ble_addr_t *direct_addr,
                      int32_t duration_ms, const struct ble_gap_adv_params *adv_params,
                      ble_gap_event_fn *cb, void *cb_arg)
{
    struct nimble *n = nimble_ready(__func__);
    if (n->enabled != HOST_ON) {
        return BLE_HS_EDISABLED;
    }
    int rc = validate(n, own_addr_type, direct_addr, adv_params);
    if (rc == 0) {
        rc = id_usable(n, own_addr_type);
    }
    if (rc == 0) {
        rc = set_parameters(own_addr_type, direct_addr, adv_params);
    }
    if (rc != 0) {
        return rc;
    }
    n->advertising = (struct advertising){
        .active = true,
        .limited = duration_ms != BLE_HS_FOREVER,
        .own_address_type = own_addr_type,
        .cb = cb,
        .cb_arg = cb_arg,
    };
    rc = enable(1);
    if (rc != 0) {
        memset(&n->advertising, 0, sizeof(n->advertising));
        return rc;
    }
    if (n->advertising.limited) {
        n->advertising.deadline =
            xTaskGetTickCount() + nimble_ticks(n, (uint32_t)duration_ms);
        nimble_wake(n);
    }
    return 0;
}

void gap_adv_again(struct nimble *n, const struct advertising *before)
{
    if (n->advertising.active && enable(0) == 0) {
        memset(&n->advertising, 0, sizeof(n->advertising));
    }
    if (nimble_since(n, 5, 5)) {
        return; /* it starts without parameters, which is refused */
    }
    n->advertising = *before;
    if (enable(1) != 0) {
        memset(&n->advertising, 0, sizeof(n->advertising));
    }
}

int ble_gap_adv_stop(void)
{
    struct nimble *n = nimble_ready(__func__);
    if (n->enabled != HOST_ON) {
        return BLE_HS_EDISABLED;
    }
    if (!n->advertising.active) {
        return BLE_HS_EALREADY;
    }
    int rc = enable(0);
    if (rc == 0) {
        memset(&n->advertising, 0, sizeof(n->advertising));
    }
    return rc;
}

int ble_gap_adv_active(void)
{
    return nimble_ready(__func__)->advertising.active;
}

static int set_data(uint16_t opcode, const uint8_t *data, int data_len)
{
    uint8_t p[32] = {0};
    if (nimble_ready(__func__)->enabled != HOST_ON) {
        return BLE_HS_EDISABLED;
    }
    if ((data == NULL && data_len != 0) || data_len < 0 ||
        data_len > BLE_HCI_MAX_ADV_DATA_LEN) {
        return BLE_ERR_INV_HCI_CMD_PARMS; /* without the base, as NimBLE does */
    }
    p[0] = (uint8_t)data_len;
    if (data_len > 0) {
        memcpy(p + 1, data, (size_t)data_len);
    }
    return nimble_hci_command(opcode, p, sizeof(p), NULL, 0);
}

int ble_gap_adv_set_data(const uint8_t *data, int data_len)
{
    return set_data(HCI_LE_SET_ADV_DATA, data, data_len);
}

int ble_gap_adv_rsp_set_data(const uint8_t *data, int data_len)
{
    return set_data(HCI_LE_SET_SCAN_RESPONSE_DATA, data, data_len);
}

static int set_fields(uint16_t opcode, const struct ble_hs_adv_fields *fields)
{
    uint8_t data[BLE_HS_ADV_MAX_SZ];
    uint8_t size = 0;
    if (nimble_ready(__func__)->enabled != HOST_ON) {
        return BLE_HS_EDISABLED;
    }
    int rc = ble_hs_adv_set_fields(fields, data, &size, sizeof(data));
    return rc != 0 ? rc : set_data(opcode, data, size);
}

int ble_gap_adv_set_fields(const struct ble_hs_adv_fields *rsp_fields)
{
    return set_fields(HCI_LE_SET_ADV_DATA, rsp_fields);
}

int ble_gap_adv_rsp_set_fields(const struct ble_hs_adv_fields *rsp_fields)
{
    return set_fields(HCI_LE_SET_SCAN_RESPONSE_DATA, rsp_fields);
}

/* Signal strength, security. */

int ble_gap_conn_rssi(uint16_t conn_handle, int8_t *out_rssi)
{
    uint8_t p[2];
    uint8_t results[3];
    hci_put_le16(p, conn_handle);
    int rc = nimble_hci_command(HCI_READ_RSSI, p, sizeof(p), results, sizeof(results));
    if (rc == 0) {
        *out_rssi = (int8_t)results[2];
    }
    return rc;
}

int ble_gap_security_initiate(uint16_t conn_handle)
{
    (void)conn_handle;
    return BLE_HS_ENOTSUP;
}

int ble_gap_unpair(const ble_addr_t *peer_addr)
{
    (void)peer_addr;
    return BLE_HS_ENOENT;
}
