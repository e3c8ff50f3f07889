/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A central's side of the Attribute Protocol: one request at a time, commands between. */
#include "sim/central/att.h"

#include <string.h>

#include "sim/central/internal.h"

#define PREPARE_HEADER 5u
#define WRITE_HEADER   3u

/* ---- what the API queues ---- */

static struct request *queue_request(sim_central_t *central, sim_peer_t *peer)
{
    struct link *link = peer->link;
    if (peer->central != central || peer->state != PEER_CONNECTED ||
        link->request_count == REQUESTS_MAX) {
        return NULL;
    }
    size_t at = (link->request_first + link->request_count) % REQUESTS_MAX;
    link->request_count++;
    central_pump_soon(central);
    return &link->requests[at];
}

bool sim_central_read_from(sim_central_t *central, sim_peer_t *peer, uint16_t handle,
                           uint16_t offset, uint64_t token)
{
    struct request *request = queue_request(central, peer);
    if (request == NULL) {
        return false;
    }
    request->kind = REQUEST_READ;
    request->token = token;
    request->handle = handle;
    request->offset = offset;
    request->size = 0;
    return true;
}

bool sim_central_read(sim_central_t *central, sim_peer_t *peer, uint16_t handle,
                      uint64_t token)
{
    return sim_central_read_from(central, peer, handle, 0, token);
}

static bool queue_write_request(sim_central_t *central, sim_peer_t *peer, uint16_t handle,
                                uint16_t offset, const uint8_t *bytes, size_t size,
                                bool prepared, uint64_t token)
{
    if (size > ATT_VALUE_MAX) {
        return false;
    }
    struct request *request = queue_request(central, peer);
    if (request == NULL) {
        return false;
    }
    request->kind = prepared ? REQUEST_WRITE_PREPARED : REQUEST_WRITE;
    request->token = token;
    request->handle = handle;
    request->offset = offset;
    request->size = (uint16_t)size;
    if (size > 0) {
        memcpy(request->bytes, bytes, size);
    }
    return true;
}

bool sim_central_write_at(sim_central_t *central, sim_peer_t *peer, uint16_t handle,
                          uint16_t offset, const uint8_t *bytes, size_t size,
                          uint64_t token)
{
    return queue_write_request(central, peer, handle, offset, bytes, size, true, token);
}

static struct write_command *queue_command(sim_central_t *central, sim_peer_t *peer)
{
    struct link *link = peer->link;
    if (peer->central != central || peer->state != PEER_CONNECTED ||
        link->write_count == WRITES_MAX) {
        return NULL;
    }
    size_t at = (link->write_first + link->write_count) % WRITES_MAX;
    link->write_count++;
    central_pump_soon(central);
    return &link->writes[at];
}

bool sim_central_write(sim_central_t *central, sim_peer_t *peer, uint16_t handle,
                       const uint8_t *bytes, size_t size, bool request, uint64_t token)
{
    if (request) {
        return queue_write_request(central, peer, handle, 0, bytes, size, false, token);
    }
    struct write_command *write = queue_command(central, peer);
    if (write == NULL) {
        return false;
    }
    write->token = token;
    write->reported = true;
    write->att_error =
        size > peer->link->mtu - WRITE_HEADER ? ATT_ERROR_INVALID_VALUE_LENGTH : 0;
    write->size = 0;
    if (write->att_error == 0) {
        write->size = (uint16_t)(WRITE_HEADER + size);
        write->pdu[0] = ATT_WRITE_COMMAND;
        hci_put_le16(&write->pdu[1], handle);
        if (size > 0) {
            memcpy(&write->pdu[WRITE_HEADER], bytes, size);
        }
    }
    return true;
}

bool sim_central_raw(sim_central_t *central, sim_peer_t *peer, const uint8_t *bytes,
                     size_t size)
{
    if (size > ATT_MTU_MAX) {
        return false;
    }
    struct write_command *write = queue_command(central, peer);
    if (write == NULL) {
        return false;
    }
    write->reported = false;
    write->att_error = 0;
    write->size = (uint16_t)size;
    if (size > 0) {
        memcpy(write->pdu, bytes, size);
    }
    return true;
}

/* ---- the transaction under way ---- */

