/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Data length and PHY of a connection. */
#include "host/ble_esp_gap.h"
#include "sim/nimble/nimble.h"

#define PHYS_MASK \
    (BLE_GAP_LE_PHY_1M_MASK | BLE_GAP_LE_PHY_2M_MASK | BLE_GAP_LE_PHY_CODED_MASK)

int ble_hs_hci_util_set_data_len(uint16_t conn_handle, uint16_t tx_octets,
                                 uint16_t tx_time)
{
    uint8_t p[6];
    if (tx_octets < BLE_HCI_SET_DATALEN_TX_OCTETS_MIN ||
        tx_octets > BLE_HCI_SET_DATALEN_TX_OCTETS_MAX ||
        tx_time < BLE_HCI_SET_DATALEN_TX_TIME_MIN ||
        tx_time > BLE_HCI_SET_DATALEN_TX_TIME_MAX) {
        return BLE_HS_EINVAL;
    }
    hci_put_le16(p, conn_handle);
    hci_put_le16(p + 2, tx_octets);
    hci_put_le16(p + 4, tx_time);
    return nimble_hci_command(HCI_LE_SET_DATA_LENGTH, p, sizeof(p), NULL, 2);
}

int ble_hs_hci_util_read_sugg_def_data_len(uint16_t *out_sugg_max_tx_octets,
                                           uint16_t *out_sugg_max_tx_time)
{
    uint8_t results[4];
    int rc = nimble_hci_command(HCI_LE_READ_DEFAULT_DATA_LENGTH, NULL, 0, results, 4);
    if (rc == 0) {
        *out_sugg_max_tx_octets = hci_get_le16(results);
        *out_sugg_max_tx_time = hci_get_le16(results + 2);
    }
    return rc;
}

int ble_gap_read_sugg_def_data_len(uint16_t *out_sugg_max_tx_octets,
                                   uint16_t *out_sugg_max_tx_time)
{
    return ble_hs_hci_util_read_sugg_def_data_len(out_sugg_max_tx_octets,
                                                  out_sugg_max_tx_time);
}

int ble_hs_hci_util_write_sugg_def_data_len(uint16_t sugg_max_tx_octets,
                                            uint16_t sugg_max_tx_time)
{
    uint8_t p[4];
    if (sugg_max_tx_octets < BLE_HCI_SET_DATALEN_TX_OCTETS_MIN ||
        sugg_max_tx_octets > BLE_HCI_SUGG_DEF_DATALEN_TX_OCTETS_MAX ||
        sugg_max_tx_time < BLE_HCI_SET_DATALEN_TX_TIME_MIN ||
        sugg_max_tx_time > BLE_HCI_SUGG_DEF_DATALEN_TX_TIME_MAX) {
        return BLE_HS_EINVAL;
    }
    hci_put_le16(p, sugg_max_tx_octets);
    hci_put_le16(p + 2, sugg_max_tx_time);
    return nimble_hci_command(HCI_LE_WRITE_DEFAULT_DATA_LENGTH, p, sizeof(p), NULL, 0);
}

int ble_gap_write_sugg_def_data_len(uint16_t sugg_max_tx_octets,
                                    uint16_t sugg_max_tx_time)
{
    return ble_hs_hci_util_write_sugg_def_data_len(sugg_max_tx_octets, sugg_max_tx_time);
}

static void tell_data_length(struct connection *c)
{
    struct ble_gap_event event = {.type = BLE_GAP_EVENT_DATA_LEN_CHG};
    event.data_len_chg.conn_handle = c->handle;
    event.data_len_chg.max_tx_octets = c->tx_octets;
    event.data_len_chg.max_tx_time = c->tx_time;
    event.data_len_chg.max_rx_octets = c->rx_octets;
    event.data_len_chg.max_rx_time = c->rx_time;
    gap_event_send(c, &event);
}

