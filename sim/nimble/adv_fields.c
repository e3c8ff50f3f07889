/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Advertising data by fields (Core Specification Supplement, Part A). */
#include <string.h>

#include "sim/nimble/nimble.h"

struct writer {
    uint8_t *target;
    uint8_t size;
    uint8_t max;
    int rc;
};

/* Starts a field of size bytes; NULL when it does not fit any more. */
static uint8_t *field(struct writer *w, uint8_t type, unsigned size)
{
    if (w->rc != 0 || w->size + 2 + size > w->max) {
        w->rc = w->rc != 0 ? w->rc : BLE_HS_EMSGSIZE;
        return NULL;
    }
    uint8_t *at = w->target + w->size;
    at[0] = (uint8_t)(size + 1);
    at[1] = type;
    w->size = (uint8_t)(w->size + 2 + size);
    return at + 2;
}

static void put_bytes(struct writer *w, uint8_t type, const void *bytes, unsigned size)
{
    uint8_t *at = bytes != NULL && size > 0 ? field(w, type, size) : NULL;
    if (at != NULL) {
        memcpy(at, bytes, size);
    }
}

static void put_uuids16(struct writer *w, uint8_t type, const ble_uuid16_t *uuids,
                        uint8_t count)
{
    uint8_t *at = uuids != NULL && count > 0 ? field(w, type, count * 2u) : NULL;
    for (size_t i = 0; at != NULL && i < count; i++) {
        hci_put_le16(at + i * 2, uuids[i].value);
    }
}

static void put_uuids32(struct writer *w, uint8_t type, const ble_uuid32_t *uuids,
                        uint8_t count)
{
    uint8_t *at = uuids != NULL && count > 0 ? field(w, type, count * 4u) : NULL;
    for (size_t i = 0; at != NULL && i < count; i++) {
        hci_put_le32(at + i * 4, uuids[i].value);
    }
}

static void put_uuids128(struct writer *w, uint8_t type, const ble_uuid128_t *uuids,
                         uint8_t count)
{
    uint8_t *at = uuids != NULL && count > 0 ? field(w, type, count * 16u) : NULL;
    for (size_t i = 0; at != NULL && i < count; i++) {
        memcpy(at + i * 16, uuids[i].value, 16);
    }
}

static void put_tx_power(struct writer *w, int8_t level)
{
    if (level == BLE_HS_ADV_TX_PWR_LVL_AUTO) {
        int rc = nimble_hci_command(HCI_LE_READ_ADV_TX_POWER, NULL, 0, &level, 1);
        w->rc = w->rc != 0 ? w->rc : rc;
    }
    put_bytes(w, BLE_HS_ADV_TYPE_TX_PWR_LVL, &level, 1);
}

static void put_16(struct writer *w, uint8_t type, uint16_t value)
{
    uint8_t bytes[2];
    hci_put_le16(bytes, value);
    put_bytes(w, type, bytes, sizeof(bytes));
}

static void put_first_fields(struct writer *w, const struct ble_hs_adv_fields *f)
{
    if (f->flags != 0) {
        put_bytes(w, BLE_HS_ADV_TYPE_FLAGS, &f->flags, 1);
    }
    put_uuids16(w,
                f->uuids16_is_complete ? BLE_HS_ADV_TYPE_COMP_UUIDS16
                                       : BLE_HS_ADV_TYPE_INCOMP_UUIDS16,
                f->uuids16, f->num_uuids16);
    put_uuids32(w,
                f->uuids32_is_complete ? BLE_HS_ADV_TYPE_COMP_UUIDS32
                                       : BLE_HS_ADV_TYPE_INCOMP_UUIDS32,
                f->uuids32, f->num_uuids32);
    put_uuids128(w,
                 f->uuids128_is_complete ? BLE_HS_ADV_TYPE_COMP_UUIDS128
                                         : BLE_HS_ADV_TYPE_INCOMP_UUIDS128,
                 f->uuids128, f->num_uuids128);
    put_bytes(
        w, f->name_is_complete ? BLE_HS_ADV_TYPE_COMP_NAME : BLE_HS_ADV_TYPE_INCOMP_NAME,
        f->name, f->name_len);
    if (f->tx_pwr_lvl_is_present) {
        put_tx_power(w, f->tx_pwr_lvl);
    }
}

