/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Gives virtual controllers to this computer's kernel: adapters for its own bluetoothd.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "sim/radio/hci.h"
#include "sim/tool/supervisor.h"

/* A driver of the kernel (hci_vhci): each open file is a controller, each read and write
 * one H4 packet. One packet type is its own: the request to make the controller, and the
 * answer with its index. */
#define VHCI_PATH         "/dev/vhci"
#define VHCI_VENDOR       0xFF
#define VHCI_TYPE_PRIMARY 0x00
#define VHCI_ANSWER_SIZE  4 /* type, opcode, index u16 */
#define VHCI_PACKET_MAX   2048u
#define VHCI_LINKS        8u

#define VHCI_CID_ATT          0x0004
#define VHCI_ATT_NOTIFICATION 0x1B
/* How long notifications are kept back for others to come. */
#define VHCI_KEPT_US 100000u

/* The kernel queues what it is given; there is no end to its room. */
static void give(const struct vhci *vhci, const uint8_t *packet, size_t size)
{
    if (vhci->file >= 0 && write(vhci->file, packet, size) < 0) {
        complain("%s: %s", VHCI_PATH, strerror(errno));
    }
}

/* ---- notifications that are lost, or come late and at once ---- */

/* An L2CAP header, then an ATT PDU (Core Specification, Vol 3, Part A, 3.1, and Part F,
 * 3.4.7.1). */
static bool is_notification(const uint8_t *packet, size_t size)
{
    const uint8_t *l2cap = packet + HCI_ACL_HEADER_SIZE;
    return size > HCI_ACL_HEADER_SIZE + 4u && packet[0] == HCI_H4_ACL &&
           HCI_ACL_BOUNDARY(hci_get_le16(packet + 1)) == HCI_ACL_FIRST &&
           hci_get_le16(l2cap + 2) == VHCI_CID_ATT && l2cap[4] == VHCI_ATT_NOTIFICATION;
}

static void give_kept(struct vhci *vhci)
{
    sim_loop_cancel(vhci->supervisor->loop, &vhci->late);
    for (unsigned i = 0; i < vhci->kept_count; i++) {
        give(vhci, vhci->kept[i].bytes, vhci->kept[i].size);
    }
    vhci->kept_count = 0;
    vhci->kept_notifications = 0;
}

static void on_late(void *context)
{
    give_kept(context);
}

/* What comes after a notification that is kept back waits with it: on a link, nothing
 * overtakes. */
static void keep(struct vhci *vhci, const uint8_t *packet, size_t size, bool notification)
{
    struct vhci_kept *kept = &vhci->kept[vhci->kept_count++];
    memcpy(kept->bytes, packet, size);
    kept->size = size;
    vhci->kept_notifications += notification;
    if (vhci->kept_notifications == vhci->supervisor->notifications.every ||
        vhci->kept_count == VHCI_KEPT_MAX) {
        give_kept(vhci);
    } else if (!sim_event_armed(&vhci->late)) {
        sim_loop_after(vhci->supervisor->loop, &vhci->late, VHCI_KEPT_US);
    }
}

static bool on_packet(void *context, const uint8_t *packet, size_t size)
{
    struct vhci *vhci = context;
    struct vhci_notifications *rule = &vhci->supervisor->notifications;
    bool notification = is_notification(packet, size);
    rule->count += notification;
    if (rule->lose && notification && rule->count % rule->every == 0) {
        rule->lost++;
    } else if (!rule->lose && rule->every > 1 && packet[0] == HCI_H4_ACL &&
               (notification || vhci->kept_count > 0)) {
        keep(vhci, packet, size, notification);
    } else {
        give(vhci, packet, size);
    }
    return true;
}

void vhci_notifications(struct supervisor *supervisor, bool lose, unsigned every,
                        struct vhci_notifications *ret_before)
{
    for (size_t i = 0; i < supervisor->vhci_count; i++) {
        give_kept(&supervisor->vhci[i]);
    }
    *ret_before = supervisor->notifications;
    supervisor->notifications = (struct vhci_notifications){.lose = lose, .every = every};
}

/* ---- the kernel's end ---- */

static int on_readable(sd_event_source *source, int file, uint32_t events, void *context)
{
    struct vhci *vhci = context;
    uint8_t packet[VHCI_PACKET_MAX];
    ssize_t size;
    (void)source, (void)events;
    while ((size = read(file, packet, sizeof(packet))) > 0) {
        if (packet[0] != VHCI_VENDOR) {
            sim_controller_send(vhci->controller, packet, (size_t)size);
        } else if (size == VHCI_ANSWER_SIZE && vhci->supervisor->options.verbose) {
            complain("the kernel has hci%u", hci_get_le16(packet + 2));
        }
    }
    if (size < 0 && errno != EAGAIN && errno != EINTR) {
        complain("%s: %s", VHCI_PATH, strerror(errno));
        vhci->supervisor->ending = true;
        vhci->supervisor->status = 1;
    }
    return 0;
}

static void make_controller(struct supervisor *supervisor, struct vhci *vhci,
                            uint8_t number)
{
    static const struct sim_host_ops host = {.packet = on_packet};
    const struct sim_controller_config config = {
        .address = {0x02, 0x75, 0x70, 0x64, 0x72, number},
        .phy_2m = supervisor->options.air->phy_2m,
        .data_length = supervisor->options.air->data_length,
        .connections_max = VHCI_LINKS,
    };
    vhci->supervisor = supervisor;
    vhci->file = -1;
    vhci->late = (sim_event_t){.fire = on_late, .context = vhci};
    vhci->controller = sim_controller_new(supervisor->air, &config, &host, vhci);
    sim_controller_power(vhci->controller, false);
}

static void unplug(struct vhci *vhci)
{
    vhci->source = sd_event_source_disable_unref(vhci->source);
    give_kept(vhci);
    if (vhci->file >= 0) {
        close(vhci->file);
        vhci->file = -1;
    }
    sim_controller_power(vhci->controller, false);
}

static int plug(struct vhci *vhci)
{
    static const uint8_t request[] = {VHCI_VENDOR, VHCI_TYPE_PRIMARY};
    vhci->file = open(VHCI_PATH, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (vhci->file < 0) {
        complain("%s: %s (has the kernel hci_vhci, and may this user open it?)",
                 VHCI_PATH, strerror(errno));
        return -1;
    }
    sim_controller_power(vhci->controller, true);
    int result = sd_event_add_io(vhci->supervisor->event, &vhci->source, vhci->file,
                                 EPOLLIN, on_readable, vhci);
    if (result < 0 || write(vhci->file, request, sizeof(request)) != sizeof(request)) {
        complain("%s: %s", VHCI_PATH, strerror(result < 0 ? -result : errno));
        return -1;
    }
    return 0;
}

int vhci_start(struct supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->options.adapters; i++) {
        make_controller(supervisor, &supervisor->vhci[i], (uint8_t)i);
        supervisor->vhci_count++;
    }
    return vhci_plug(supervisor, true);
}

int vhci_plug(struct supervisor *supervisor, bool on)
{
    for (size_t i = 0; i < supervisor->vhci_count; i++) {
        unplug(&supervisor->vhci[i]);
    }
    for (size_t i = 0; on && i < supervisor->vhci_count; i++) {
        if (plug(&supervisor->vhci[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

void vhci_stop(struct supervisor *supervisor)
{
    (void)vhci_plug(supervisor, false);
    supervisor->vhci_count = 0;
}
