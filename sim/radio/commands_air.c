/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * HCI commands for advertising, scanning and connecting. */
#include <string.h>

#include "sim/radio/commands.h"

/* Advertising. */

void command_le_set_random_address(sim_controller_t *controller, const uint8_t *p,
                                   struct answer *answer)
{
    if (controller->advertiser.enabled || controller->scanner.enabled ||
        controller->initiator.enabled) {
        answer->status = HCI_ERR_COMMAND_DISALLOWED;
        return;
    }
    memcpy(controller->random_address, p, 6);
}

void command_le_set_adv_parameters(sim_controller_t *controller, const uint8_t *p,
                                   struct answer *answer)
{
    struct advertiser *advertiser = &controller->advertiser;
    uint16_t interval_min = hci_get_le16(p);
    uint16_t interval_max = hci_get_le16(p + 2);
    uint8_t type = p[4];
    bool high_duty = type == HCI_ADV_DIRECTED_HIGH;
    if (advertiser->enabled) {
        answer->status = HCI_ERR_COMMAND_DISALLOWED;
        return;
    }
    if (type > HCI_ADV_DIRECTED_LOW || p[5] > HCI_ADDRESS_RANDOM || p[13] == 0 ||
        (p[13] & ~0x07) != 0 ||
        (!high_duty &&
         (interval_min < 0x20 || interval_max > 0x4000 || interval_min > interval_max))) {
        answer->status = HCI_ERR_INVALID_PARAMETERS;
        return;
    }
    if (p[14] != 0) {
        answer->status = HCI_ERR_UNSUPPORTED_FEATURE; /* no filter accept list */
        return;
    }
    advertiser->interval = interval_min;
    advertiser->type = type;
    advertiser->own_address_type = p[5];
    advertiser->peer_address_type = p[6];
    memcpy(advertiser->peer_address, p + 7, 6);
}

void command_le_read_adv_tx_power(sim_controller_t *controller, const uint8_t *p,
                                  struct answer *answer)
{
    (void)controller;
    (void)p;
    const int8_t dbm = 9;
    answer_put(answer, &dbm, 1);
}

static void set_data(uint8_t *target, uint8_t *target_size, const uint8_t *p,
                     struct answer *answer)
{
    if (p[0] > 31) {
        answer->status = HCI_ERR_INVALID_PARAMETERS;
        return;
    }
    *target_size = p[0];
    memcpy(target, p + 1, p[0]);
}

void command_le_set_adv_data(sim_controller_t *controller, const uint8_t *p,
                             struct answer *answer)
{
    set_data(controller->advertiser.data, &controller->advertiser.data_size, p, answer);
}

void command_le_set_scan_response_data(sim_controller_t *controller, const uint8_t *p,
                                       struct answer *answer)
{
    set_data(controller->advertiser.response, &controller->advertiser.response_size, p,
             answer);
}

void command_le_set_adv_enable(sim_controller_t *controller, const uint8_t *p,
                               struct answer *answer)
{
    const struct advertiser *advertiser = &controller->advertiser;
    static const uint8_t none[6];
    if (p[0] > 1) {
        answer->status = HCI_ERR_INVALID_PARAMETERS;
    } else if (p[0] == 0) {
        advertiser_stop(controller);
    } else if (advertiser->own_address_type == HCI_ADDRESS_RANDOM &&
               memcmp(controller->random_address, none, 6) == 0) {
        answer->status = HCI_ERR_INVALID_PARAMETERS;
    } else if (advertiser->type != HCI_ADV_NONCONNECTABLE &&
               advertiser->type != HCI_ADV_SCANNABLE &&
               controller_links(controller) >= controller->config.connections_max) {
        answer->status = HCI_ERR_CONNECTION_LIMIT;
    } else if (!advertiser->enabled) {
        advertiser_start(controller);
    }
}

/* Scanning and connecting. */

