/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Every state that two clients and a device can come into with so many faults of the
 * link: breadth first, each state once. What must hold is asserted at each step
 * (model.c, port.c); in the end, that each state leads to the end of the update once no
 * more faults come. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/explore/model.h"
#include "tests/explore/pool.h"

#define PARTS         9u
#define NONE          UINT32_MAX
#define STATES_MAX    20000000u
#define LIVE_STEPS    4000u   /* without faults, to the end */
#define LIVE_LIMIT_MS 600000u /* likewise, of virtual time */

struct node {
    uint32_t parts[PARTS];
    uint32_t parent;
    uint32_t next; /* what follows where no fault comes */
    uint32_t now_ms;
    uint32_t end_ms; /* of the update, when it goes on without faults; 0: not known */
    struct model_step step; /* that led here from the parent */
    bool restarted;
};

/* Of a state, what is in neither device, flash nor clients; as much as is in use. */
struct rest {
    uint32_t now_ms;
    uint8_t faults_left;
    bool begun, judged, prepared, header_written, activated, policy_noted, restarted;
    uint8_t activated_party;
    struct {
        uint8_t party, up_count, down_count;
        bool device_end, client_end, broken, response;
    } links[MODEL_LINKS];
};

#define REST_SIZE_MAX      \
    (sizeof(struct rest) + \
     MODEL_LINKS * (MODEL_UP_MAX + MODEL_DOWN_MAX) * sizeof(struct model_item))

static const char letters[MODEL_KINDS + 1] = "rnglcpt" /* faults: */ "ODLWBR";
static struct node *nodes;
static uint32_t node_count;
static uint32_t node_room;
static uint32_t *slots; /* node + 1; 0: free */
static uint32_t slot_count;
static struct model model;
static uint8_t protocols[MODEL_PARTIES] = {2, 2};
static uint8_t faults = 1;
/* Where we are, for the replay: a node and the steps behind it. */
static uint32_t at_node = NONE;
static struct model_step since[LIVE_STEPS + 1];
static uint32_t since_count;
static bool replaying;

static void print_path(uint32_t node)
{
    if (node == NONE || nodes[node].parent == NONE) {
        return;
    }
    print_path(nodes[node].parent);
    printf("%c%u", letters[nodes[node].step.kind], nodes[node].step.at);
}

static void violation(const char *what)
{
    printf("violation: %s\n", what);
    if (!replaying) {
        printf("replay: ./run explore --protocols %u,%u --faults %u --replay ",
               protocols[0], protocols[1], faults);
        print_path(at_node);
        for (uint32_t i = 0; i < since_count; i++) {
            printf("%c%u", letters[since[i].kind], since[i].at);
        }
        putchar('\n');
    }
    fflush(stdout);
    _Exit(EXIT_FAILURE);
}

/* The engine's own checks end in a trap. */
static void on_trap(int number)
{
    (void)number;
    violation("an assertion of the engine does not hold");
}

/* What lies behind what is staged tells nothing, and would only make equal states
 * differ. */
static void forget_stage(struct updraft_device *device)
{
    uint32_t used = 0;
    if (device->state == UPDRAFT_DEVICE_MANIFEST) {
        return;
    }
    if (device->state == UPDRAFT_DEVICE_RECEIVING ||
        device->state == UPDRAFT_DEVICE_HEAD) {
        used = device->stage_used_bytes;
    }
    memset(device->stage + used, 0, sizeof(device->stage) - used);
}

