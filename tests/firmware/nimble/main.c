/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A firmware whose only purpose is to be told over the air what to do with NimBLE; the
 * tests of the virtual NimBLE drive it. What it sees it prints. */
#include <stdio.h>
#include <string.h>

#include "esp_partition.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "host/ble_hs.h"
#include "host/util/util.h"
#include "nimble/nimble_port.h"
#include "nimble/nimble_port_freertos.h"
#include "services/dis/ble_svc_dis.h"
#include "services/gap/ble_svc_gap.h"
#include "services/gatt/ble_svc_gatt.h"
#include "tests/firmware/nimble/orders.h"

#define HELD_MAX 64

void app_main(void);

static uint16_t value_handle;
static uint8_t value[ORDER_VALUE_MAX];
static uint16_t value_size;
static uint8_t own_address_type;
static struct os_mbuf *held[HELD_MAX];
static size_t held_count;
static TaskHandle_t worker;
static uint32_t worker_order;
static uint16_t worker_argument;
static struct ble_npl_callout callout;

static int gap_event(struct ble_gap_event *event, void *arg);

static void print_rc(const char *what, int rc)
{
    printf("%s: %d\n", what, rc);
}

static void advertise(void)
{
    static const struct ble_gap_adv_params params = {.conn_mode = BLE_GAP_CONN_MODE_UND,
                                                     .disc_mode = BLE_GAP_DISC_MODE_GEN};
    struct ble_hs_adv_fields fields = {.flags = BLE_HS_ADV_F_DISC_GEN |
                                                BLE_HS_ADV_F_BREDR_UNSUP};
    const char *name = ble_svc_gap_device_name();
    fields.name = (const uint8_t *)name;
    fields.name_len = (uint8_t)strlen(name);
    fields.name_is_complete = 1;
    int rc = ble_gap_adv_set_fields(&fields);
    if (rc == 0) {
        rc = ble_gap_adv_start(own_address_type, NULL, BLE_HS_FOREVER, &params, gap_event,
                               NULL);
    }
    print_rc("advertise", rc);
}

static int gap_event(struct ble_gap_event *event, void *arg)
{
    (void)arg;
    switch (event->type) {
    case BLE_GAP_EVENT_CONNECT:
        printf("connect %d\n", event->connect.status);
        advertise();
        break;
    case BLE_GAP_EVENT_DISCONNECT:
        printf("disconnect 0x%x\n", (unsigned)event->disconnect.reason);
        if (!ble_gap_adv_active() && ble_hs_synced()) {
            advertise();
        }
        break;
    case BLE_GAP_EVENT_MTU:
        printf("mtu %u\n", event->mtu.value);
        break;
    case BLE_GAP_EVENT_SUBSCRIBE:
        printf("subscribe reason %u: notify %u -> %u, indicate %u -> %u\n",
               event->subscribe.reason, event->subscribe.prev_notify,
               event->subscribe.cur_notify, event->subscribe.prev_indicate,
               event->subscribe.cur_indicate);
        break;
    case BLE_GAP_EVENT_NOTIFY_TX:
        printf("sent %d indication %u\n", event->notify_tx.status,
               event->notify_tx.indication);
        break;
    case BLE_GAP_EVENT_CONN_UPDATE: {
        struct ble_gap_conn_desc desc;
        if (ble_gap_conn_find(event->conn_update.conn_handle, &desc) == 0) {
            printf("updated %d: interval %u, timeout %u\n", event->conn_update.status,
                   desc.conn_itvl, desc.supervision_timeout);
        }
        break;
    }
    case BLE_GAP_EVENT_DATA_LEN_CHG:
        printf("data length %u\n", event->data_len_chg.max_tx_octets);
        break;
    case BLE_GAP_EVENT_PHY_UPDATE_COMPLETE:
        printf("phy updated %d: %u %u\n", event->phy_updated.status,
               event->phy_updated.tx_phy, event->phy_updated.rx_phy);
        break;
    case BLE_GAP_EVENT_LINK_ESTAB:
        printf("established %d\n", event->link_estab.status);
        break;
    case BLE_GAP_EVENT_ADV_COMPLETE:
        printf("advertising ended %d\n", event->adv_complete.reason);
        break;
    default:
        break;
    }
    return 0;
}

