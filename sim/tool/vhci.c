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

/* The kernel queues what it is given; there is no end to its room. */
static bool on_packet(void *context, const uint8_t *packet, size_t size)
{
    struct vhci *vhci = context;
    if (write(vhci->file, packet, size) < 0) {
        complain("%s: %s", VHCI_PATH, strerror(errno));
    }
    return true;
}

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
    vhci->controller = sim_controller_new(supervisor->air, &config, &host, vhci);
    sim_controller_power(vhci->controller, false);
}

static void unplug(struct vhci *vhci)
{
    vhci->source = sd_event_source_disable_unref(vhci->source);
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
