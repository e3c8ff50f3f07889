/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The device's addresses; bonds, of which there are none; the controller's switches. */
#include <string.h>

#include "esp_bt.h"
#include "esp_err.h"
#include "host/util/util.h"
#include "sim/nimble/nimble.h"

static int id_address(struct nimble *n, uint8_t type, const uint8_t **ret_address)
{
    static const uint8_t none[6];
    if (type > BLE_ADDR_RANDOM) {
        return BLE_HS_EINVAL;
    }
    const uint8_t *address =
        type == BLE_ADDR_PUBLIC ? n->public_address : n->random_address;
    if (memcmp(address, none, 6) == 0) {
        return BLE_HS_ENOADDR;
    }
    *ret_address = address;
    return 0;
}

/* Private addresses would need a resolving list: there is none. */
int id_usable(struct nimble *n, uint8_t own_address_type)
{
    const uint8_t *address = NULL;
    if (own_address_type > BLE_OWN_ADDR_RANDOM) {
        return BLE_HS_ENOTSUP;
    }
    return id_address(n, own_address_type, &address);
}

int ble_hs_id_copy_addr(uint8_t id_addr_type, uint8_t *out_id_addr, int *out_is_nrpa)
{
    const uint8_t *address = NULL;
    int rc = id_address(nimble_ready(__func__), id_addr_type, &address);
    if (rc != 0) {
        return rc;
    }
    if (out_is_nrpa != NULL) {
        *out_is_nrpa = id_addr_type == BLE_ADDR_RANDOM && (address[5] & 0xc0) == 0;
    }
    if (out_id_addr != NULL) {
        memcpy(out_id_addr, address, 6);
    }
    return 0;
}

int ble_hs_id_infer_auto(int privacy, uint8_t *out_addr_type)
{
    static const uint8_t types[] = {BLE_OWN_ADDR_RANDOM, BLE_OWN_ADDR_PUBLIC};
    struct nimble *n = nimble_ready(__func__);
    if (privacy != 0) {
        return BLE_HS_ENOTSUP;
    }
    for (size_t i = 0; i < sizeof(types); i++) {
        if (id_usable(n, types[i]) == 0) {
            *out_addr_type = types[i];
            return 0;
        }
    }
    return BLE_HS_ENOADDR;
}

int ble_hs_id_gen_rnd(int nrpa, ble_addr_t *out_addr)
{
    uint8_t random[8];
    int rc = nimble_hci_command(HCI_LE_RAND, NULL, 0, random, sizeof(random));
    if (rc != 0) {
        return rc;
    }
    out_addr->type = BLE_ADDR_RANDOM;
    memcpy(out_addr->val, random, 6);
    out_addr->val[5] =
        (uint8_t)(nrpa != 0 ? out_addr->val[5] & 0x3f : out_addr->val[5] | 0xc0);
    return 0;
}

int ble_hs_id_set_rnd(const uint8_t *rnd_addr)
{
    struct nimble *n = nimble_ready(__func__);
    uint8_t kind = rnd_addr[5] & 0xc0;
    if (kind != 0xc0 && kind != 0x00) {
        return BLE_HS_EINVAL;
    }
    int rc = nimble_hci_command(HCI_LE_SET_RANDOM_ADDRESS, rnd_addr, 6, NULL, 0);
    if (rc == 0) {
        memcpy(n->random_address, rnd_addr, 6);
    }
    return rc;
}

static int ensure_random(void)
{
    ble_addr_t address;
    int rc = ble_hs_id_copy_addr(BLE_ADDR_RANDOM, NULL, NULL);
    if (rc != 0) {
        rc = ble_hs_id_gen_rnd(0, &address);
        if (rc == 0) {
            rc = ble_hs_id_set_rnd(address.val);
        }
    }
    return rc;
}

int ble_hs_util_ensure_addr(int prefer_random)
{
    if (prefer_random != 0) {
        return ensure_random();
    }
    int rc = ble_hs_id_copy_addr(BLE_ADDR_PUBLIC, NULL, NULL);
    return rc == BLE_HS_ENOADDR ? ensure_random() : rc;
}

void ble_store_config_init(void)
{
}

int ble_store_clear(void)
{
    return 0;
}

int ble_store_util_status_rr(struct ble_store_status_event *event, void *arg)
{
    (void)event;
    (void)arg;
    return BLE_HS_ENOTSUP;
}

int ble_store_util_bonded_peers(ble_addr_t *out_peer_id_addrs, int *out_num_peers,
                                int max_peers)
{
    (void)out_peer_id_addrs;
    (void)max_peers;
    *out_num_peers = 0;
    return 0;
}

int ble_store_util_delete_peer(const ble_addr_t *peer_id_addr)
{
    (void)peer_id_addr;
    return BLE_HS_ENOENT;
}

esp_err_t esp_bt_controller_init(esp_bt_controller_config_t *cfg)
{
    struct nimble *n = nimble_state();
    if (cfg == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (n->controller_status != ESP_BT_CONTROLLER_STATUS_IDLE) {
        return ESP_ERR_INVALID_STATE;
    }
    n->controller_status = ESP_BT_CONTROLLER_STATUS_INITED;
    return ESP_OK;
}

esp_err_t esp_bt_controller_enable(esp_bt_mode_t mode)
{
    struct nimble *n = nimble_state();
    if (mode != ESP_BT_MODE_BLE) {
        return ESP_ERR_INVALID_ARG;
    }
    if (n->controller_status != ESP_BT_CONTROLLER_STATUS_INITED) {
        return ESP_ERR_INVALID_STATE;
    }
    n->controller_status = ESP_BT_CONTROLLER_STATUS_ENABLED;
    return ESP_OK;
}

esp_err_t esp_bt_controller_disable(void)
{
    struct nimble *n = nimble_state();
    if (n->controller_status != ESP_BT_CONTROLLER_STATUS_ENABLED) {
        return ESP_ERR_INVALID_STATE;
    }
    n->controller_status = ESP_BT_CONTROLLER_STATUS_INITED;
    return ESP_OK;
}

esp_err_t esp_bt_controller_deinit(void)
{
    struct nimble *n = nimble_state();
    if (n->controller_status != ESP_BT_CONTROLLER_STATUS_INITED) {
        return ESP_ERR_INVALID_STATE;
    }
    n->controller_status = ESP_BT_CONTROLLER_STATUS_IDLE;
    return ESP_OK;
}

esp_bt_controller_status_t esp_bt_controller_get_status(void)
{
    return (esp_bt_controller_status_t)nimble_state()->controller_status;
}

esp_err_t esp_bt_controller_mem_release(esp_bt_mode_t mode)
{
    (void)mode;
    return nimble_state()->controller_status == ESP_BT_CONTROLLER_STATUS_IDLE
               ? ESP_OK
               : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_ble_tx_power_set(esp_ble_power_type_t power_type,
                               esp_power_level_t power_level)
{
    bool valid = power_type < ESP_BLE_PWR_TYPE_NUM && power_level <= ESP_PWR_LVL_P9;
    return valid ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_power_level_t esp_ble_tx_power_get(esp_ble_power_type_t power_type)
{
    (void)power_type;
    return ESP_PWR_LVL_P9; /* the air has no distances */
}