static void notify(uint16_t connection, uint16_t size, const char *what)
{
    uint8_t bytes[ORDER_VALUE_MAX];
    for (uint16_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)i;
    }
    struct os_mbuf *om = ble_hs_mbuf_from_flat(bytes, size);
    print_rc(what, om == NULL ? BLE_HS_ENOMEM
                              : ble_gatts_notify_custom(connection, value_handle, om));
}

/* All buffers but one are taken; the one is given to a notification. */
static void notify_without_buffers(uint16_t connection)
{
    struct os_mbuf *taken[64];
    size_t count = 0;
    while (count < 64 && (taken[count] = os_msys_get_pkthdr(0, 0)) != NULL) {
        count++;
    }
    printf("buffers: %u of %d\n", (unsigned)count, os_msys_count());
    struct os_mbuf *last = taken[--count];
    /* No room in front for the ATT header, and no buffer for another one. */
    last->om_len = OS_MBUF_TRAILINGSPACE(last);
    OS_MBUF_PKTLEN(last) = last->om_len;
    print_rc("notify without buffers",
             ble_gatts_notify_custom(connection, value_handle, last));
    printf("free after: %d\n", os_msys_num_free());
    while (count > 0) {
        os_mbuf_free_chain(taken[--count]);
    }
}

static void update_parameters(uint16_t connection, uint16_t interval)
{
    const struct ble_gap_upd_params params = {
        .itvl_min = interval, .itvl_max = interval, .supervision_timeout = 600};
    print_rc("update", ble_gap_update_params(connection, &params));
}

static void advertise_too_much(void)
{
    static const char name[] = "a name of twenty-nine letters";
    uint8_t data[32] = {0};
    struct ble_hs_adv_fields fields = {.flags = 6, .name_is_complete = 1};
    fields.name = (const uint8_t *)name;
    fields.name_len = sizeof(name) - 1;
    print_rc("too many fields", ble_gap_adv_set_fields(&fields));
    print_rc("too many bytes", ble_gap_adv_set_data(data, sizeof(data)));
    fields.name_len = 26;
    print_rc("just enough", ble_gap_adv_set_fields(&fields));
}

/* Of applications, the second slot: this firmware runs in another. */
static void erase_flash(esp_partition_type_t type, size_t size)
{
    esp_partition_subtype_t subtype = type == ESP_PARTITION_TYPE_APP
                                          ? ESP_PARTITION_SUBTYPE_APP_OTA_1
                                          : ESP_PARTITION_SUBTYPE_ANY;
    const esp_partition_t *partition = esp_partition_find_first(type, subtype, NULL);
    print_rc("flash", esp_partition_erase_range(partition, 0, size));
}

static void write_flash(uint16_t sectors)
{
    static const uint8_t zeros[4096];
    const esp_partition_t *partition = esp_partition_find_first(
        ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_OTA_1, NULL);
    esp_err_t result = ESP_OK;
    for (uint16_t i = 0; i < sectors && result == ESP_OK; i++) {
        result = esp_partition_write(partition, i * sizeof(zeros), zeros, sizeof(zeros));
    }
    print_rc("flash", result);
}

static void set_phy(uint16_t connection, uint8_t mask)
{
    print_rc("phy", ble_gap_set_prefered_le_phy(connection, mask, mask, 0));
}

/* Time for an uncoded PDU of that size on 1M. */
static void set_data_length(uint16_t connection, uint16_t octets)
{
    print_rc("data length",
             ble_gap_set_data_len(connection, octets, (uint16_t)((octets + 14) * 8)));
}

