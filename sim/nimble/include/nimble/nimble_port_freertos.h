/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The host's task. */
#ifndef SIM_NIMBLE_NIMBLE_PORT_FREERTOS_H
#define SIM_NIMBLE_NIMBLE_PORT_FREERTOS_H

#include "esp_err.h"
#include "nimble/nimble_npl.h"

#ifdef __cplusplus
extern "C" {
#endif

void nimble_port_freertos_init(TaskFunction_t host_task_fn);
void nimble_port_freertos_deinit(void);
esp_err_t esp_nimble_enable(void *host_task);
esp_err_t esp_nimble_disable(void);

#ifdef __cplusplus
}
#endif

#endif
