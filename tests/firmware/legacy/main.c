/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A device with protocol 1 alone, as the tutorial system's was, without any of updraft.
 */
#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "freertos/task.h"
#include "hal/wdt_hal.h"
#include "host/ble_hs.h"
#include "host/util/util.h"
#include "nimble/nimble_port.h"
#include "nimble/nimble_port_freertos.h"
#include "nvs_flash.h"
#include "services/gap/ble_svc_gap.h"
#include "services/gatt/ble_svc_gatt.h"

#include "defects.h"
#include "update.h"
#include "updraft/protocol1.h"

#define NAME             "esp32"
#define QUEUE_LENGTH     4
#define QUEUE_LIMIT_MS   2000
#define RESTART_AFTER_MS 500
#define WORKER_STACK     4096
#define WORKER_PRIORITY  5

enum job_kind { JOB_CONTROL, JOB_DATA, JOB_DISCONNECTED, JOB_CONFIRM };

struct job {
    uint8_t kind;
    uint16_t connection;
    uint16_t size_bytes;
    uint8_t bytes[UPDRAFT_P1_PACKET_SIZE_MAX];
};

void app_main(void);

static const char *const TAG = "legacy";
static uint8_t own_address_type;
static uint16_t control_handle;
static uint8_t control_value;
static uint8_t control_written;
static QueueHandle_t queue;

static void advertise(void);

static void confirm(void)
{
    esp_ota_img_states_t state;
    if (esp_ota_get_state_partition(esp_ota_get_running_partition(), &state) == ESP_OK &&
        state == ESP_OTA_IMG_PENDING_VERIFY &&
        esp_ota_mark_app_valid_cancel_rollback() == ESP_OK) {
        ESP_LOGI(TAG, "confirmed");
    }
}

static int carry_out(const struct job *job)
{
    switch ((enum job_kind)job->kind) {
    case JOB_CONTROL:
        if (job->bytes[0] == UPDRAFT_P1_REQUEST) {
            legacy_request(job->connection);
        } else if (job->bytes[0] == UPDRAFT_P1_DONE) {
            legacy_done(job->connection);
        }
        return 0;
    case JOB_DATA:
        return legacy_data(job->connection, job->bytes, job->size_bytes);
    case JOB_DISCONNECTED:
        legacy_disconnected(job->connection);
        return 0;
    case JOB_CONFIRM:
        confirm();
        return 0;
    }
    return 0;
}

/* Host task. */
static int submit(const struct job *job)
{
    if (HAS_DEFECT(LEGACY_HOST_TASK)) {
        return carry_out(job);
    }
    return xQueueSend(queue, job, pdMS_TO_TICKS(QUEUE_LIMIT_MS)) == pdTRUE
               ? 0
               : BLE_ATT_ERR_INSUFFICIENT_RES;
}

static void work(void *argument)
{
    static struct job job;
    (void)argument;
    for (;;) {
        if (xQueueReceive(queue, &job, portMAX_DELAY) == pdTRUE) {
            (void)carry_out(&job);
        }
    }
}

void legacy_answer(uint16_t connection, uint8_t opcode)
{
    control_value = opcode;
    struct os_mbuf *buffer = ble_hs_mbuf_from_flat(&opcode, sizeof(opcode));
    if (buffer == NULL ||
        ble_gatts_notify_custom(connection, control_handle, buffer) != 0) {
        ESP_LOGE(TAG, "answer %u not sent", opcode);
    }
}

void legacy_restart(void)
{
    if (!HAS_DEFECT(LEGACY_RESTARTS)) {
        vTaskDelay(pdMS_TO_TICKS(RESTART_AFTER_MS));
    }
    esp_restart();
}

static int access_string(uint16_t connection, uint16_t attribute,
                         struct ble_gatt_access_ctxt *context, void *argument)
{
    (void)connection;
    (void)attribute;
    const char *text = argument;
    return os_mbuf_append(context->om, text, (uint16_t)strlen(text)) == 0
               ? 0
               : BLE_ATT_ERR_INSUFFICIENT_RES;
}

