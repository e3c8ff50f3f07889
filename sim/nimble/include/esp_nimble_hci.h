/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The way to the controller, with the names of ESP-IDF 4.x as well. */
#ifndef SIM_ESP_NIMBLE_HCI_H
#define SIM_ESP_NIMBLE_HCI_H

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Since ESP-IDF 5.0 nimble_port_init does this. */
esp_err_t esp_nimble_hci_init(void);
esp_err_t esp_nimble_hci_deinit(void);

/* Up to 4.4 these came before nimble_port_init; 5.0 removed them. Here so that firmware
 * written for 4.x can be run. */
esp_err_t esp_nimble_hci_and_controller_init(void);
esp_err_t esp_nimble_hci_and_controller_deinit(void);

#ifdef __cplusplus
}
#endif

#endif