static void callout_fired(struct ble_npl_event *ev)
{
    (void)ev;
    printf("callout in %s\n", pcTaskGetName(NULL));
}

static void obey(uint16_t connection, const uint8_t *order, uint16_t size)
{
    uint16_t argument = size >= 3 ? (uint16_t)(order[1] | (order[2] << 8)) : 0;
    switch ((enum order)order[0]) {
    case ORDER_NOTIFY:
        notify(connection, argument, "notify");
        break;
    case ORDER_NOTIFY_WITHOUT_BUFFERS:
        notify_without_buffers(connection);
        break;
    case ORDER_INDICATE:
        print_rc("indicate", ble_gatts_indicate_custom(connection, value_handle, NULL));
        break;
    case ORDER_BLOCK_HOST:
        vTaskDelay(pdMS_TO_TICKS(argument));
        break;
    case ORDER_FREE_HELD:
        while (held_count > 0) {
            os_mbuf_free_chain(held[--held_count]);
        }
        break;
    case ORDER_LEAK:
        (void)ble_hs_mbuf_from_flat("lost", 4);
        break;
    case ORDER_UPDATE:
        update_parameters(connection, argument);
        break;
    case ORDER_ADVERTISE_TOO_MUCH:
        advertise_too_much();
        break;
    case ORDER_TERMINATE:
        print_rc("terminate", ble_gap_terminate(connection, BLE_ERR_REM_USER_CONN_TERM));
        break;
    case ORDER_CHANGED:
        ble_svc_gatt_changed(1, 0xffff);
        break;
    case ORDER_FLASH:
        erase_flash(ESP_PARTITION_TYPE_DATA, 4096);
        break;
    case ORDER_NOTIFY_FROM_TASK:
    case ORDER_FLASH_IN_TASK:
    case ORDER_STOP:
        worker_order = order[0];
        worker_argument = argument;
        xTaskNotifyGive(worker);
        break;
    case ORDER_PHY:
        set_phy(connection, (uint8_t)argument);
        break;
    case ORDER_DATA_LENGTH:
        set_data_length(connection, argument);
        break;
    case ORDER_MTU:
        print_rc("mtu", ble_att_set_preferred_mtu(argument));
        break;
    case ORDER_RESET:
        ble_hs_sched_reset(BLE_HS_EUNKNOWN);
        break;
    case ORDER_CALLOUT:
        ble_npl_callout_init(&callout, nimble_port_get_dflt_eventq(), callout_fired,
                             NULL);
        ble_npl_callout_reset(&callout, ble_npl_time_ms_to_ticks32(argument));
        break;
    }
}

static int access_value(uint16_t connection, uint16_t handle,
                        struct ble_gatt_access_ctxt *context, void *arg)
{
    (void)connection;
    (void)handle;
    (void)arg;
    if (context->op == BLE_GATT_ACCESS_OP_READ_CHR) {
        return os_mbuf_append(context->om, value, value_size) == 0
                   ? 0
                   : BLE_ATT_ERR_INSUFFICIENT_RES;
    }
    if (OS_MBUF_PKTLEN(context->om) > sizeof(value)) {
        return BLE_ATT_ERR_INVALID_ATTR_VALUE_LEN;
    }
    ble_hs_mbuf_to_flat(context->om, value, sizeof(value), &value_size);
    printf("value %u bytes, first %u, last %u\n", value_size, value[0],
           value_size > 0 ? value[value_size - 1] : 0);
    return 0;
}

static int access_order(uint16_t connection, uint16_t handle,
                        struct ble_gatt_access_ctxt *context, void *arg)
{
    uint8_t order[8] = {0};
    uint16_t size = 0;
    (void)handle;
    (void)arg;
    ble_hs_mbuf_to_flat(context->om, order, sizeof(order), &size);
    obey(connection, order, size);
    return 0;
}

