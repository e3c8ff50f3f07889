/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * HCI commands about a link. */
#include <string.h>

#include "sim/radio/commands.h"

void command_disconnect(sim_controller_t *controller, const uint8_t *p,
                        struct answer *answer)
{
    static const uint8_t reasons[] = {
        HCI_ERR_AUTHENTICATION_FAILURE,     HCI_ERR_REMOTE_USER_TERMINATED,
        HCI_ERR_REMOTE_LOW_RESOURCES,       HCI_ERR_REMOTE_POWER_OFF,
        HCI_ERR_UNSUPPORTED_REMOTE_FEATURE, HCI_ERR_UNIT_KEY,
        HCI_ERR_UNACCEPTABLE_PARAMETERS};
    struct side *side = command_side(controller, p, answer);
    if (side == NULL) {
        return;
    }
    if (memchr(reasons, p[2], sizeof(reasons)) == NULL) {
        answer->status = HCI_ERR_INVALID_PARAMETERS;
    } else if (side->ending_reason != 0 || side->leave_reason != 0) {
        answer->status = HCI_ERR_COMMAND_DISALLOWED;
    } else {
        control_terminate(side, p[2]);
    }
}

/* Procedures on a link. */

void command_le_connection_update(sim_controller_t *controller, const uint8_t *p,
                                  struct answer *answer)
{
    struct side *side = command_side(controller, p, answer);
    uint16_t interval_min = hci_get_le16(p + 2);
    struct connection_parameters wish = {.interval = hci_get_le16(p + 4),
                                         .latency = hci_get_le16(p + 6),
                                         .timeout = hci_get_le16(p + 8)};
    if (side == NULL) {
        return;
    }
    if (!command_parameters_valid(interval_min, wish.interval, wish.latency,
                                  wish.timeout)) {
        answer->status = HCI_ERR_INVALID_PARAMETERS;
    } else if (side->parameters_asked || side->link->parameters_change.pending) {
        answer->status = HCI_ERR_COMMAND_DISALLOWED;
    } else {
        control_ask_parameters(side, &wish, interval_min);
    }
}

void command_le_remote_parameter_reply(sim_controller_t *controller, const uint8_t *p,
                                       struct answer *answer)
{
    struct side *side = command_side(controller, p, answer);
    struct connection_parameters parameters = {.interval = hci_get_le16(p + 4),
                                               .latency = hci_get_le16(p + 6),
                                               .timeout = hci_get_le16(p + 8)};
    answer_put(answer, p, 2);
    if (side == NULL) {
        return;
    }
    if (!command_parameters_valid(hci_get_le16(p + 2), parameters.interval,
                                  parameters.latency, parameters.timeout)) {
        answer->status = HCI_ERR_INVALID_PARAMETERS;
    } else if (!side->parameters_offered) {
        answer->status = HCI_ERR_COMMAND_DISALLOWED;
    } else {
        control_answer_parameters(side, HCI_SUCCESS, &parameters);
    }
}

void command_le_remote_parameter_negative_reply(sim_controller_t *controller,
                                                const uint8_t *p, struct answer *answer)
{
    struct side *side = command_side(controller, p, answer);
    answer_put(answer, p, 2);
    if (side == NULL) {
        return;
    }
    if (!side->parameters_offered) {
        answer->status = HCI_ERR_COMMAND_DISALLOWED;
    } else {
        control_answer_parameters(side, p[2], NULL);
    }
}

void command_read_remote_version(sim_controller_t *controller, const uint8_t *p,
                                 struct answer *answer)
{
    struct side *side = command_side(controller, p, answer);
    if (side != NULL) {
        controller->version_for = side; /* done once the status is out */
    }
}

void command_le_read_remote_features(sim_controller_t *controller, const uint8_t *p,
                                     struct answer *answer)
{
    struct side *side = command_side(controller, p, answer);
    if (side == NULL) {
        return;
    }
    if (side->features_asked) {
        answer->status = HCI_ERR_COMMAND_DISALLOWED;
    } else {
        control_ask_features(side);
    }
}

