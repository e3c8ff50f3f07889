/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The inside of the NimBLE host; for the files of sim/nimble alone. */
#ifndef SIM_NIMBLE_H
#define SIM_NIMBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "host/ble_hs.h"
#include "host/ble_store.h"
#include "os/os_mbuf.h"
#include "services/dis/ble_svc_dis.h"
#include "services/gap/ble_svc_gap.h"
#include "sim/idf/runtime.h"
#include "sim/nimble/binding.h"
#include "sim/radio/hci.h"

#define CONNECTIONS_MAX   9 /* ESP-IDF's own maximum */
#define ATTRIBUTES_MAX    192
#define CCCDS_MAX         32
#define TABLES_MAX        16 /* calls of ble_gatts_add_svcs */
#define INDICATIONS_MAX   4  /* BLE_GATT_MAX_PROCS */
#define HCI_EVENT_MAX     70 /* BT_NIMBLE_TRANSPORT_EVT_SIZE */
#define HCI_TIMEOUT_MS    2000
#define SYNC_RETRY_MS     100
#define ATT_TIMEOUT_MS    30000
#define STOP_TIMEOUT_MS   2000
#define UPDATE_TIMEOUT_MS 40000
#define DEVICE_NAME_MAX   248
#define L2CAP_CHANNELS    3 /* ATT, signalling, SMP */

/* Priorities and stacks of ESP-IDF: the controller's task calls the receive function. */
#define HOST_PRIORITY       (configMAX_PRIORITIES - 4)
#define CONTROLLER_PRIORITY (configMAX_PRIORITIES - 2)
#define CONTROLLER_STACK    3584
#define ACL_RETRIES         30

struct attribute;
struct connection;

/* What happens when an attribute is read or written. A write leaves in *om what the host
 * shall free. */
typedef int attribute_access_fn(struct connection *connection,
                                const struct attribute *attribute, bool write,
                                uint16_t offset, struct os_mbuf **om);

struct attribute {
    const ble_uuid_t *uuid;
    uint16_t handle;
    uint16_t end;  /* of services: the last handle of the group */
    uint8_t flags; /* BLE_ATT_F_* */
    uint8_t min_key_size;
    bool hidden;
    int16_t cccd; /* of client configurations: which; else -1 */
    attribute_access_fn *access;
    union {
        const struct ble_gatt_svc_def *service;
        const struct ble_gatt_chr_def *characteristic;
        const struct ble_gatt_dsc_def *descriptor;
        const void *definition;
    };
};

struct cccd {
    uint16_t value_handle;
    uint8_t allowed; /* 1: notifications, 2: indications */
};

struct prepared {
    SLIST_ENTRY(prepared) next;
    uint16_t handle;
    uint16_t offset;
    struct os_mbuf *value;
};
SLIST_HEAD(prepared_list, prepared);

struct channel {
    uint16_t id;
    uint16_t rx_size; /* of the L2CAP PDU that is being put together */
    struct os_mbuf *rx;
};

struct indication {
    bool active;
    uint16_t handle;
    TickType_t deadline;
};

struct advertising {
    bool active;
    bool limited; /* ends at deadline */
    TickType_t deadline;
    uint8_t own_address_type;
    ble_gap_event_fn *cb;
    void *cb_arg;
};