static uint8_t *append(uint8_t *at, const void *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

static uint32_t put_rest(void)
{
    uint8_t bytes[REST_SIZE_MAX];
    struct rest rest;
    memset(&rest, 0, sizeof(rest));
    rest.now_ms = model.now_ms;
    rest.faults_left = model.faults_left;
    rest.begun = model.begun;
    rest.judged = model.judged;
    rest.prepared = model.prepared;
    rest.header_written = model.header_written;
    rest.activated = model.activated;
    rest.activated_party = model.activated_party;
    rest.policy_noted = model.policy_noted;
    rest.restarted = model.restarted;
    uint8_t *end = bytes + sizeof(rest);
    for (unsigned i = 0; i < MODEL_LINKS; i++) {
        const struct model_link *link = &model.links[i];
        if (link->device_end || link->client_end) {
            rest.links[i].party = link->party;
            rest.links[i].up_count = link->up_count;
            rest.links[i].down_count = link->down_count;
            rest.links[i].device_end = link->device_end;
            rest.links[i].client_end = link->client_end;
            rest.links[i].broken = link->broken;
            rest.links[i].response = link->response;
            end = append(end, link->up, link->up_count * sizeof(link->up[0]));
            end = append(end, link->down, link->down_count * sizeof(link->down[0]));
        }
    }
    memcpy(bytes, &rest, sizeof(rest));
    return pool_put(bytes, (size_t)(end - bytes));
}

static void get_rest(uint32_t number)
{
    struct rest rest;
    size_t size = 0;
    const uint8_t *at = pool_get(number, &size);
    memcpy(&rest, at, sizeof(rest));
    at += sizeof(rest);
    model.now_ms = rest.now_ms;
    model.faults_left = rest.faults_left;
    model.begun = rest.begun;
    model.judged = rest.judged;
    model.prepared = rest.prepared;
    model.header_written = rest.header_written;
    model.activated = rest.activated;
    model.activated_party = rest.activated_party;
    model.policy_noted = rest.policy_noted;
    model.restarted = rest.restarted;
    memset(model.links, 0, sizeof(model.links));
    for (unsigned i = 0; i < MODEL_LINKS; i++) {
        struct model_link *link = &model.links[i];
        link->party = rest.links[i].party;
        link->up_count = rest.links[i].up_count;
        link->down_count = rest.links[i].down_count;
        link->device_end = rest.links[i].device_end;
        link->client_end = rest.links[i].client_end;
        link->broken = rest.links[i].broken;
        link->response = rest.links[i].response;
        memcpy(link->up, at, link->up_count * sizeof(link->up[0]));
        at += link->up_count * sizeof(link->up[0]);
        memcpy(link->down, at, link->down_count * sizeof(link->down[0]));
        at += link->down_count * sizeof(link->down[0]);
    }
}

#define DEVICE_HEAD offsetof(struct updraft_device, stage)
#define PARTY_HEAD  offsetof(struct model_party, second.known)

/* before: the parts of the state that the model was, whose flash may be the same. */
static void put_state(const uint32_t *before, uint32_t parts[PARTS])
{
    const uint8_t *device = (const uint8_t *)&model.device;
    forget_stage(&model.device);
    parts[0] = put_rest();
    parts[1] = pool_put(device, DEVICE_HEAD);
    parts[2] = pool_put(device + DEVICE_HEAD, sizeof(model.device) - DEVICE_HEAD);
    for (unsigned i = 0; i < MODEL_SECTORS; i++) {
        const uint8_t *sector = model.flash + i * UPDRAFT_FLASH_SECTOR_SIZE;
        parts[3 + i] = before != NULL && !model.flash_changed
                           ? before[3 + i]
                           : pool_put(sector, UPDRAFT_FLASH_SECTOR_SIZE);
    }
    for (unsigned i = 0; i < MODEL_PARTIES; i++) {
        const uint8_t *party = (const uint8_t *)&model.parties[i];
        parts[5 + 2 * i] = pool_put(party, PARTY_HEAD);
        parts[6 + 2 * i] =
            pool_put(party + PARTY_HEAD, sizeof(model.parties[i]) - PARTY_HEAD);
    }
}

static void get(uint32_t number, void *bytes)
{
    size_t size = 0;
    const void *piece = pool_get(number, &size);
    memcpy(bytes, piece, size);
}

static void get_state(const uint32_t parts[PARTS])
{
    get_rest(parts[0]);
    get(parts[1], &model.device);
    get(parts[2], (uint8_t *)&model.device + DEVICE_HEAD);
    for (unsigned i = 0; i < MODEL_SECTORS; i++) {
        get(parts[3 + i], model.flash + i * UPDRAFT_FLASH_SECTOR_SIZE);
    }
    for (unsigned i = 0; i < MODEL_PARTIES; i++) {
        get(parts[5 + 2 * i], &model.parties[i]);
        get(parts[6 + 2 * i], (uint8_t *)&model.parties[i] + PARTY_HEAD);
    }
    model.flash_changed = false;
}

static uint32_t hash_of(const uint32_t parts[PARTS])
{
    uint64_t hash = 0;
    for (unsigned i = 0; i < PARTS; i++) {
        hash = (hash ^ parts[i]) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 32;
    }
    return (uint32_t)hash;
}

static void grow(void)
{
    node_room = node_room == 0 ? 1u << 16 : node_room * 2;
    slot_count = node_room * 2;
    nodes = realloc(nodes, node_room * sizeof(*nodes));
    free(slots);
    slots = calloc(slot_count, sizeof(*slots));
    if (nodes == NULL || slots == NULL) {
        fputs("explore: no memory\n", stderr);
        exit(EXIT_FAILURE);
    }
    for (uint32_t i = 0; i < node_count; i++) {
        uint32_t at = hash_of(nodes[i].parts) & (slot_count - 1);
        while (slots[at] != 0) {
            at = (at + 1) & (slot_count - 1);
        }
        slots[at] = i + 1;
    }
}

/* The node of the state that the model is in, a new one where it was never seen. */
static uint32_t node_of(uint32_t parent, const struct model_step *step)
{
    uint32_t parts[PARTS];
    if (node_count == node_room) {
        grow();
    }
    put_state(parent != NONE ? nodes[parent].parts : NULL, parts);
    uint32_t at = hash_of(parts) & (slot_count - 1);
    for (; slots[at] != 0; at = (at + 1) & (slot_count - 1)) {
        if (memcmp(nodes[slots[at] - 1].parts, parts, sizeof(parts)) == 0) {
            return slots[at] - 1;
        }
    }
    struct node *node = &nodes[node_count];
    memset(node, 0, sizeof(*node));
    memcpy(node->parts, parts, sizeof(parts));
    node->parent = parent;
    node->next = NONE;
    node->now_ms = model.now_ms;
    node->restarted = model.restarted;
    if (step != NULL) {
        node->step = *step;
    }
    slots[at] = ++node_count;
    return node_count - 1;
}

static void take_step(const struct model_step *step)
{
    since[since_count++] = *step;
    model_step(&model, step);
}

static void expand(uint32_t index)
{
    struct model_step steps[MODEL_STEPS_MAX];
    at_node = index;
    get_state(nodes[index].parts);
    size_t count = model_steps(&model, steps);
    if (count == 0 && !model.restarted) {
        violation("nothing can happen any more, and the update is not over");
    }
    for (size_t i = 0; i < count; i++) {
        since_count = 0;
        if (i > 0) {
            get_state(nodes[index].parts);
        }
        take_step(&steps[i]);
        uint32_t child = node_of(index, &steps[i]);
        if (i == 0) {
            nodes[index].next = child;
        }
    }
    since_count = 0;
}

/* From a state that was not expanded: by going there. */
static uint32_t play_to_end(uint32_t index)
{
    struct model_step steps[MODEL_STEPS_MAX];
    get_state(nodes[index].parts);
    while (!model.restarted) {
        if (since_count == LIVE_STEPS || model_steps(&model, steps) == 0) {
            violation("without faults the update does not come to its end");
        }
        take_step(&steps[0]);
    }
    since_count = 0;
    return model.now_ms;
}

/* Each state leads to the restart into a verified image; returns the longest time. */
static uint32_t check_liveness(void)
{
    static uint32_t path[LIVE_STEPS];
    uint32_t longest_ms = 0;
    for (uint32_t i = 0; i < node_count; i++) {
        uint32_t length = 0;
        uint32_t at = i;
        at_node = i;
        while (nodes[at].end_ms == 0 && !nodes[at].restarted && nodes[at].next != NONE) {
            if (length == LIVE_STEPS) {
                violation("without faults the update does not come to its end");
            }
            path[length++] = at;
            at = nodes[at].next;
        }
        if (nodes[at].end_ms == 0) {
            nodes[at].end_ms = nodes[at].restarted ? nodes[at].now_ms : play_to_end(at);
        }
        for (uint32_t j = 0; j < length; j++) {
            nodes[path[j]].end_ms = nodes[at].end_ms;
        }
        uint32_t took_ms = nodes[i].end_ms - nodes[i].now_ms;
        if (took_ms > LIVE_LIMIT_MS) {
            violation("without faults the update takes too long");
        }
        longest_ms = took_ms > longest_ms ? took_ms : longest_ms;
    }
    return longest_ms;
}

static int explore(uint32_t states_max)
{
    uint32_t level_end = 0;
    uint32_t depth = 0;
    uint64_t steps = 0;
    model_init(&model, protocols, faults);
    (void)node_of(NONE, NULL);
    uint32_t index = 0;
    for (; index < node_count && node_count < states_max; index++) {
        if (index > level_end) {
            depth++;
            level_end = node_count - 1;
        }
        expand(index);
        steps++;
    }
    bool all = index == node_count;
    uint32_t longest_ms = check_liveness();
    printf("protocols %u and %u, up to %u faults: %u states, %u of them followed up, "
           "depth %u%s; %u MB\n",
           protocols[0], protocols[1], faults, node_count, index, depth,
           all ? " (all there are)" : "",
           (unsigned)((pool_bytes() + node_count * sizeof(*nodes)) >> 20));
    printf("from each of them the update ends without further faults, within %u s of "
           "virtual time; 0 violations\n",
           (longest_ms + 999) / 1000);
    return EXIT_SUCCESS;
}

/* Prints what happens, step by step. */
static int replay(const char *text)
{
    struct model_step steps[MODEL_STEPS_MAX];
    replaying = true;
    model_init(&model, protocols, faults);
    for (; text[0] != '\0' && text[1] != '\0'; text += 2) {
        const char *letter = strchr(letters, text[0]);
        size_t count = model_steps(&model, steps);
        size_t i = 0;
        while (i < count && (letter == NULL || steps[i].kind != letter - letters ||
                             steps[i].at != text[1] - '0')) {
            i++;
        }
        if (i == count) {
            fprintf(stderr, "explore: %c%c is not possible here\n", text[0], text[1]);
            return EXIT_FAILURE;
        }
        model_step(&model, &steps[i]);
        printf("%c%c at %u ms: device %d owner %u protocol %u received %u", text[0],
               text[1], model.now_ms, updraft_device_state(&model.device),
               updraft_device_owner(&model.device),
               updraft_device_protocol(&model.device),
               updraft_device_received_bytes(&model.device));
        for (unsigned p = 0; p < MODEL_PARTIES; p++) {
            const struct model_party *party = &model.parties[p];
            printf("; client %u state %d error %d", p,
                   party->protocol == 1 ? (int)updraft_client_state(&party->first)
                                        : (int)updraft_client2_state(&party->second),
                   party->protocol == 1 ? updraft_client_error(&party->first)
                                        : updraft_client2_error(&party->second));
        }
        putchar('\n');
    }
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    uint32_t states_max = STATES_MAX;
    const char *path = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--faults") == 0) {
            faults = (uint8_t)atoi(argv[i + 1]);
        } else if (strcmp(argv[i], "--protocols") == 0) {
            protocols[0] = argv[i + 1][0] == '1' ? 1 : 2;
            protocols[1] =
                strchr(argv[i + 1], ',') != NULL && strchr(argv[i + 1], ',')[1] == '1'
                    ? 1
                    : 2;
        } else if (strcmp(argv[i], "--states") == 0) {
            states_max = (uint32_t)strtoul(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--replay") == 0) {
            path = argv[i + 1];
        } else {
            argc = 0;
        }
    }
    if (argc % 2 == 0) {
        fputs("usage: explore [--protocols A,B] [--faults N] [--states MAX] "
              "[--replay STEPS]\n",
              stderr);
        return 2;
    }
    model_violation = violation;
    signal(SIGILL, on_trap);
    signal(SIGTRAP, on_trap);
    model_prepare();
    return path != NULL ? replay(path) : explore(states_max);
}