static int access_control(uint16_t connection, uint16_t attribute,
                          struct ble_gatt_access_ctxt *context, void *argument)
{
    static struct job job;
    (void)attribute;
    (void)argument;
    if (context->op == BLE_GATT_ACCESS_OP_READ_CHR) {
        return os_mbuf_append(context->om, &control_value, 1) == 0
                   ? 0
                   : BLE_ATT_ERR_INSUFFICIENT_RES;
    }
    int error = 0;
    uint8_t value = control_written;
    if (OS_MBUF_PKTLEN(context->om) != 1) {
        error = BLE_ATT_ERR_INVALID_ATTR_VALUE_LEN;
    } else {
        (void)ble_hs_mbuf_to_flat(context->om, &value, 1, NULL);
        if (value != UPDRAFT_P1_NOP && value != UPDRAFT_P1_REQUEST &&
            value != UPDRAFT_P1_DONE) {
            error = BLE_ATT_ERR_VALUE_NOT_ALLOWED;
            value = control_written;
        }
    }
    if (error != 0 && !HAS_DEFECT(LEGACY_REPEATS)) {
        return error;
    }
    control_value = value;
    control_written = value;
    job.kind = JOB_CONTROL;
    job.connection = connection;
    job.size_bytes = 1;
    job.bytes[0] = value;
    int rc = submit(&job);
    return error != 0 ? error : rc;
}

static int access_data(uint16_t connection, uint16_t attribute,
                       struct ble_gatt_access_ctxt *context, void *argument)
{
    static struct job job;
    (void)attribute;
    (void)argument;
    job.size_bytes = OS_MBUF_PKTLEN(context->om);
    if (job.size_bytes == 0 ||
        ble_hs_mbuf_to_flat(context->om, job.bytes, sizeof(job.bytes), NULL) != 0) {
        return BLE_ATT_ERR_INVALID_ATTR_VALUE_LEN;
    }
    if (legacy_failed()) {
        return BLE_ATT_ERR_UNLIKELY;
    }
    job.kind = JOB_DATA;
    job.connection = connection;
    return submit(&job);
}

#define DATA_FLAGS \
    (BLE_GATT_CHR_F_WRITE | (LEGACY_REQUESTS_ONLY ? 0 : BLE_GATT_CHR_F_WRITE_NO_RSP))

static const struct ble_gatt_svc_def services[] = {
    {
        .type = BLE_GATT_SVC_TYPE_PRIMARY,
        .uuid = BLE_UUID16_DECLARE(0x180A),
        .characteristics =
            (struct ble_gatt_chr_def[]){
                {
                    .uuid = BLE_UUID16_DECLARE(0x2A29),
                    .access_cb = access_string,
                    .arg = "Legacy",
                    .flags = BLE_GATT_CHR_F_READ,
                },
                {
                    .uuid = BLE_UUID16_DECLARE(0x2A24),
                    .access_cb = access_string,
                    .arg = "ESP32",
                    .flags = BLE_GATT_CHR_F_READ,
                },
                {0},
            },
    },
    {
        .type = BLE_GATT_SVC_TYPE_PRIMARY,
        .uuid = BLE_UUID128_DECLARE(UPDRAFT_P1_SERVICE_UUID_BYTES),
        .characteristics =
            (struct ble_gatt_chr_def[]){
                {
                    .uuid = BLE_UUID128_DECLARE(UPDRAFT_P1_CONTROL_UUID_BYTES),
                    .access_cb = access_control,
                    .flags = BLE_GATT_CHR_F_READ | BLE_GATT_CHR_F_WRITE |
                             BLE_GATT_CHR_F_NOTIFY,
                    .val_handle = &control_handle,
                },
                {
                    .uuid = BLE_UUID128_DECLARE(UPDRAFT_P1_DATA_UUID_BYTES),
                    .access_cb = access_data,
                    .flags = DATA_FLAGS,
                },
                {0},
            },
    },
    {0},
};