static void transaction_timeout(void *context)
{
    sim_peer_t *peer = context;
    if (peer->state == PEER_CONNECTED) {
        central_hang_up(peer, HCI_ERR_REMOTE_USER_TERMINATED);
    }
}

static void transaction_begin(sim_peer_t *peer, enum transaction transaction,
                              uint8_t opcode)
{
    struct link *link = peer->link;
    link->transaction = transaction;
    link->transaction_opcode = opcode;
    link->transaction_timer = (sim_event_t){.fire = transaction_timeout, .context = peer};
    sim_loop_after(peer->central->loop, &link->transaction_timer, ATT_TRANSACTION_US);
}

static size_t put_read(struct link *link, const struct request *request, uint8_t *pdu)
{
    uint16_t offset = (uint16_t)(request->offset + link->value_size);
    pdu[0] = offset == 0 ? ATT_READ_REQUEST : ATT_READ_BLOB_REQUEST;
    hci_put_le16(&pdu[1], request->handle);
    if (offset == 0) {
        return 3;
    }
    hci_put_le16(&pdu[3], offset);
    return 5;
}

static size_t put_write(struct link *link, struct request *request, uint8_t *pdu)
{
    if (request->kind == REQUEST_WRITE && request->size <= link->mtu - WRITE_HEADER) {
        pdu[0] = ATT_WRITE_REQUEST;
        hci_put_le16(&pdu[1], request->handle);
        memcpy(&pdu[WRITE_HEADER], request->bytes, request->size);
        return WRITE_HEADER + request->size;
    }
    request->kind = REQUEST_WRITE_PREPARED;
    size_t left = request->size - link->prepared;
    if ((left == 0 && link->prepared > 0) || link->prepared_error != 0) {
        pdu[0] = ATT_EXECUTE_WRITE_REQUEST;
        pdu[1] = link->prepared_error == 0;
        return 2;
    }
    size_t size = link->mtu - PREPARE_HEADER;
    size = left < size ? left : size;
    pdu[0] = ATT_PREPARE_WRITE_REQUEST;
    hci_put_le16(&pdu[1], request->handle);
    hci_put_le16(&pdu[3], (uint16_t)(request->offset + link->prepared));
    memcpy(&pdu[PREPARE_HEADER], request->bytes + link->prepared, size);
    link->prepared += size;
    return PREPARE_HEADER + size;
}

size_t att_next_request(sim_peer_t *peer, uint8_t *ret_pdu)
{
    struct link *link = peer->link;
    if (link->transaction != TRANSACTION_NONE) {
        return 0;
    }
    if (link->step != RESOLVE_DONE) {
        size_t size = resolve_next_request(peer, ret_pdu);
        if (size > 0) {
            transaction_begin(peer, TRANSACTION_RESOLVE, ret_pdu[0]);
            return size;
        }
    }
    if (link->request_count == 0 || link->step != RESOLVE_DONE) {
        return 0;
    }
    struct request *request = &link->requests[link->request_first];
    size_t size = request->kind == REQUEST_READ ? put_read(link, request, ret_pdu)
                                                : put_write(link, request, ret_pdu);
    transaction_begin(peer, TRANSACTION_REQUEST, ret_pdu[0]);
    return size;
}

static void request_done(sim_peer_t *peer, uint8_t att_error)
{
    struct link *link = peer->link;
    sim_central_t *central = peer->central;
    const struct request *request = &link->requests[link->request_first];
    bool is_read = request->kind == REQUEST_READ;
    uint64_t token = request->token;
    link->request_first = (link->request_first + 1) % REQUESTS_MAX;
    link->request_count--;
    size_t size = link->value_size;
    link->value_size = 0;
    link->prepared = 0;
    link->prepared_error = 0;
    if (is_read) {
        central->ops.read_done(central->context, peer, token, att_error, link->value,
                               att_error == 0 ? size : 0);
    } else {
        central->ops.write_done(central->context, peer, token, att_error);
    }
}

/* Is there more of the value after a part of this size? A full part says: perhaps. */
static bool read_goes_on(struct link *link, const uint8_t *bytes, size_t size)
{
    size_t room = sizeof(link->value) - link->value_size;
    size_t taken = size < room ? size : room;
    memcpy(link->value + link->value_size, bytes, taken);
    link->value_size += taken;
    return size == link->mtu - 1u && link->value_size < sizeof(link->value);
}