void command_le_set_scan_parameters(sim_controller_t *controller, const uint8_t *p,
                                    struct answer *answer)
{
    struct scanner *scanner = &controller->scanner;
    uint16_t interval = hci_get_le16(p + 1);
    uint16_t window = hci_get_le16(p + 3);
    if (scanner->enabled) {
        answer->status = HCI_ERR_COMMAND_DISALLOWED;
    } else if (p[0] > 1 || interval < 4 || interval > 0x4000 || window < 4 ||
               window > interval || p[5] > HCI_ADDRESS_RANDOM) {
        answer->status = HCI_ERR_INVALID_PARAMETERS;
    } else if (p[6] != 0) {
        answer->status = HCI_ERR_UNSUPPORTED_FEATURE;
    } else {
        scanner->active = p[0] == 1;
        scanner->interval = interval;
        scanner->window = window;
    }
}

void command_le_set_scan_enable(sim_controller_t *controller, const uint8_t *p,
                                struct answer *answer)
{
    struct scanner *scanner = &controller->scanner;
    if (p[0] > 1 || p[1] > 1) {
        answer->status = HCI_ERR_INVALID_PARAMETERS;
        return;
    }
    if (scanner->interval == 0) { /* the defaults of LE Set Scan Parameters */
        scanner->interval = 0x10;
        scanner->window = 0x10;
    }
    scanner->enabled = p[0] == 1;
    scanner->filter_duplicates = p[1] == 1;
    scanner->seen_count = 0;
}

static bool connected_to(const sim_controller_t *controller, uint8_t type,
                         const uint8_t *address)
{
    for (size_t i = 0; i < CONTROLLER_LINKS_MAX; i++) {
        struct side *side = controller->sides[i];
        const sim_controller_t *peer = side != NULL ? side_peer(side)->controller : NULL;
        if (peer != NULL && memcmp(controller_own_address(peer, type), address, 6) == 0) {
            return true;
        }
    }
    return false;
}

void command_le_create_connection(sim_controller_t *controller, const uint8_t *p,
                                  struct answer *answer)
{
    struct initiator *initiator = &controller->initiator;
    uint16_t interval_min = hci_get_le16(p + 13);
    uint16_t interval_max = hci_get_le16(p + 15);
    uint16_t latency = hci_get_le16(p + 17);
    uint16_t timeout = hci_get_le16(p + 19);
    if (initiator->enabled) {
        answer->status = HCI_ERR_COMMAND_DISALLOWED;
    } else if (p[4] != 0) {
        answer->status = HCI_ERR_UNSUPPORTED_FEATURE;
    } else if (p[5] > HCI_ADDRESS_RANDOM || p[12] > HCI_ADDRESS_RANDOM ||
               !command_parameters_valid(interval_min, interval_max, latency, timeout)) {
        answer->status = HCI_ERR_INVALID_PARAMETERS;
    } else if (connected_to(controller, p[5], p + 6)) {
        answer->status = HCI_ERR_CONNECTION_EXISTS;
    } else if (controller_links(controller) >= controller->config.connections_max) {
        answer->status = HCI_ERR_CONNECTION_LIMIT;
    } else if (advertiser_rejects(controller->air, p[5], p + 6)) {
        answer->status = HCI_ERR_LIMITED_RESOURCES;
    } else {
        initiator->enabled = true;
        initiator->peer_address_type = p[5];
        memcpy(initiator->peer_address, p + 6, 6);
        initiator->own_address_type = p[12];
        initiator->parameters = (struct connection_parameters){
            .interval = interval_max, .latency = latency, .timeout = timeout};
    }
}

void command_le_create_connection_cancel(sim_controller_t *controller, const uint8_t *p,
                                         struct answer *answer)
{
    (void)p;
    if (!controller->initiator.enabled) {
        answer->status = HCI_ERR_COMMAND_DISALLOWED;
        return;
    }
    controller->initiator.enabled = false;
    controller->cancelled = true; /* the event follows the answer */
}

void command_le_read_filter_accept_list_size(sim_controller_t *controller,
                                             const uint8_t *p, struct answer *answer)
{
    (void)controller;
    (void)p;
    const uint8_t none = 0;
    answer_put(answer, &none, 1);
}