struct connection {
    bool used;
    uint16_t handle;
    ble_addr_t peer;
    uint8_t own_address_type;
    uint8_t role;
    uint8_t clock_accuracy;
    uint16_t interval;
    uint16_t latency;
    uint16_t timeout;
    ble_gap_event_fn *cb;
    void *cb_arg;
    bool told;  /* the firmware has had the event of its beginning */
    bool known; /* the peer's features, or that it does not tell them */
    bool terminating;
    struct advertising begun_by;
    uint64_t peer_features;
    /* The last that the controller told; 0: nothing yet. */
    uint16_t tx_octets;
    uint16_t tx_time;
    uint16_t rx_octets;
    uint16_t rx_time;
    /* L2CAP. */
    struct channel channel[L2CAP_CHANNELS];
    struct channel *rx_channel; /* continuations go to this one */
    TickType_t rx_deadline;
    bool rx_waiting;
    STAILQ_HEAD(, os_mbuf_pkthdr) tx;
    bool tx_fragment;      /* the packet at the head is partly sent */
    uint16_t outstanding;  /* ACL packets at the controller */
    uint8_t signalling_id; /* of our parameter request; 0: none */
    TickType_t signalling_deadline;
    /* ATT. */
    uint16_t own_mtu;
    uint16_t peer_mtu; /* 0: not exchanged */
    struct prepared_list prepared;
    TickType_t prepared_deadline;
    uint8_t cccd_flags[CCCDS_MAX];
    bool cccd_modified[CCCDS_MAX];
    uint16_t indicated; /* value handle; 0: none outstanding */
    struct indication indication[INDICATIONS_MAX];
    uint8_t client_features;
    bool aware;
    /* Connection parameters that the firmware asked for. */
    bool updating;
    struct ble_gap_upd_params update;
    TickType_t update_deadline;
};

struct hci_event_item {
    STAILQ_ENTRY(hci_event_item) next;
    uint16_t size;
    uint8_t bytes[HCI_EVENT_MAX]; /* event code, length, parameters */
};

enum enabled_state {
    HOST_OFF,
    HOST_STOPPING,
    HOST_ON,
};

struct pool {
    struct os_mbuf_pool pool; /* first: mbufs point to it */
    struct os_mbuf *free;
    uint16_t count;
    uint16_t free_count;
    void *memory;
};

/* All of one board's host. Lives in the board's memory for the host and so begins as
 * zeroes at each boot. */
struct nimble {
    sim_board_t *board;
    const struct sim_nimble_binding *binding; /* NULL before nimble_port_init */
    /* Buffers. */
    struct pool msys_1;
    struct pool msys_2;
    struct pool acl;
    /* From the controller. */
    struct hci_event_item *events; /* pool */
    STAILQ_HEAD(, hci_event_item) events_free;
    STAILQ_HEAD(, hci_event_item) events_ready;
    STAILQ_HEAD(, os_mbuf_pkthdr) acl_ready;
    /* Which of the two queues each next arrival is in, oldest first, as bits of a ring:
     * events and data are handled in the order they came. */
    uint8_t arrivals[128];
    uint8_t arrivals_first;
    uint8_t arrivals_count;
    TaskHandle_t controller_task;
    bool receiving; /* the controller's task holds a packet that found no buffer */
    uint16_t received_size;
    uint8_t received[HCI_ACL_HEADER_SIZE + 255];
    uint32_t acl_dropped;
    /* Commands. */
    SemaphoreHandle_t command_mutex;
    SemaphoreHandle_t answer;
    bool answer_awaited;
    uint16_t answer_size;
    uint8_t answer_bytes[HCI_EVENT_MAX];
    uint8_t controller_version;
    uint64_t controller_features;
    uint16_t acl_credits;
    uint16_t acl_payload_max;
    /* Host. */
    enum enabled_state enabled;
    bool synced;
    bool start_scheduled;
    bool sync_retry;
    TickType_t sync_deadline;
    bool reset_scheduled;
    int reset_reason;
    bool running;
    bool stop_requested;
    TickType_t stop_deadline;
    SemaphoreHandle_t stopped;
    TaskHandle_t host_task;
    STAILQ_HEAD(, ble_npl_event) npl_events;
    LIST_HEAD(, ble_npl_callout) callouts;
    /* Addresses, least significant byte first. */
    uint8_t public_address[6];
    uint8_t random_address[6];
    /* GAP. */
    struct connection connections[CONNECTIONS_MAX];
    struct advertising advertising;
    SLIST_HEAD(, ble_gap_event_listener) listeners;
    uint8_t signalling_next_id;
    /* GATT. */
    const struct ble_gatt_svc_def *tables[TABLES_MAX];
    size_t tables_count;
    uint16_t cccds_configured; /* by ble_gatts_count_cfg */
    uint16_t preferred_mtu;
    bool registered;
    struct attribute attributes[ATTRIBUTES_MAX];
    uint16_t attributes_count;
    struct cccd cccds[CCCDS_MAX];
    uint16_t cccds_count;
    uint16_t prepared_count;
    /* Services of the host. */
    char device_name[DEVICE_NAME_MAX + 1];
    bool device_name_set;
    uint16_t appearance;
    bool appearance_set;
    ble_svc_gap_chr_changed_fn *gap_changed;
    uint16_t changed_handle;
    uint16_t hash_handle;
    uint16_t client_features_handle;
    struct ble_gatt_chr_def dis_characteristics[9];
    struct ble_gatt_svc_def dis_services[2];
    uint16_t changed_start;
    uint16_t changed_end;
    int controller_status; /* esp_bt_controller_status_t */
};

