/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Starting and running the host. */
#ifndef SIM_NIMBLE_NIMBLE_PORT_H
#define SIM_NIMBLE_NIMBLE_PORT_H

#include "esp_err.h"
#include "nimble/nimble_npl.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Controller, HCI and host. */
esp_err_t nimble_port_init(void);
esp_err_t nimble_port_deinit(void);
/* Runs the host in the calling task; returns after nimble_port_stop. */
void nimble_port_run(void);
int nimble_port_stop(void);
/* The same without the controller, for those who start that themselves. */
esp_err_t esp_nimble_init(void);
esp_err_t esp_nimble_deinit(void);

struct ble_npl_eventq *nimble_port_get_dflt_eventq(void);

#ifdef __cplusplus
}
#endif

#endif