static void request_error(sim_peer_t *peer, uint8_t att_error)
{
    struct link *link = peer->link;
    if (link->transaction_opcode == ATT_READ_BLOB_REQUEST && link->value_size > 0 &&
        (att_error == ATT_ERROR_INVALID_OFFSET ||
         att_error == ATT_ERROR_ATTRIBUTE_NOT_LONG)) {
        request_done(peer, 0); /* the part before was the last, and full */
    } else if (link->transaction_opcode == ATT_PREPARE_WRITE_REQUEST) {
        link->prepared_error = att_error; /* the queue at the peer must be emptied */
    } else {
        request_done(peer, att_error);
        if (att_error == ATT_ERROR_DATABASE_OUT_OF_SYNC &&
            peer->state == PEER_CONNECTED) {
            resolve_again(peer);
        }
    }
}

static void request_input(sim_peer_t *peer, const uint8_t *bytes, size_t size)
{
    struct link *link = peer->link;
    switch (bytes[0]) {
    case ATT_ERROR_RESPONSE:
        request_error(peer, size >= 5 && bytes[4] != 0 ? bytes[4] : ATT_ERROR_UNLIKELY);
        break;
    case ATT_READ_RESPONSE:
    case ATT_READ_BLOB_RESPONSE:
        if (!read_goes_on(link, bytes + 1, size - 1)) {
            request_done(peer, 0);
        }
        break;
    case ATT_PREPARE_WRITE_RESPONSE:
        break; /* the next part follows */
    case ATT_EXECUTE_WRITE_RESPONSE:
        request_done(peer, link->prepared_error);
        break;
    default: /* ATT_WRITE_RESPONSE */
        request_done(peer, 0);
        break;
    }
}

/* ---- what arrives ---- */

static void answer_error(sim_peer_t *peer, uint8_t opcode, uint16_t handle, uint8_t error)
{
    uint8_t answer[5] = {ATT_ERROR_RESPONSE, opcode, 0, 0, error};
    hci_put_le16(&answer[2], handle);
    l2cap_answer(peer, L2CAP_CHANNEL_ATT, answer, sizeof(answer));
}

/* This side has no attributes to show: what a server without any says. */
static void server_input(sim_peer_t *peer, const uint8_t *bytes, size_t size)
{
    struct link *link = peer->link;
    uint16_t handle = size >= 3 ? hci_get_le16(&bytes[1]) : 0;
    switch (bytes[0]) {
    case ATT_MTU_REQUEST:
        if (size == 3) {
            uint16_t ours = peer->central->config.profile->mtu;
            uint16_t mtu = handle < ours ? handle : ours;
            uint8_t answer[3] = {ATT_MTU_RESPONSE};
            hci_put_le16(&answer[1], ours);
            l2cap_answer(peer, L2CAP_CHANNEL_ATT, answer, sizeof(answer));
            link->mtu = mtu > link->mtu ? mtu : link->mtu;
        } else {
            answer_error(peer, bytes[0], 0, ATT_ERROR_INVALID_PDU);
        }
        break;
    case ATT_FIND_INFORMATION_REQUEST:
    case ATT_READ_BY_TYPE_REQUEST:
    case ATT_READ_BY_GROUP_TYPE_REQUEST:
        answer_error(peer, bytes[0], handle, ATT_ERROR_ATTRIBUTE_NOT_FOUND);
        break;
    case ATT_READ_REQUEST:
    case ATT_READ_BLOB_REQUEST:
    case ATT_WRITE_REQUEST:
    case ATT_PREPARE_WRITE_REQUEST:
        answer_error(peer, bytes[0], handle, ATT_ERROR_INVALID_HANDLE);
        break;
    default:
        if ((bytes[0] & ATT_COMMAND_FLAG) == 0) {
            answer_error(peer, bytes[0], 0, ATT_ERROR_REQUEST_NOT_SUPPORTED);
        }
        break;
    }
}

