/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Advertising, and who hears it: scanners and initiators. */
#include <assert.h>
#include <string.h>

#include "sim/radio/radio.h"

#define ADVERTISING_UNIT_US       625u
#define ADVERTISING_JITTER_US     10001u /* 0 to 10 ms: Vol 6, Part B, 4.4.2.2 */
#define DIRECTED_HIGH_INTERVAL_US 3750u
#define DIRECTED_HIGH_LIMIT_US    1280000u
#define RSSI_DBM                  (-50)

const uint8_t *controller_own_address(const sim_controller_t *controller, uint8_t type)
{
    return type == HCI_ADDRESS_RANDOM ? controller->random_address
                                      : controller->public_address;
}

static bool lost(sim_air_t *air)
{
    if (air->profile.instant || air->profile.loss <= 0) {
        return false;
    }
    return (double)(sim_random_next(&air->random) >> 11) * 0x1p-53 < air->profile.loss;
}

/* A scanner that listens for part of its interval hears that part of the events. */
static bool listens(sim_air_t *air, const struct scanner *scanner)
{
    return scanner->window >= scanner->interval ||
           sim_random_below(&air->random, scanner->interval) < scanner->window;
}

static bool known(struct scanner *scanner, uint8_t type, const uint8_t address[7])
{
    for (size_t i = 0; i < scanner->seen_count; i++) {
        if (scanner->seen[i].type == type &&
            memcmp(scanner->seen[i].address, address, 7) == 0) {
            return true;
        }
    }
    if (scanner->seen_count < CONTROLLER_SEEN_MAX) {
        scanner->seen[scanner->seen_count].type = type;
        memcpy(scanner->seen[scanner->seen_count].address, address, 7);
        scanner->seen_count++;
    }
    return false;
}

static void report(sim_controller_t *scanner, const sim_controller_t *from, uint8_t type,
                   const uint8_t *data, uint8_t size)
{
    uint8_t address[7] = {from->advertiser.own_address_type};
    memcpy(address + 1, controller_own_address(from, address[0]), 6);
    if (scanner->scanner.filter_duplicates && known(&scanner->scanner, type, address)) {
        return;
    }
    /* Reports are what a controller drops first. */
    if (scanner->events_held >= CONTROLLER_EVENTS_MAX / 2) {
        return;
    }
    uint8_t *event =
        controller_le_event(scanner, HCI_LE_EV_ADVERTISING_REPORT, (uint8_t)(11 + size));
    event[0] = 1;
    event[1] = type;
    memcpy(event + 2, address, 7);
    event[9] = size;
    memcpy(event + 10, data, size);
    event[10 + size] = (uint8_t)RSSI_DBM;
}

static uint8_t report_type(uint8_t advertising_type)
{
    static const uint8_t types[] = {
        [HCI_ADV_CONNECTABLE] = HCI_REPORT_ADV_IND,
        [HCI_ADV_DIRECTED_HIGH] = HCI_REPORT_ADV_DIRECT_IND,
        [HCI_ADV_SCANNABLE] = HCI_REPORT_ADV_SCAN_IND,
        [HCI_ADV_NONCONNECTABLE] = HCI_REPORT_ADV_NONCONN,
        [HCI_ADV_DIRECTED_LOW] = HCI_REPORT_ADV_DIRECT_IND,
    };
    assert(advertising_type < sizeof(types));
    return types[advertising_type];
}

static bool directed(const struct advertiser *advertiser)
{
    return advertiser->type == HCI_ADV_DIRECTED_HIGH ||
           advertiser->type == HCI_ADV_DIRECTED_LOW;
}

static void scan(sim_controller_t *scanner, const sim_controller_t *from)
{
    sim_air_t *air = scanner->air;
    const struct advertiser *advertiser = &from->advertiser;
    if (!scanner->scanner.enabled || directed(advertiser) ||
        !listens(air, &scanner->scanner) || lost(air)) {
        return;
    }
    uint8_t type = report_type(advertiser->type);
    report(scanner, from, type, advertiser->data, advertiser->data_size);
    bool scannable = type == HCI_REPORT_ADV_IND || type == HCI_REPORT_ADV_SCAN_IND;
    if (scannable && scanner->scanner.active && !lost(air) && !lost(air)) {
        report(scanner, from, HCI_REPORT_SCAN_RSP, advertiser->response,
               advertiser->response_size);
    }
}

