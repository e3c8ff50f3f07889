/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What a firmware module tells the NimBLE host about itself: its settings, and the
 * variables that it owns. */
#ifndef SIM_NIMBLE_BINDING_H
#define SIM_NIMBLE_BINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ble_hs_cfg;
struct ble_svc_dis_data;

/* Filled in by sim/firmware/glue_nimble.c, which is linked into every module that uses
 * NimBLE and so is compiled with the module's sdkconfig. The variables are the module's,
 * so that a reset of the board puts them back. */
struct sim_nimble_binding {
    size_t size; /* of this struct: a module of another version is refused */
    struct ble_hs_cfg *hs_cfg;
    struct ble_svc_dis_data *dis_data;
    uint32_t tick_rate_hz;
    uint32_t host_stack_size;
    uint8_t connections_max;
    uint16_t preferred_mtu;
    uint16_t prepare_entries_max;
    uint16_t msys_1_count;
    uint16_t msys_1_size;
    uint16_t msys_2_count;
    uint16_t msys_2_size;
    uint16_t acl_from_ll_count;
    uint16_t acl_size;
    uint16_t event_count;
    const char *device_name;
    uint8_t device_name_max;
    uint16_t appearance;
    bool gatt_caching;
    bool reattempt; /* BT_NIMBLE_ENABLE_CONN_REATTEMPT */
    /* Characteristics of the Device Information service besides the model number. */
    bool dis_serial_number;
    bool dis_hardware_revision;
    bool dis_firmware_revision;
    bool dis_software_revision;
    bool dis_manufacturer_name;
    bool dis_system_id;
    bool dis_pnp_id;
};

/* What nimble_port_init and esp_nimble_init of the module call: binding must stay. */
int sim_nimble_port_init(const struct sim_nimble_binding *binding);

#endif