/* Names of this part alone: neither firmware nor a program above sees them. */
#pragma GCC visibility push(hidden)

/* port.c: the running board's host. Panics when there is no board. */
struct nimble *nimble_state(void);
/* The same, after nimble_port_init; panics otherwise, as the chip would. */
struct nimble *nimble_ready(const char *function);
/* True if this is the host of ESP-IDF major.minor or a later one. */
bool nimble_since(const struct nimble *n, int major, int minor);
TickType_t nimble_ticks(const struct nimble *n, uint32_t ms);
/* Lets the host's task look for work. */
void nimble_wake(struct nimble *n);
bool nimble_due(TickType_t deadline);

/* mbuf.c */
bool pool_init(struct pool *pool, uint16_t count, uint16_t block_size);
void pool_free(struct pool *pool);
struct os_mbuf *nimble_packet(uint16_t leading_space); /* NULL: none left */
struct os_mbuf *nimble_l2cap_packet(void);
/* A packet of received ACL data; NULL: none left. */
struct os_mbuf *nimble_acl_packet(struct nimble *n, const uint8_t *bytes, uint16_t size);

/* receive.c */
void receive_open(struct nimble *n);
void receive_close(struct nimble *n);
/* The oldest event or data that waits; false: nothing. Exactly one is set. */
bool receive_next(struct nimble *n, struct hci_event_item **ret_event,
                  struct os_mbuf **ret_data);
void receive_event_free(struct nimble *n, struct hci_event_item *event);
void receive_clear(struct nimble *n);

/* hci.c */
/* Sends a command and waits for its answer. Returns 0, BLE_HS_HCI_ERR(status), or an
 * error of the host. ret_results (may be NULL) takes results_size bytes after the
 * status. */
int nimble_hci_command(uint16_t opcode, const void *parameters, size_t size,
                       void *ret_results, size_t results_size);
int nimble_hci_start_up(struct nimble *n);
void nimble_hci_event(struct nimble *n, const uint8_t *bytes, uint16_t size);

/* host.c */
void host_reset_schedule(struct nimble *n, int reason);
void host_work(struct nimble *n);
TickType_t host_idle_ticks(struct nimble *n);
void host_start(struct nimble *n);

/* l2cap.c */
void nimble_l2cap_input(struct nimble *n, struct os_mbuf *om);
/* Consumes om. */
int nimble_l2cap_send(struct connection *c, uint16_t channel, struct os_mbuf *om);
/* Sends what waits for credits or buffers. */
void nimble_l2cap_pump(struct nimble *n);
int nimble_l2cap_ask_parameters(struct connection *c,
                                const struct ble_gap_upd_params *wish);
void nimble_l2cap_discard(struct connection *c, struct channel *channel);

/* att.c and its parts */
void nimble_att_input(struct connection *c, struct os_mbuf **om);
uint16_t nimble_att_mtu(const struct connection *c);
/* Answers a request: with om if status is 0, else with att_error (0: not at all). Takes
 * om. */
int nimble_att_respond(struct connection *c, int status, struct os_mbuf *om, uint8_t op,
                       uint8_t att_error, uint16_t handle);