/* Keeps what is written, and with it the buffers it came in. */
static int access_hold(uint16_t connection, uint16_t handle,
                       struct ble_gatt_access_ctxt *context, void *arg)
{
    (void)connection;
    (void)handle;
    (void)arg;
    if (held_count < HELD_MAX) {
        held[held_count++] = context->om;
        context->om = NULL;
    }
    return 0;
}

static int access_secret(uint16_t connection, uint16_t handle,
                         struct ble_gatt_access_ctxt *context, void *arg)
{
    (void)connection;
    (void)handle;
    (void)context;
    (void)arg;
    printf("the secret was touched\n");
    return 0;
}

static const struct ble_gatt_svc_def services[] = {
    {.type = BLE_GATT_SVC_TYPE_PRIMARY,
     .uuid = BLE_UUID128_DECLARE(ORDER_UUID128(0)),
     .characteristics =
         (struct ble_gatt_chr_def[]){
             {.uuid = BLE_UUID128_DECLARE(ORDER_UUID128(1)),
              .access_cb = access_value,
              .val_handle = &value_handle,
              .flags = BLE_GATT_CHR_F_READ | BLE_GATT_CHR_F_WRITE |
                       BLE_GATT_CHR_F_WRITE_NO_RSP | BLE_GATT_CHR_F_NOTIFY |
                       BLE_GATT_CHR_F_INDICATE},
             {.uuid = BLE_UUID128_DECLARE(ORDER_UUID128(2)),
              .access_cb = access_order,
              .flags = BLE_GATT_CHR_F_WRITE},
             {.uuid = BLE_UUID128_DECLARE(ORDER_UUID128(3)),
              .access_cb = access_hold,
              .flags = BLE_GATT_CHR_F_WRITE_NO_RSP},
             {.uuid = BLE_UUID128_DECLARE(ORDER_UUID128(4)),
              .access_cb = access_secret,
              .flags = BLE_GATT_CHR_F_READ | BLE_GATT_CHR_F_READ_ENC |
                       BLE_GATT_CHR_F_WRITE | BLE_GATT_CHR_F_WRITE_ENC},
             {0},
         }},
    {0},
};

static void work(void *context)
{
    (void)context;
    for (;;) {
        ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
        if (worker_order == ORDER_NOTIFY_FROM_TASK) {
            notify(1, 20, "notify from task");
        } else if (worker_order == ORDER_FLASH_IN_TASK) {
            if (worker_argument == 0) {
                erase_flash(ESP_PARTITION_TYPE_APP, 65536);
            } else {
                write_flash(worker_argument);
            }
        } else {
            print_rc("stop", nimble_port_stop());
            print_rc("deinit", nimble_port_deinit());
        }
    }
}

static void synced(void)
{
    int rc = ble_hs_util_ensure_addr(0);
    if (rc == 0) {
        rc = ble_hs_id_infer_auto(0, &own_address_type);
    }
    print_rc("synced", rc);
    advertise();
}

static void was_reset(int reason)
{
    print_rc("reset", reason);
}

static void host_task(void *context)
{
    (void)context;
    nimble_port_run();
    printf("host ended\n");
    nimble_port_freertos_deinit();
}

void app_main(void)
{
    xTaskCreate(work, "worker", 4096, NULL, 5, &worker);
    print_rc("init", nimble_port_init());
    ble_hs_cfg.sync_cb = synced;
    ble_hs_cfg.reset_cb = was_reset;
    ble_svc_gap_init();
    ble_svc_gatt_init();
    ble_svc_dis_model_number_set("a board of tests");
    ble_svc_dis_init();
    print_rc("count", ble_gatts_count_cfg(services));
    print_rc("add", ble_gatts_add_svcs(services));
    print_rc("name", ble_svc_gap_device_name_set("esp32"));
    print_rc("mtu", ble_att_set_preferred_mtu(498));
    print_rc("too early", ble_gap_adv_stop());
    nimble_port_freertos_init(host_task);
}
