/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * nimble_port_*: the host comes and goes; and the state that all of it shares. */
#include <assert.h>
#include <string.h>

#include "esp_bt.h"
#include "esp_nimble_hci.h"
#include "nimble/nimble_port.h"
#include "nimble/nimble_port_freertos.h"
#include "sim/nimble/nimble.h"
#include "sim/nimble/nimble_sim.h"

struct nimble *nimble_state(void)
{
    sim_board_t *board = sim_runtime_board();
    assert(board != NULL);
    struct nimble *n = sim_runtime_part(board, SIM_PART_NIMBLE, sizeof(struct nimble));
    n->board = board;
    return n;
}

struct nimble *nimble_ready(const char *function)
{
    struct nimble *n = nimble_state();
    if (n->binding == NULL) {
        sim_runtime_panic(n->board, "%s: called before nimble_port_init", function);
    }
    return n;
}

bool nimble_since(const struct nimble *n, int major, int minor)
{
    const sim_chip_t *chip = sim_board_chip(n->board);
    return chip->idf_major > major ||
           (chip->idf_major == major && chip->idf_minor >= minor);
}

TickType_t nimble_ticks(const struct nimble *n, uint32_t ms)
{
    return (TickType_t)((uint64_t)ms * n->binding->tick_rate_hz / 1000);
}

bool nimble_due(TickType_t deadline)
{
    return (int32_t)(xTaskGetTickCount() - deadline) >= 0;
}

void nimble_wake(struct nimble *n)
{
    if (n->host_task == NULL) {
        return;
    }
    if (sim_runtime_in_task()) {
        xTaskNotifyGive(n->host_task);
    } else {
        vTaskNotifyGiveFromISR(n->host_task, NULL);
    }
}

static bool make_buffers(struct nimble *n)
{
    const struct sim_nimble_binding *b = n->binding;
    if (b->acl_from_ll_count + b->event_count > (int)sizeof(n->arrivals)) {
        sim_runtime_log(n->board,
                        "E NimBLE: more buffers than the simulator has room for");
        return false;
    }
    n->events = sim_runtime_malloc(b->event_count * sizeof(*n->events));
    return n->events != NULL && pool_init(&n->msys_1, b->msys_1_count, b->msys_1_size) &&
           pool_init(&n->msys_2, b->msys_2_count, b->msys_2_size) &&
           pool_init(&n->acl, b->acl_from_ll_count,
                     (uint16_t)(b->acl_size + HCI_ACL_HEADER_SIZE - 1 + 24));
}

static void free_buffers(struct nimble *n)
{
    pool_free(&n->msys_1);
    pool_free(&n->msys_2);
    pool_free(&n->acl);
    if (n->events != NULL) {
        sim_runtime_free(n->events);
        n->events = NULL;
    }
}

int sim_nimble_port_init(const struct sim_nimble_binding *binding)
{
    struct nimble *n = nimble_state();
    if (binding->size != sizeof(*binding)) {
        sim_runtime_panic(n->board, "the firmware was built for another simulator");
    }
    if (n->binding != NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    n->binding = binding;
    if (binding->connections_max > CONNECTIONS_MAX || !make_buffers(n)) {
        free_buffers(n);
        n->binding = NULL;
        return ESP_ERR_NO_MEM;
    }
    n->command_mutex = xSemaphoreCreateMutex();
    n->answer = xSemaphoreCreateBinary();
    n->stopped = xSemaphoreCreateBinary();
    STAILQ_INIT(&n->npl_events);
    LIST_INIT(&n->callouts);
    SLIST_INIT(&n->listeners);
    n->preferred_mtu = binding->preferred_mtu;
    n->controller_status = ESP_BT_CONTROLLER_STATUS_ENABLED;
    receive_open(n);
    /* The host starts once its task runs. */
    n->start_scheduled = true;
    return ESP_OK;
}

esp_err_t nimble_port_deinit(void)
{
    struct nimble *n = nimble_ready(__func__);
    if (n->enabled != HOST_OFF) {
        return ESP_ERR_INVALID_STATE;
    }
    receive_close(n);
    vSemaphoreDelete(n->command_mutex);
    vSemaphoreDelete(n->answer);
    vSemaphoreDelete(n->stopped);
    free_buffers(n);
    n->tables_count = 0;
    n->cccds_configured = 0;
    n->registered = false;
    n->controller_status = ESP_BT_CONTROLLER_STATUS_IDLE;
    n->binding = NULL;
    return ESP_OK;
}

esp_err_t esp_nimble_deinit(void)
{
    return nimble_port_deinit();
}

static bool connections_open(const struct nimble *n)
{
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (n->connections[i].used) {
            return true;
        }
    }
    return false;
}

