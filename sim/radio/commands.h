/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What the files with HCI commands share. */
#ifndef SIM_RADIO_COMMANDS_H
#define SIM_RADIO_COMMANDS_H

#include "sim/radio/radio.h"

/* What Command Complete gives back after its status, or Command Status its status. */
struct answer {
    uint8_t status;
    uint8_t size;
    uint8_t results[72];
};

void answer_put(struct answer *answer, const void *bytes, uint8_t size);
void answer_put16(struct answer *answer, uint16_t value);
void answer_put64(struct answer *answer, uint64_t value);
/* The link that a command names by its first parameter; NULL, with the status set, if
 * there is none. */
struct side *command_side(sim_controller_t *controller, const uint8_t *p,
                          struct answer *answer);
/* Connection parameters as the specification allows them. */
bool command_parameters_valid(uint16_t interval_min, uint16_t interval_max,
                              uint16_t latency, uint16_t timeout);

/* p: the command's parameters, of the length that the command has. */
void command_nothing(sim_controller_t *controller, const uint8_t *p,
                     struct answer *answer);
void command_reset(sim_controller_t *controller, const uint8_t *p, struct answer *answer);
void command_set_event_mask(sim_controller_t *controller, const uint8_t *p,
                            struct answer *answer);
void command_le_set_event_mask(sim_controller_t *controller, const uint8_t *p,
                               struct answer *answer);
void command_read_local_version(sim_controller_t *controller, const uint8_t *p,
                                struct answer *answer);
void command_read_local_features(sim_controller_t *controller, const uint8_t *p,
                                 struct answer *answer);
void command_read_bd_addr(sim_controller_t *controller, const uint8_t *p,
                          struct answer *answer);
void command_read_buffer_size(sim_controller_t *controller, const uint8_t *p,
                              struct answer *answer);
void command_le_read_buffer_size(sim_controller_t *controller, const uint8_t *p,
                                 struct answer *answer);
void command_le_read_local_features(sim_controller_t *controller, const uint8_t *p,
                                    struct answer *answer);
void command_le_read_supported_states(sim_controller_t *controller, const uint8_t *p,
                                      struct answer *answer);
void command_le_rand(sim_controller_t *controller, const uint8_t *p,
                     struct answer *answer);
void command_read_rssi(sim_controller_t *controller, const uint8_t *p,
                       struct answer *answer);
void command_le_set_random_address(sim_controller_t *controller, const uint8_t *p,
                                   struct answer *answer);
void command_le_set_adv_parameters(sim_controller_t *controller, const uint8_t *p,
                                   struct answer *answer);
void command_le_read_adv_tx_power(sim_controller_t *controller, const uint8_t *p,
                                  struct answer *answer);
void command_le_set_adv_data(sim_controller_t *controller, const uint8_t *p,
                             struct answer *answer);
void command_le_set_scan_response_data(sim_controller_t *controller, const uint8_t *p,
                                       struct answer *answer);
void command_le_set_adv_enable(sim_controller_t *controller, const uint8_t *p,
                               struct answer *answer);
void command_le_set_scan_parameters(sim_controller_t *controller, const uint8_t *p,
                                    struct answer *answer);
void command_le_set_scan_enable(sim_controller_t *controller, const uint8_t *p,
                                struct answer *answer);
void command_le_create_connection(sim_controller_t *controller, const uint8_t *p,
                                  struct answer *answer);
void command_le_create_connection_cancel(sim_controller_t *controller, const uint8_t *p,
                                         struct answer *answer);
void command_disconnect(sim_controller_t *controller, const uint8_t *p,
                        struct answer *answer);
void command_le_connection_update(sim_controller_t *controller, const uint8_t *p,
                                  struct answer *answer);
void command_le_remote_parameter_reply(sim_controller_t *controller, const uint8_t *p,
                                       struct answer *answer);
void command_le_remote_parameter_negative_reply(sim_controller_t *controller,
                                                const uint8_t *p, struct answer *answer);
void command_read_remote_version(sim_controller_t *controller, const uint8_t *p,
                                 struct answer *answer);
void command_le_read_remote_features(sim_controller_t *controller, const uint8_t *p,
                                     struct answer *answer);
void command_le_set_data_length(sim_controller_t *controller, const uint8_t *p,
                                struct answer *answer);
void command_le_read_default_data_length(sim_controller_t *controller, const uint8_t *p,
                                         struct answer *answer);
void command_le_write_default_data_length(sim_controller_t *controller, const uint8_t *p,
                                          struct answer *answer);
void command_le_read_maximum_data_length(sim_controller_t *controller, const uint8_t *p,
                                         struct answer *answer);
void command_le_set_default_phy(sim_controller_t *controller, const uint8_t *p,
                                struct answer *answer);
void command_le_set_phy(sim_controller_t *controller, const uint8_t *p,
                        struct answer *answer);
void command_le_read_phy(sim_controller_t *controller, const uint8_t *p,
                         struct answer *answer);
void command_read_local_commands(sim_controller_t *controller, const uint8_t *p,
                                 struct answer *answer);
void command_le_read_filter_accept_list_size(sim_controller_t *controller,
                                             const uint8_t *p, struct answer *answer);

#endif