void gap_data_length_changed(struct nimble *n, const uint8_t *p)
{
    struct connection *c = gap_connection(n, hci_get_le16(p));
    if (c == NULL) {
        return;
    }
    c->tx_octets = hci_get_le16(p + 2);
    c->tx_time = hci_get_le16(p + 4);
    c->rx_octets = hci_get_le16(p + 6);
    c->rx_time = hci_get_le16(p + 8);
    tell_data_length(c);
}

int ble_gap_set_data_len(uint16_t conn_handle, uint16_t tx_octets, uint16_t tx_time)
{
    struct nimble *n = nimble_ready(__func__);
    struct connection *c = gap_connection(n, conn_handle);
    if (c != NULL && nimble_since(n, 5, 4) && c->tx_octets == tx_octets &&
        c->tx_time == tx_time) {
        /* The controller would say nothing. The event comes in the caller's task. */
        tell_data_length(c);
        return 0;
    }
    return ble_hs_hci_util_set_data_len(conn_handle, tx_octets, tx_time);
}

void gap_phy_updated(struct nimble *n, const uint8_t *p)
{
    struct connection *c = gap_connection(n, hci_get_le16(p + 1));
    if (c == NULL) {
        return;
    }
    struct ble_gap_event event = {.type = BLE_GAP_EVENT_PHY_UPDATE_COMPLETE};
    event.phy_updated.status = BLE_HS_HCI_ERR(p[0]);
    event.phy_updated.conn_handle = c->handle;
    event.phy_updated.tx_phy = p[3];
    event.phy_updated.rx_phy = p[4];
    gap_event_send(c, &event);
}

int ble_gap_read_le_phy(uint16_t conn_handle, uint8_t *tx_phy, uint8_t *rx_phy)
{
    uint8_t p[2];
    uint8_t results[4];
    if (gap_connection(nimble_ready(__func__), conn_handle) == NULL) {
        return BLE_HS_ENOTCONN;
    }
    hci_put_le16(p, conn_handle);
    int rc = nimble_hci_command(HCI_LE_READ_PHY, p, sizeof(p), results, 4);
    if (rc == 0) {
        *tx_phy = results[2];
        *rx_phy = results[3];
    }
    return rc;
}

/* all_phys, and the masks that it leaves: a mask of 0 is no preference. NimBLE refuses
 * its own BLE_GAP_LE_PHY_ANY_MASK. */
static int put_phys(uint8_t *p, uint8_t tx_phys_mask, uint8_t rx_phys_mask)
{
    if (tx_phys_mask > PHYS_MASK || rx_phys_mask > PHYS_MASK) {
        return BLE_ERR_INV_HCI_CMD_PARMS;
    }
    p[0] = (uint8_t)((tx_phys_mask == 0 ? 1 : 0) | (rx_phys_mask == 0 ? 2 : 0));
    p[1] = tx_phys_mask;
    p[2] = rx_phys_mask;
    return 0;
}

int ble_gap_set_prefered_default_le_phy(uint8_t tx_phys_mask, uint8_t rx_phys_mask)
{
    uint8_t p[3];
    int rc = put_phys(p, tx_phys_mask, rx_phys_mask);
    return rc != 0 ? rc
                   : nimble_hci_command(HCI_LE_SET_DEFAULT_PHY, p, sizeof(p), NULL, 0);
}

int ble_gap_set_prefered_le_phy(uint16_t conn_handle, uint8_t tx_phys_mask,
                                uint8_t rx_phys_mask, uint16_t phy_opts)
{
    uint8_t p[7];
    if (gap_connection(nimble_ready(__func__), conn_handle) == NULL) {
        return BLE_HS_ENOTCONN;
    }
    if (phy_opts > BLE_GAP_LE_PHY_CODED_S8) {
        return BLE_ERR_INV_HCI_CMD_PARMS;
    }
    hci_put_le16(p, conn_handle);
    hci_put_le16(p + 5, phy_opts);
    int rc = put_phys(p + 2, tx_phys_mask, rx_phys_mask);
    return rc != 0 ? rc : nimble_hci_command(HCI_LE_SET_PHY, p, sizeof(p), NULL, 0);
}
