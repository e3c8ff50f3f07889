/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * /org/bluez: agents and profiles, which are noted and never needed. */
#include <stdlib.h>
#include <string.h>

#include "sim/bluez/internal.h"

static struct agent *find_agent(struct sim_bluez *bluez, const char *sender)
{
    for (size_t i = 0; i < bluez->agent_count; i++) {
        if (strcmp(bluez->agents[i].sender, sender) == 0) {
            return &bluez->agents[i];
        }
    }
    return NULL;
}

static void drop_agent(struct sim_bluez *bluez, struct agent *agent)
{
    free(agent->sender);
    *agent = bluez->agents[--bluez->agent_count];
}

void manager_client_left(struct sim_bluez *bluez, const char *sender)
{
    struct agent *agent = find_agent(bluez, sender);
    if (agent != NULL) {
        drop_agent(bluez, agent);
    }
}

static void register_agent(sd_bus_message *call, void *context)
{
    struct sim_bluez *bluez = context;
    const char *path = NULL, *capability = NULL;
    static const char *const capabilities[] = {"",
                                               "DisplayOnly",
                                               "DisplayYesNo",
                                               "KeyboardOnly",
                                               "NoInputNoOutput",
                                               "KeyboardDisplay"};
    bus_must(sd_bus_message_read(call, "os", &path, &capability), "read agent");
    bool known = false;
    for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++) {
        known = known || strcmp(capability, capabilities[i]) == 0;
    }
    if (find_agent(bluez, sd_bus_message_get_sender(call)) != NULL) {
        bus_reply_error(call, BLUEZ_ALREADY_EXISTS, "Already Exists");
    } else if (!known || strlen(path) >= sizeof(bluez->agents[0].path)) {
        bus_reply_error(call, BLUEZ_INVALID_ARGUMENTS,
                        "Invalid arguments in method call");
    } else if (bluez->agent_count == AGENTS_MAX) {
        bus_reply_error(call, BLUEZ_FAILED, "Too many agents");
    } else {
        struct agent *agent = &bluez->agents[bluez->agent_count++];
        agent->sender = bluez_copy(sd_bus_message_get_sender(call));
        strcpy(agent->path, path);
        bus_reply_empty(call);
    }
}

static struct agent *own_agent(sd_bus_message *call, struct sim_bluez *bluez)
{
    const char *path = NULL;
    bus_must(sd_bus_message_read(call, "o", &path), "read agent");
    struct agent *agent = find_agent(bluez, sd_bus_message_get_sender(call));
    if (agent == NULL || strcmp(agent->path, path) != 0) {
        bus_reply_error(call, BLUEZ_DOES_NOT_EXIST, "Does Not Exist");
        return NULL;
    }
    return agent;
}

static void unregister_agent(sd_bus_message *call, void *context)
{
    struct agent *agent = own_agent(call, context);
    if (agent != NULL) {
        drop_agent(context, agent);
        bus_reply_empty(call);
    }
}

static void request_default_agent(sd_bus_message *call, void *context)
{
    if (own_agent(call, context) != NULL) {
        bus_reply_empty(call);
    }
}

static void accept_profile(sd_bus_message *call, void *context)
{
    (void)context;
    bus_reply_empty(call);
}

static const struct bus_interface agent_manager = {
    .name = "org.bluez.AgentManager1",
    .methods = (const struct bus_method[]){
        {"RegisterAgent", "os", "", register_agent},
        {"UnregisterAgent", "o", "", unregister_agent},
        {"RequestDefaultAgent", "o", "", request_default_agent},
        {NULL, NULL, NULL, NULL},
    }};

static const struct bus_interface profile_manager = {
    .name = "org.bluez.ProfileManager1",
    .methods = (const struct bus_method[]){
        {"RegisterProfile", "osa{sv}", "", accept_profile},
        {"UnregisterProfile", "o", "", accept_profile},
        {NULL, NULL, NULL, NULL},
    }};

const struct bus_interface *const manager_interfaces[] = {&agent_manager,
                                                          &profile_manager, NULL};