/* An opcode and size bytes after it, at the front of om. Returns where the bytes go;
 * NULL: no room. */
uint8_t *nimble_att_prepare(struct os_mbuf *om, uint8_t op, uint16_t size);
/* A fresh packet for a response, or the request's own for an error response. */
int nimble_att_packet(struct os_mbuf **request, struct os_mbuf **ret_response,
                      uint8_t *ret_att_error);
int nimble_att_read(struct connection *c, const struct attribute *attribute,
                    uint16_t offset, struct os_mbuf *om, uint8_t *ret_att_error);
int nimble_att_write(struct connection *c, const struct attribute *attribute,
                     uint16_t offset, struct os_mbuf **om, uint8_t *ret_att_error);
int nimble_att_permitted(struct connection *c, const struct attribute *attribute,
                         bool write, uint8_t *ret_att_error);
void nimble_att_find_information(struct connection *c, struct os_mbuf **om);
void nimble_att_find_by_type_value(struct connection *c, struct os_mbuf **om);
void nimble_att_read_by_type(struct connection *c, struct os_mbuf **om);
void nimble_att_read_by_group_type(struct connection *c, struct os_mbuf **om);
void nimble_att_prepare_write(struct connection *c, struct os_mbuf **om);
void nimble_att_execute_write(struct connection *c, struct os_mbuf **om);
void nimble_att_prepared_clear(struct nimble *n, struct prepared_list *list);

/* gatts.c */
const struct attribute *gatts_attribute(struct nimble *n, uint16_t handle);
int gatts_register_all(struct nimble *n);
/* Value of a UUID as ATT sends it; returns its size, 2 or 16. */
uint8_t uuid_put(uint8_t *target, const ble_uuid_t *uuid);
bool uuid_equals(const ble_uuid_t *uuid, const uint8_t *bytes, size_t size);

/* services.c: looks up the handles of the host's own characteristics. */
void services_registered(struct nimble *n);

/* gatts_tx.c */
void gatts_confirmed(struct connection *c);
void gatts_disconnected(struct connection *c);
void gatts_send_modified(struct nimble *n);
void gatts_subscribed(struct connection *c, uint16_t value_handle, uint8_t reason,
                      uint8_t before, uint8_t after);

/* hash.c: AES-CMAC (RFC 4493). Returns 0. */
int nimble_cmac(const uint8_t key[16], const uint8_t *bytes, size_t size,
                uint8_t ret_mac[16]);

/* gap.c */
struct connection *gap_connection(struct nimble *n, uint16_t handle);
void gap_event_send(struct connection *c, struct ble_gap_event *event);
void gap_event_call(struct nimble *n, struct ble_gap_event *event, ble_gap_event_fn *cb,
                    void *cb_arg);
void gap_connected(struct nimble *n, const uint8_t *p);
void gap_broken(struct nimble *n, uint16_t handle, int reason);
void gap_updated(struct nimble *n, const uint8_t *p);
void gap_update_done(struct connection *c, int status);
void gap_parameters_requested(struct nimble *n, const uint8_t *p);
void gap_version_known(struct nimble *n, const uint8_t *p);
void gap_features_known(struct nimble *n, const uint8_t *p);
void gap_reset(struct nimble *n, int reason);
/* Timers of connections; returns ticks until the next. */
TickType_t gap_timers(struct nimble *n);

/* gap_data.c */
void gap_data_length_changed(struct nimble *n, const uint8_t *p);
void gap_phy_updated(struct nimble *n, const uint8_t *p);

/* gap_adv.c */
void gap_adv_finished(struct nimble *n, int reason);
/* After a link that did not come about: stops it, and before 5.5 starts it as it was. */
void gap_adv_again(struct nimble *n, const struct advertising *before);
TickType_t gap_adv_timer(struct nimble *n);

/* npl.c */
TickType_t npl_timers(struct nimble *n);

/* id.c */
int id_usable(struct nimble *n, uint8_t own_address_type);

#pragma GCC visibility pop

#endif
