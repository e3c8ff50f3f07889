/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What a STATE means to protocol 2's client session. STATE does not say what it answers,
 * and may come late, twice, or in place of others that were lost: it is believed where it
 * is the step that comes next, and anything else only where STATUS asked for it. */
#include "bytes.h"
#include "check.h"
#include "client2_private.h"
#include "updraft/error.h"

#define PROMISE_UNIT_MS   100u
#define PROMISE_MARGIN_MS 2000u
/* A device repeats *want* for the same chunk each second. As long as the chunk may still
 * be on its way that asks for nothing new, or a slow link would fill with repetitions. */
#define ROUND_TRIP_MARGIN_MS 500u
#define ROUND_TRIP_MAX_MS    10000u
#define REPEATS_MAX          3u
#define RESTARTS_MAX         3u
/* A link that loses most of what is sent is given up: the next one begins from what has
 * arrived. Six times the file: three repairs and sending all afresh would fit. */
#define SENT_TIMES_MAX 6u

static bool concerns_us(const struct updraft_client2 *client,
                        const struct updraft_p2_report *report);
static bool refuses(struct updraft_client2 *client,
                    const struct updraft_p2_report *report, bool asked);
static void on_stream(struct updraft_client2 *client,
                      const struct updraft_p2_report *report, bool asked,
                      uint32_t now_ms);
static void opening(struct updraft_client2 *client,
                    const struct updraft_p2_report *report, bool asked, uint32_t now_ms);
static void sending(struct updraft_client2 *client,
                    const struct updraft_p2_report *report, bool asked, uint32_t now_ms);
static void verifying(struct updraft_client2 *client,
                      const struct updraft_p2_report *report, bool asked,
                      uint32_t now_ms);
static void go_back(struct updraft_client2 *client, uint32_t now_ms);
static void measure(struct updraft_client2 *client, uint32_t now_ms);
static void begin_stream(struct updraft_client2 *client,
                         const struct updraft_p2_report *report, uint32_t size_bytes);
static void repeat(struct updraft_client2 *client, uint8_t opcode);
static void restart_range(struct updraft_client2 *client, uint32_t now_ms);
static bool is_begin(const struct updraft_client2 *client,
                     const struct updraft_p2_report *report, bool asked);
static bool all_sent(const struct updraft_client2 *client);

void updraft_client2_on_state(struct updraft_client2 *client,
                              const struct updraft_p2_report *report, uint32_t now_ms)
{
    if (!concerns_us(client, report)) {
        return;
    }
    bool asked = client->asked || report->status == UPDRAFT_P2_WRONG_STATE;
    updraft_client2_heard(client,
                          report->next_within
                              ? report->next_within * PROMISE_UNIT_MS + PROMISE_MARGIN_MS
                              : client->config.answer_limit_ms,
                          now_ms);
    if (refuses(client, report, asked) || client->message) {
        return; /* an answer belongs to a message that was sent */
    }
    enum updraft_p2_state told = (enum updraft_p2_state)report->state;
    switch (client->state) {
    case UPDRAFT_CLIENT2_OPENING:
        opening(client, report, asked, now_ms);
        break;
    case UPDRAFT_CLIENT2_TELLING:
        if (told == UPDRAFT_P2_STATE_MANIFEST) {
            on_stream(client, report, asked, now_ms);
        } else if (told == UPDRAFT_P2_STATE_READY && all_sent(client)) {
            updraft_client2_begin_file(client, report->detail, now_ms);
        }
        break;
    case UPDRAFT_CLIENT2_RANGING:
        if (told == UPDRAFT_P2_STATE_RECEIVING && is_begin(client, report, asked)) {
            begin_stream(client, report, client->stream.size_bytes);
            updraft_client2_enter(client, UPDRAFT_CLIENT2_SENDING, now_ms);
        } else if (told == UPDRAFT_P2_STATE_READY && asked) {
            repeat(client, UPDRAFT_P2_RANGE);
        }
        break;
    case UPDRAFT_CLIENT2_SENDING:
        sending(client, report, asked, now_ms);
        break;
    case UPDRAFT_CLIENT2_VERIFYING:
        verifying(client, report, asked, now_ms);
        break;
    case UPDRAFT_CLIENT2_ACTIVATING:
        if (told == UPDRAFT_P2_STATE_RESTARTING) {
            updraft_client2_enter(client, UPDRAFT_CLIENT2_DONE, now_ms);
        } else if (told == UPDRAFT_P2_STATE_VERIFIED && asked) {
            repeat(client, UPDRAFT_P2_ACTIVATE);
        }
        break;
    case UPDRAFT_CLIENT2_MAPPING: /* MAP is answered by MAP reports */
    case UPDRAFT_CLIENT2_SUBSCRIBING:
    case UPDRAFT_CLIENT2_DONE:
    case UPDRAFT_CLIENT2_STAGED:
    case UPDRAFT_CLIENT2_FAILED:
        break;
    }
}