static void put_other_fields(struct writer *w, const struct ble_hs_adv_fields *f)
{
    if (f->sm_tk_value_is_present) {
        put_bytes(w, BLE_HS_ADV_TYPE_SEC_MGR_TK_VALUE, f->sm_tk_value, 16);
    }
    if (f->sm_oob_flag_is_present) {
        put_bytes(w, BLE_HS_ADV_TYPE_SEC_MGR_OOB_FLAG, &f->sm_oob_flag, 1);
    }
    put_bytes(w, BLE_HS_ADV_TYPE_SLAVE_ITVL_RANGE, f->slave_itvl_range,
              BLE_HS_ADV_SLAVE_ITVL_RANGE_LEN);
    put_uuids16(w, BLE_HS_ADV_TYPE_SOL_UUIDS16, f->sol_uuids16, f->sol_num_uuids16);
    put_uuids128(w, BLE_HS_ADV_TYPE_SOL_UUIDS128, f->sol_uuids128, f->sol_num_uuids128);
    put_bytes(w, BLE_HS_ADV_TYPE_SVC_DATA_UUID16, f->svc_data_uuid16,
              f->svc_data_uuid16_len);
    put_bytes(w, BLE_HS_ADV_TYPE_PUBLIC_TGT_ADDR, f->public_tgt_addr,
              f->num_public_tgt_addrs * 6u);
    put_bytes(w, BLE_HS_ADV_TYPE_RANDOM_TGT_ADDR, f->random_tgt_addr,
              f->num_random_tgt_addrs * 6u);
    if (f->appearance_is_present) {
        put_16(w, BLE_HS_ADV_TYPE_APPEARANCE, f->appearance);
    }
    if (f->adv_itvl_is_present) {
        put_16(w, BLE_HS_ADV_TYPE_ADV_ITVL, f->adv_itvl);
    }
    if (f->device_addr != NULL) {
        uint8_t address[7];
        memcpy(address, f->device_addr, 6);
        address[6] = (uint8_t)f->device_addr_type;
        put_bytes(w, BLE_HS_ADV_TYPE_DEVICE_ADDR, address, sizeof(address));
    }
    if (f->le_role_is_present) {
        put_bytes(w, BLE_HS_ADV_TYPE_LE_ROLE, &f->le_role, 1);
    }
    put_uuids32(w, BLE_HS_ADV_TYPE_SOL_UUIDS32, f->sol_uuids32, f->sol_num_uuids32);
    put_bytes(w, BLE_HS_ADV_TYPE_SVC_DATA_UUID32, f->svc_data_uuid32,
              f->svc_data_uuid32_len);
    put_bytes(w, BLE_HS_ADV_TYPE_SVC_DATA_UUID128, f->svc_data_uuid128,
              f->svc_data_uuid128_len);
    put_bytes(w, BLE_HS_ADV_TYPE_URI, f->uri, f->uri_len);
    if (f->mfg_data_len >= 2) {
        put_bytes(w, BLE_HS_ADV_TYPE_MFG_DATA, f->mfg_data, f->mfg_data_len);
    }
}

int ble_hs_adv_set_fields(const struct ble_hs_adv_fields *adv_fields, uint8_t *dst,
                          uint8_t *dst_len, uint8_t max_len)
{
    struct writer w = {.target = dst, .max = max_len};
    put_first_fields(&w, adv_fields);
    put_other_fields(&w, adv_fields);
    if (w.rc == 0 && dst_len != NULL) {
        *dst_len = w.size;
    }
    return w.rc;
}

int ble_hs_adv_set_fields_mbuf(const struct ble_hs_adv_fields *adv_fields,
                               struct os_mbuf *om)
{
    uint8_t bytes[255];
    uint8_t size = 0;
    int rc = ble_hs_adv_set_fields(adv_fields, bytes, &size, sizeof(bytes));
    if (rc == 0 && os_mbuf_append(om, bytes, size) != 0) {
        rc = BLE_HS_ENOMEM;
    }
    return rc;
}

int ble_hs_adv_parse(const uint8_t *data, uint8_t length, ble_hs_adv_parse_func_t func,
                     void *user_data)
{
    while (length > 1) {
        const struct ble_hs_adv_field *at = (const void *)data;
        if (at->length >= length) {
            return BLE_HS_EBADDATA;
        }
        if (func(at, user_data) == 0) {
            return 0; /* the caller has what it wanted */
        }
        length = (uint8_t)(length - 1 - at->length);
        data += 1 + at->length;
    }
    return 0;
}

/* The fields that a peripheral's firmware looks for in its own advertisement: flags,
 * name, TX power, appearance, manufacturer data. */
int ble_hs_adv_parse_fields(struct ble_hs_adv_fields *adv_fields, const uint8_t *src,
                            uint8_t src_len)
{
    memset(adv_fields, 0, sizeof(*adv_fields));
    while (src_len > 1) {
        uint8_t size = src[0];
        if (size == 0 || size >= src_len) {
            return BLE_HS_EBADDATA;
        }
        const uint8_t *value = src + 2;
        uint8_t value_size = (uint8_t)(size - 1);
        switch (src[1]) {
        case BLE_HS_ADV_TYPE_FLAGS:
            adv_fields->flags = value_size > 0 ? value[0] : 0;
            break;
        case BLE_HS_ADV_TYPE_INCOMP_NAME:
        case BLE_HS_ADV_TYPE_COMP_NAME:
            adv_fields->name = value;
            adv_fields->name_len = value_size;
            adv_fields->name_is_complete = src[1] == BLE_HS_ADV_TYPE_COMP_NAME;
            break;
        case BLE_HS_ADV_TYPE_TX_PWR_LVL:
            adv_fields->tx_pwr_lvl = (int8_t)(value_size > 0 ? value[0] : 0);
            adv_fields->tx_pwr_lvl_is_present = 1;
            break;
        case BLE_HS_ADV_TYPE_APPEARANCE:
            adv_fields->appearance = value_size >= 2 ? hci_get_le16(value) : 0;
            adv_fields->appearance_is_present = 1;
            break;
        case BLE_HS_ADV_TYPE_MFG_DATA:
            adv_fields->mfg_data = value;
            adv_fields->mfg_data_len = value_size;
            break;
        default:
            break;
        }
        src_len = (uint8_t)(src_len - 1 - size);
        src += 1 + size;
    }
    return 0;
}