static bool wants(const sim_controller_t *central, const sim_controller_t *from)
{
    const struct initiator *initiator = &central->initiator;
    const struct advertiser *advertiser = &from->advertiser;
    if (!initiator->enabled || advertiser->type == HCI_ADV_SCANNABLE ||
        advertiser->type == HCI_ADV_NONCONNECTABLE ||
        initiator->peer_address_type != advertiser->own_address_type ||
        memcmp(initiator->peer_address,
               controller_own_address(from, advertiser->own_address_type), 6) != 0) {
        return false;
    }
    if (directed(advertiser)) {
        uint8_t type = initiator->own_address_type;
        return advertiser->peer_address_type == type &&
               memcmp(advertiser->peer_address, controller_own_address(central, type),
                      6) == 0;
    }
    return true;
}

bool advertiser_rejects(const sim_air_t *air, uint8_t type, const uint8_t *address)
{
    for (sim_controller_t *peer = air->controllers; peer != NULL; peer = peer->next) {
        if (peer->refusals > 0 && peer->refusal == SIM_REFUSAL_REJECTED &&
            peer->advertiser.own_address_type == type &&
            memcmp(controller_own_address(peer, type), address, 6) == 0) {
            peer->refusals--;
            return true;
        }
    }
    return false;
}

/* True when the advertiser is connected now. */
static bool initiate(sim_controller_t *central, sim_controller_t *from)
{
    bool ignored = from->refusals > 0 && from->refusal == SIM_REFUSAL_IGNORED;
    if (!wants(central, from) || ignored || lost(central->air)) {
        return false;
    }
    bool refused = from->refusals > 0 && from->refusal != SIM_REFUSAL_REJECTED;
    from->refusals -= refused;
    bool heard = !lost(central->air) && /* CONNECT_IND */
                 !(refused && from->refusal == SIM_REFUSAL_LOST);
    struct link *link = link_new(central, from, heard);
    link->drops = refused && from->refusal == SIM_REFUSAL_DROPPED;
    central->initiator.enabled = false;
    if (heard) {
        advertiser_stop(from);
    }
    return heard;
}

static void directed_timeout(sim_controller_t *controller)
{
    advertiser_stop(controller);
    uint8_t *event = controller_le_event(controller, HCI_LE_EV_CONNECTION_COMPLETE, 18);
    event[0] = HCI_ERR_ADVERTISING_TIMEOUT;
    event[3] = HCI_ROLE_PERIPHERAL;
}

static void advertise(void *context)
{
    sim_controller_t *controller = context;
    sim_air_t *air = controller->air;
    struct advertiser *advertiser = &controller->advertiser;
    uint64_t now_us = sim_loop_now_us(air->loop);
    assert(advertiser->enabled);
    if (advertiser->until_us != 0 && now_us >= advertiser->until_us) {
        directed_timeout(controller);
        return;
    }
    uint32_t interval_us = advertiser->type == HCI_ADV_DIRECTED_HIGH
                               ? DIRECTED_HIGH_INTERVAL_US
                               : advertiser->interval * ADVERTISING_UNIT_US;
    if (!air->profile.instant) {
        interval_us += sim_random_below(&air->random, ADVERTISING_JITTER_US);
    }
    sim_loop_at(air->loop, &advertiser->event, now_us + interval_us);
    if (!controller_hears(controller)) {
        return;
    }
    for (sim_controller_t *other = air->controllers; other != NULL; other = other->next) {
        if (other == controller || !controller_hears(other)) {
            continue;
        }
        scan(other, controller);
        if (initiate(other, controller)) {
            return;
        }
    }
}

void advertiser_start(sim_controller_t *controller)
{
    struct advertiser *advertiser = &controller->advertiser;
    advertiser->enabled = true;
    advertiser->event.fire = advertise;
    advertiser->event.context = controller;
    advertiser->until_us =
        advertiser->type == HCI_ADV_DIRECTED_HIGH
            ? sim_loop_now_us(controller->air->loop) + DIRECTED_HIGH_LIMIT_US
            : 0;
    sim_loop_after(controller->air->loop, &advertiser->event, 0);
}

void advertiser_stop(sim_controller_t *controller)
{
    controller->advertiser.enabled = false;
    sim_loop_cancel(controller->air->loop, &controller->advertiser.event);
}