static bool concerns_us(const struct updraft_client2 *client,
                        const struct updraft_p2_report *report)
{
    if (client->state == UPDRAFT_CLIENT2_OPENING) {
        /* Before OPEN is out nothing can answer it. */
        return client->message != UPDRAFT_P2_OPEN;
    }
    return report->session == client->session ||
           (report->session == 0 && (report->state == UPDRAFT_P2_STATE_IDLE ||
                                     report->state == UPDRAFT_P2_STATE_RESTARTING));
}

/* True where the report ends the session. */
static bool refuses(struct updraft_client2 *client,
                    const struct updraft_p2_report *report, bool asked)
{
    bool mismatch =
        report->status == UPDRAFT_P2_HASH && report->state == UPDRAFT_P2_STATE_READY;
    /* Our ACTIVATE came when the session had ended, and was taken for one without. */
    bool too_late = client->activate_sent &&
                    report->status == UPDRAFT_P2_NOTHING_STAGED &&
                    report->state == UPDRAFT_P2_STATE_IDLE;
    if (report->status != UPDRAFT_P2_OK && report->status != UPDRAFT_P2_WRONG_STATE &&
        !mismatch && !too_late) {
        client->status = report->status;
        client->detail = report->detail;
        updraft_client2_fail(client, updraft_p2_status_error(report->status));
        return true;
    }
    /* The device knows nothing of the session: it ended there, and the report that said
     * why was lost; or it does not take OPEN at all. */
    bool opening = client->state == UPDRAFT_CLIENT2_OPENING;
    if (report->state == UPDRAFT_P2_STATE_IDLE &&
        (report->status == UPDRAFT_P2_WRONG_STATE || too_late || (asked && !opening))) {
        client->status = report->status;
        updraft_client2_fail(client, UPDRAFT_ERROR_LINK_STATE);
        return true;
    }
    return false;
}

static void opening(struct updraft_client2 *client,
                    const struct updraft_p2_report *report, bool asked, uint32_t now_ms)
{
    if (report->state == UPDRAFT_P2_STATE_MANIFEST && report->session != 0) {
        client->session = report->session;
        client->stream.start_bytes = 0;
        begin_stream(client, report, client->config.manifest_size_bytes);
        updraft_client2_enter(client, UPDRAFT_CLIENT2_TELLING, now_ms);
    } else if (report->state == UPDRAFT_P2_STATE_IDLE && asked) {
        repeat(client, UPDRAFT_P2_OPEN);
    }
}

static void sending(struct updraft_client2 *client,
                    const struct updraft_p2_report *report, bool asked, uint32_t now_ms)
{
    switch ((enum updraft_p2_state)report->state) {
    case UPDRAFT_P2_STATE_RECEIVING:
        on_stream(client, report, asked, now_ms);
        break;
    case UPDRAFT_P2_STATE_READY:
    case UPDRAFT_P2_STATE_VERIFYING:
    case UPDRAFT_P2_STATE_VERIFIED:
        if (all_sent(client) && client->finish) {
            updraft_client2_range_done(client);
            updraft_client2_enter(client, UPDRAFT_CLIENT2_VERIFYING, now_ms);
            /* Where it is ready it needs to be told once more. */
            verifying(client, report, /* asked= */ true, now_ms);
        } else if (all_sent(client) && report->state == UPDRAFT_P2_STATE_READY) {
            updraft_client2_range_done(client);
            updraft_client2_choose_range(client);
            updraft_client2_enter(client, UPDRAFT_CLIENT2_RANGING, now_ms);
        } else if (asked && report->state == UPDRAFT_P2_STATE_READY) {
            restart_range(client, now_ms);
        }
        break;
    case UPDRAFT_P2_STATE_IDLE:
    case UPDRAFT_P2_STATE_MANIFEST:
    case UPDRAFT_P2_STATE_RESTARTING:
        break;
    }
}

static void verifying(struct updraft_client2 *client,
                      const struct updraft_p2_report *report, bool asked, uint32_t now_ms)
{
    if (report->state == UPDRAFT_P2_STATE_VERIFIED) {
        updraft_client2_enter(client,
                              client->config.stage ? UPDRAFT_CLIENT2_STAGED
                                                   : UPDRAFT_CLIENT2_ACTIVATING,
                              now_ms);
    } else if (report->state == UPDRAFT_P2_STATE_READY) {
        if (report->status == UPDRAFT_P2_HASH) {
            updraft_client2_repair(client, now_ms);
        } else if (asked) {
            repeat(client, UPDRAFT_P2_FINISH);
        }
    }
}