static void value_input(sim_peer_t *peer, const uint8_t *bytes, size_t size)
{
    sim_central_t *central = peer->central;
    bool indication = bytes[0] == ATT_INDICATION;
    if (indication) {
        static const uint8_t confirmation[1] = {ATT_CONFIRMATION};
        l2cap_answer(peer, L2CAP_CHANNEL_ATT, confirmation, sizeof(confirmation));
    }
    if (size < 3) {
        return;
    }
    uint16_t handle = hci_get_le16(&bytes[1]);
    central->ops.notified(central->context, peer, handle, bytes + 3, size - 3);
    if (indication && peer->state == PEER_CONNECTED) {
        resolve_indication(peer, handle);
    }
}

/* Does this PDU end the transaction under way? */
static bool is_response(const struct link *link, const uint8_t *bytes, size_t size)
{
    if (link->transaction == TRANSACTION_NONE) {
        return false;
    }
    if (bytes[0] == ATT_ERROR_RESPONSE) {
        return size >= 2 && bytes[1] == link->transaction_opcode;
    }
    return bytes[0] == link->transaction_opcode + 1;
}

void att_input(sim_peer_t *peer, const uint8_t *bytes, size_t size)
{
    struct link *link = peer->link;
    sim_central_t *central = peer->central;
    if (size == 0 || peer->state != PEER_CONNECTED) {
        return;
    }
    if (central->ops.att_received != NULL) {
        central->ops.att_received(central->context, peer, bytes, size);
    }
    if (bytes[0] == ATT_NOTIFICATION || bytes[0] == ATT_INDICATION) {
        value_input(peer, bytes, size);
    } else if (is_response(link, bytes, size)) {
        enum transaction transaction = link->transaction;
        link->transaction = TRANSACTION_NONE;
        sim_loop_cancel(central->loop, &link->transaction_timer);
        central_pump_soon(central);
        if (transaction == TRANSACTION_RESOLVE) {
            resolve_input(peer, bytes, size);
        } else {
            request_input(peer, bytes, size);
        }
    } else if ((bytes[0] & 1) == 0 && bytes[0] != ATT_CONFIRMATION) {
        server_input(peer, bytes, size); /* requests and commands have even opcodes */
    }
}

/* ---- ends ---- */

void att_abandon(sim_peer_t *peer)
{
    struct link *link = peer->link;
    sim_central_t *central = peer->central;
    /* The one under way still gets its answer. */
    bool under_way = link->transaction == TRANSACTION_REQUEST || link->value_size > 0 ||
                     link->prepared > 0;
    struct {
        bool is_read;
        uint64_t token;
    } abandoned[REQUESTS_MAX];
    size_t count = 0;
    for (size_t i = under_way ? 1 : 0; i < link->request_count; i++, count++) {
        const struct request *request =
            &link->requests[(link->request_first + i) % REQUESTS_MAX];
        abandoned[count].is_read = request->kind == REQUEST_READ;
        abandoned[count].token = request->token;
    }
    link->request_count -= count;
    for (size_t i = 0; i < count; i++) {
        if (abandoned[i].is_read) {
            central->ops.read_done(central->context, peer, abandoned[i].token,
                                   SIM_CENTRAL_ATT_ERROR_ABANDONED, NULL, 0);
        } else {
            central->ops.write_done(central->context, peer, abandoned[i].token,
                                    SIM_CENTRAL_ATT_ERROR_ABANDONED);
        }
    }
}

void att_link_end(sim_peer_t *peer)
{
    struct link *link = peer->link;
    sim_central_t *central = peer->central;
    if (link->output_size > 0 && link->output_reported) {
        link->output_size = 0;
        central->ops.write_done(central->context, peer, link->output_token,
                                SIM_CENTRAL_ATT_ERROR_ABANDONED);
    }
    while (link->write_count > 0) {
        const struct write_command *write = &link->writes[link->write_first];
        link->write_first = (link->write_first + 1) % WRITES_MAX;
        link->write_count--;
        if (write->reported) {
            central->ops.write_done(central->context, peer, write->token,
                                    SIM_CENTRAL_ATT_ERROR_ABANDONED);
        }
    }
    while (link->request_count > 0) {
        request_done(peer, SIM_CENTRAL_ATT_ERROR_ABANDONED);
    }
}
