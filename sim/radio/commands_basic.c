/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * HCI commands about the controller itself. */
#include <string.h>

#include "sim/radio/commands.h"

#define LE_STATES UINT64_C(0x000003FFFFFFFFFF)

void command_nothing(sim_controller_t *controller, const uint8_t *p,
                     struct answer *answer)
{
    (void)controller;
    (void)p;
    (void)answer;
}

void command_reset(sim_controller_t *controller, const uint8_t *p, struct answer *answer)
{
    (void)p;
    (void)answer;
    controller_reset(controller);
}

void command_set_event_mask(sim_controller_t *controller, const uint8_t *p,
                            struct answer *answer)
{
    (void)answer;
    controller->event_mask = hci_get_le64(p);
}

void command_le_set_event_mask(sim_controller_t *controller, const uint8_t *p,
                               struct answer *answer)
{
    (void)answer;
    controller->le_event_mask = hci_get_le64(p);
}

void command_read_local_version(sim_controller_t *controller, const uint8_t *p,
                                struct answer *answer)
{
    (void)p;
    uint8_t version = controller_version(controller);
    answer_put(answer, &version, 1);
    answer_put16(answer, 0);
    answer_put(answer, &version, 1);
    answer_put16(answer, CONTROLLER_COMPANY);
    answer_put16(answer, 0);
}

void command_read_local_features(sim_controller_t *controller, const uint8_t *p,
                                 struct answer *answer)
{
    (void)controller;
    (void)p;
    /* No BR/EDR, LE supported. */
    answer_put64(answer, (UINT64_C(1) << 37) | (UINT64_C(1) << 38));
}

void command_read_bd_addr(sim_controller_t *controller, const uint8_t *p,
                          struct answer *answer)
{
    (void)p;
    answer_put(answer, controller->public_address, 6);
}

/* A buffer holds what fits one PDU. */
static uint16_t acl_payload(const sim_controller_t *controller)
{
    return controller->config.data_length ? HCI_ACL_PAYLOAD_MAX : LL_DATA_OCTETS_MIN;
}

void command_read_buffer_size(sim_controller_t *controller, const uint8_t *p,
                              struct answer *answer)
{
    (void)p;
    const uint8_t synchronous[3] = {0};
    answer_put16(answer, acl_payload(controller));
    answer_put(answer, synchronous, 1);
    answer_put16(answer, CONTROLLER_TX_PACKETS);
    answer_put(answer, synchronous, 2);
}

void command_le_read_buffer_size(sim_controller_t *controller, const uint8_t *p,
                                 struct answer *answer)
{
    (void)p;
    const uint8_t packets = CONTROLLER_TX_PACKETS;
    answer_put16(answer, acl_payload(controller));
    answer_put(answer, &packets, 1);
}

void command_le_read_local_features(sim_controller_t *controller, const uint8_t *p,
                                    struct answer *answer)
{
    (void)p;
    answer_put64(answer, controller_features(controller));
}

void command_le_read_supported_states(sim_controller_t *controller, const uint8_t *p,
                                      struct answer *answer)
{
    (void)controller;
    (void)p;
    answer_put64(answer, LE_STATES);
}

void command_le_rand(sim_controller_t *controller, const uint8_t *p,
                     struct answer *answer)
{
    (void)p;
    answer_put64(answer, sim_random_next(&controller->air->random));
}

void command_read_rssi(sim_controller_t *controller, const uint8_t *p,
                       struct answer *answer)
{
    command_side(controller, p, answer);
    const int8_t dbm = -50;
    answer_put(answer, p, 2);
    answer_put(answer, &dbm, 1);
}