/* A STATE of the stream under way: it moves acknowledgement and limit forward. */
static void on_stream(struct updraft_client2 *client,
                      const struct updraft_p2_report *report, bool asked, uint32_t now_ms)
{
    struct updraft_client2_stream *stream = &client->stream;
    int16_t ahead = (int16_t)(uint16_t)(report->next - stream->base - stream->acked);
    if (ahead < 0) {
        return; /* late */
    }
    uint32_t acked = stream->acked + (uint32_t)ahead;
    if (acked > stream->highest) {
        /* Not of what was sent: the device took the stream's begin from a message that
         * was repeated, and drops chunks of the other. */
        if (client->restarts++ == RESTARTS_MAX) {
            updraft_client2_fail(client, UPDRAFT_ERROR_LINK_DATA_LOST);
        } else {
            begin_stream(client, report, stream->size_bytes);
        }
        return;
    }
    if (acked > stream->acked) {
        stream->acked = acked;
        /* Went back in vain: the chunks had only been late. */
        stream->sent = stream->sent > acked ? stream->sent : acked;
        client->progress_ms = now_ms;
        measure(client, now_ms);
    }
    uint16_t room = (uint16_t)(report->limit - report->next);
    if (room <= INT16_MAX && acked + room > stream->limit) {
        stream->limit = acked + room;
    }
    bool want = (report->flags & UPDRAFT_P2_REPORT_WANT) != 0;
    if (want && acked == stream->count && client->state == UPDRAFT_CLIENT2_SENDING) {
        /* It counts otherwise than we do. */
        updraft_client2_fail(client, UPDRAFT_ERROR_LINK_DATA_LOST);
    } else if ((want || asked) && acked < stream->sent) {
        go_back(client, now_ms);
    }
}

static void go_back(struct updraft_client2 *client, uint32_t now_ms)
{
    struct updraft_client2_stream *stream = &client->stream;
    if (stream->went_back && stream->wanted == stream->acked &&
        now_ms - stream->wanted_ms < client->round_trip_ms + ROUND_TRIP_MARGIN_MS) {
        return;
    }
    if (client->sent_bytes / SENT_TIMES_MAX >
        client->config.file_size_bytes + UPDRAFT_P2_SECTOR_SIZE) {
        updraft_client2_fail(client, UPDRAFT_ERROR_LINK_DATA_LOST);
        return;
    }
    stream->went_back = true;
    stream->wanted = stream->acked;
    stream->wanted_ms = now_ms;
    stream->sent = stream->acked;
    stream->timing = false; /* which of the two was acknowledged would not be known */
}

/* Follows a round trip that grows at once, one that shrinks slowly. */
static void measure(struct updraft_client2 *client, uint32_t now_ms)
{
    struct updraft_client2_stream *stream = &client->stream;
    if (!stream->timing || stream->acked <= stream->timed) {
        return;
    }
    uint32_t took_ms = now_ms - stream->timed_ms;
    took_ms = took_ms < ROUND_TRIP_MAX_MS ? took_ms : ROUND_TRIP_MAX_MS;
    client->round_trip_ms = took_ms > client->round_trip_ms
                                ? took_ms
                                : (3 * client->round_trip_ms + took_ms) / 4;
    stream->timing = false;
}

static void begin_stream(struct updraft_client2 *client,
                         const struct updraft_p2_report *report, uint32_t size_bytes)
{
    uint32_t payload = client->write_size_bytes - UPDRAFT_P2_DATA_HEAD_SIZE;
    uint16_t room = (uint16_t)(report->limit - report->next);
    CHECK(size_bytes > 0);
    client->stream = (struct updraft_client2_stream){
        .base = report->next,
        .start_bytes = client->stream.start_bytes,
        .size_bytes = size_bytes,
        .count = (size_bytes + payload - 1) / payload,
        .limit = room <= INT16_MAX ? room : 0,
    };
}

/* The device has not taken the message: once more. */
static void repeat(struct updraft_client2 *client, uint8_t opcode)
{
    if (client->repeats++ == REPEATS_MAX) {
        updraft_client2_fail(client, UPDRAFT_ERROR_LINK_TIMEOUT);
    } else {
        updraft_client2_say(client, opcode);
    }
}

static void restart_range(struct updraft_client2 *client, uint32_t now_ms)
{
    CHECK(client->state == UPDRAFT_CLIENT2_SENDING);
    if (client->restarts++ == RESTARTS_MAX) {
        updraft_client2_fail(client, UPDRAFT_ERROR_LINK_DATA_LOST);
        return;
    }
    client->last_number = (uint16_t)(client->stream.base + client->stream.acked);
    updraft_client2_choose_range(client);
    updraft_client2_enter(client, UPDRAFT_CLIENT2_RANGING, now_ms);
}

/* Is this the STATE that begins the stream, not a late one of the stream before? */
static bool is_begin(const struct updraft_client2 *client,
                     const struct updraft_p2_report *report, bool asked)
{
    return asked || (int16_t)(uint16_t)(report->next - client->last_number) >= 0;
}

static bool all_sent(const struct updraft_client2 *client)
{
    return client->stream.sent == client->stream.count;
}