static bool valid_length(uint16_t octets, uint16_t time)
{
    return octets >= LL_DATA_OCTETS_MIN && octets <= LL_DATA_OCTETS_MAX &&
           time >= LL_DATA_TIME_MIN && time <= LL_DATA_TIME_MAX;
}

void command_le_set_data_length(sim_controller_t *controller, const uint8_t *p,
                                struct answer *answer)
{
    struct side *side = command_side(controller, p, answer);
    answer_put(answer, p, 2);
    if (side == NULL) {
        return;
    }
    if (!valid_length(hci_get_le16(p + 2), hci_get_le16(p + 4))) {
        answer->status = HCI_ERR_INVALID_PARAMETERS;
    } else {
        side->octets_wanted = hci_get_le16(p + 2);
        side->time_wanted = hci_get_le16(p + 4);
        control_start_data_length(side);
    }
}

void command_le_read_default_data_length(sim_controller_t *controller, const uint8_t *p,
                                         struct answer *answer)
{
    (void)p;
    answer_put16(answer, controller->default_octets);
    answer_put16(answer, controller->default_time);
}

void command_le_write_default_data_length(sim_controller_t *controller, const uint8_t *p,
                                          struct answer *answer)
{
    if (!valid_length(hci_get_le16(p), hci_get_le16(p + 2))) {
        answer->status = HCI_ERR_INVALID_PARAMETERS;
    } else {
        controller->default_octets = hci_get_le16(p);
        controller->default_time = hci_get_le16(p + 2);
    }
}

void command_le_read_maximum_data_length(sim_controller_t *controller, const uint8_t *p,
                                         struct answer *answer)
{
    (void)p;
    bool extended = controller->config.data_length;
    for (int i = 0; i < 2; i++) {
        answer_put16(answer, extended ? LL_DATA_OCTETS_MAX : LL_DATA_OCTETS_MIN);
        answer_put16(answer, extended ? 2120 : LL_DATA_TIME_MIN);
    }
}

/* Preferences for both directions; bits of all_phys mean "no preference". Returns the
 * PHYs wanted both ways, 0 for any. */
static uint8_t wanted_phys(const uint8_t *p)
{
    uint8_t tx = (p[0] & 0x01) != 0 ? 0xFF : p[1];
    uint8_t rx = (p[0] & 0x02) != 0 ? 0xFF : p[2];
    return (tx & rx) == 0xFF ? 0 : (tx & rx);
}

static bool valid_phys(const uint8_t *p)
{
    return ((p[0] & 0x01) != 0 || (p[1] & 0x07) != 0) &&
           ((p[0] & 0x02) != 0 || (p[2] & 0x07) != 0);
}

void command_le_set_default_phy(sim_controller_t *controller, const uint8_t *p,
                                struct answer *answer)
{
    if (!valid_phys(p)) {
        answer->status = HCI_ERR_INVALID_PARAMETERS;
        return;
    }
    controller->default_phys = wanted_phys(p);
}

void command_le_set_phy(sim_controller_t *controller, const uint8_t *p,
                        struct answer *answer)
{
    struct side *side = command_side(controller, p, answer);
    if (side == NULL) {
        return;
    }
    if (!valid_phys(p + 2)) {
        answer->status = HCI_ERR_INVALID_PARAMETERS;
    } else if (side->phy_asked || side->link->phy_change.pending) {
        answer->status = HCI_ERR_COMMAND_DISALLOWED;
    } else {
        control_ask_phy(side, wanted_phys(p + 2));
    }
}

void command_le_read_phy(sim_controller_t *controller, const uint8_t *p,
                         struct answer *answer)
{
    struct side *side = command_side(controller, p, answer);
    uint8_t phys[2] = {HCI_PHY_1M, HCI_PHY_1M};
    if (side != NULL) {
        memset(phys, side->link->phy, sizeof(phys));
    }
    answer_put(answer, p, 2);
    answer_put(answer, phys, sizeof(phys));
}