static int on_gap_event(struct ble_gap_event *event, void *argument)
{
    static struct job job;
    (void)argument;
    if (event->type == BLE_GAP_EVENT_CONNECT &&
        (event->connect.status != 0 || HAS_DEFECT(LEGACY_NO_OWNER))) {
        advertise();
    } else if (event->type == BLE_GAP_EVENT_DISCONNECT) {
        job.kind = JOB_DISCONNECTED;
        job.connection = event->disconnect.conn.conn_handle;
        (void)submit(&job);
        advertise();
    }
    return 0;
}

static void advertise(void)
{
    const struct ble_gap_adv_params params = {
        .conn_mode = BLE_GAP_CONN_MODE_UND,
        .disc_mode = BLE_GAP_DISC_MODE_GEN,
    };
    const struct ble_hs_adv_fields fields = {
        .flags = BLE_HS_ADV_F_DISC_GEN | BLE_HS_ADV_F_BREDR_UNSUP,
        .tx_pwr_lvl_is_present = 1,
        .tx_pwr_lvl = BLE_HS_ADV_TX_PWR_LVL_AUTO,
        .name = (const uint8_t *)NAME,
        .name_len = strlen(NAME),
        .name_is_complete = 1,
    };
    int rc = ble_gap_adv_set_fields(&fields);
    if (rc == 0) {
        rc = ble_gap_adv_start(own_address_type, NULL, BLE_HS_FOREVER, &params,
                               on_gap_event, NULL);
    }
    if (rc != 0) {
        ESP_LOGE(TAG, "advertising does not start: %d", rc);
        return;
    }
    if (!HAS_DEFECT(LEGACY_ON_TRIAL)) {
        static struct job job;
        job.kind = JOB_CONFIRM;
        (void)submit(&job);
    }
}

static void on_sync(void)
{
    if (ble_hs_util_ensure_addr(0) == 0 &&
        ble_hs_id_infer_auto(0, &own_address_type) == 0) {
        advertise();
    }
}

static void host_task(void *argument)
{
    (void)argument;
    nimble_port_run();
    nimble_port_freertos_deinit();
}

/* What ESP-IDF's start-up does unless it is told to leave it to the app. */
static void disable_boot_watchdog(void)
{
    wdt_hal_context_t watchdog = RWDT_HAL_CONTEXT_DEFAULT();
    wdt_hal_write_protect_disable(&watchdog);
    wdt_hal_disable(&watchdog);
    wdt_hal_write_protect_enable(&watchdog);
}

void app_main(void)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    disable_boot_watchdog();
    ESP_LOGI(TAG, "running from %s", running->label);
    if (HAS_DEFECT(LEGACY_CONFIRMS)) {
        (void)esp_ota_mark_app_valid_cancel_rollback();
    }
    ESP_ERROR_CHECK(nvs_flash_init());
    queue = xQueueCreate(QUEUE_LENGTH, sizeof(struct job));
    if (queue == NULL || xTaskCreate(work, "legacy", WORKER_STACK, NULL, WORKER_PRIORITY,
                                     NULL) != pdPASS) {
        ESP_LOGE(TAG, "no memory");
        abort();
    }
    ESP_ERROR_CHECK(nimble_port_init());
    ble_hs_cfg.sync_cb = on_sync;
    ble_svc_gap_init();
    ble_svc_gatt_init();
    if (ble_gatts_count_cfg(services) != 0 || ble_gatts_add_svcs(services) != 0 ||
        ble_svc_gap_device_name_set(NAME) != 0) {
        ESP_LOGE(TAG, "services not added");
        abort();
    }
    nimble_port_freertos_init(host_task);
}