static bool stopping_done(struct nimble *n)
{
    return n->stop_requested && (!connections_open(n) || nimble_due(n->stop_deadline));
}

static void begin_to_stop(struct nimble *n)
{
    n->enabled = HOST_STOPPING;
    if (n->advertising.active) {
        const uint8_t off = 0;
        (void)nimble_hci_command(HCI_LE_SET_ADV_ENABLE, &off, 1, NULL, 0);
        gap_adv_finished(n, BLE_HS_EPREEMPTED);
    }
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *c = &n->connections[i];
        if (c->used && !c->terminating) {
            uint8_t p[3] = {0, 0, HCI_ERR_REMOTE_USER_TERMINATED};
            hci_put_le16(p, c->handle);
            c->terminating = nimble_hci_command(HCI_DISCONNECT, p, 3, NULL, 0) == 0;
        }
    }
}

void nimble_port_run(void)
{
    struct nimble *n = nimble_ready(__func__);
    n->host_task = xTaskGetCurrentTaskHandle();
    n->running = true;
    while (!stopping_done(n)) {
        if (n->stop_requested && n->enabled == HOST_ON) {
            begin_to_stop(n);
        }
        TickType_t idle = host_idle_ticks(n);
        if (idle > 0) {
            ulTaskNotifyTake(pdTRUE, idle);
        }
        host_work(n);
    }
    n->stop_requested = false;
    n->running = false;
    gap_reset(n, BLE_HS_EDISABLED);
    n->enabled = HOST_OFF;
    n->synced = false;
    n->host_task = NULL;
    xSemaphoreGive(n->stopped);
}

int nimble_port_stop(void)
{
    struct nimble *n = nimble_ready(__func__);
    if (n->enabled != HOST_ON) {
        return BLE_HS_EALREADY;
    }
    n->stop_requested = true;
    n->stop_deadline = xTaskGetTickCount() + nimble_ticks(n, STOP_TIMEOUT_MS);
    nimble_wake(n);
    xSemaphoreTake(n->stopped, portMAX_DELAY);
    return 0;
}

void nimble_port_freertos_init(TaskFunction_t host_task_fn)
{
    struct nimble *n = nimble_ready(__func__);
    xTaskCreate(host_task_fn, "nimble_host", n->binding->host_stack_size, NULL,
                HOST_PRIORITY, &n->host_task);
}

void nimble_port_freertos_deinit(void)
{
    vTaskDelete(NULL);
}

esp_err_t esp_nimble_enable(void *host_task)
{
    nimble_port_freertos_init((TaskFunction_t)(uintptr_t)host_task);
    return ESP_OK;
}

esp_err_t esp_nimble_disable(void)
{
    nimble_port_freertos_deinit();
    return ESP_OK;
}

esp_err_t esp_nimble_hci_init(void)
{
    return ESP_OK; /* nimble_port_init opens the way to the controller */
}

esp_err_t esp_nimble_hci_deinit(void)
{
    return ESP_OK;
}

esp_err_t esp_nimble_hci_and_controller_init(void)
{
    return ESP_OK;
}

esp_err_t esp_nimble_hci_and_controller_deinit(void)
{
    return ESP_OK;
}

int ble_hs_is_enabled(void)
{
    return nimble_state()->enabled == HOST_ON;
}

int ble_hs_synced(void)
{
    return nimble_state()->synced;
}

int ble_hs_start(void)
{
    struct nimble *n = nimble_ready(__func__);
    if (n->enabled == HOST_ON) {
        return BLE_HS_EALREADY;
    }
    if (n->enabled == HOST_STOPPING) {
        return BLE_HS_EBUSY;
    }
    n->start_scheduled = false;
    host_start(n);
    return 0;
}

void ble_hs_sched_start(void)
{
    struct nimble *n = nimble_ready(__func__);
    n->start_scheduled = true;
    nimble_wake(n);
}

void ble_hs_sched_reset(int reason)
{
    host_reset_schedule(nimble_ready(__func__), reason);
}

uint32_t sim_nimble_buffers_in_use(sim_board_t *board)
{
    const struct nimble *n =
        sim_runtime_part(board, SIM_PART_NIMBLE, sizeof(struct nimble));
    uint32_t in_use = 0;
    const struct pool *pools[] = {&n->msys_1, &n->msys_2, &n->acl};
    for (size_t i = 0; i < 3; i++) {
        in_use += (uint32_t)(pools[i]->count - pools[i]->free_count);
    }
    return in_use;
}

uint32_t sim_nimble_fragments_dropped(sim_board_t *board)
{
    const struct nimble *n =
        sim_runtime_part(board, SIM_PART_NIMBLE, sizeof(struct nimble));
    return n->acl_dropped;
}
