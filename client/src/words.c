/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Words for what Info tells in numbers.
 */
#include <stdio.h>

#include "updraft/client.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *word(const char *const *words, size_t count, uint8_t number)
{
    return number < count && words[number] != NULL ? words[number] : "unknown";
}

const char *updraft_run_state_name(uint8_t run_state)
{
    static const char *const words[] = {
        [UPDRAFT_RUN_CONFIRMED] = "confirmed",
        [UPDRAFT_RUN_ON_TRIAL] = "on_trial",
        [UPDRAFT_RUN_FACTORY] = "factory",
        [UPDRAFT_RUN_UNMONITORED] = "unmonitored",
    };
    return word(words, COUNT(words), run_state);
}

const char *updraft_result_name(uint8_t result)
{
    static const char *const words[] = {
        [UPDRAFT_RESULT_NONE] = "none",
        [UPDRAFT_RESULT_CONFIRMED] = "confirmed",
        [UPDRAFT_RESULT_ROLLED_BACK] = "rolled_back",
        [UPDRAFT_RESULT_LOST] = "lost",
    };
    return word(words, COUNT(words), result);
}

const char *updraft_reason_name(uint8_t reason)
{
    static const char *const words[] = {
        [UPDRAFT_REASON_RESET] = "reset",
        [UPDRAFT_REASON_SELF_TEST] = "self_test",
        [UPDRAFT_REASON_BLUETOOTH] = "bluetooth",
        [UPDRAFT_REASON_NO_CLIENT] = "no_client",
        [UPDRAFT_REASON_COMMAND] = "command",
        [UPDRAFT_REASON_START] = "start",
    };
    return word(words, COUNT(words), reason);
}

/* In the order of esp_reset_reason_t. */
static const struct {
    const char *name;
    const char *text;
} resets[] = {
    {"unknown", "an unknown cause"},
    {"power_on", "power-on"},
    {"external", "its reset pin"},
    {"software", "its own software"},
    {"panic", "a panic"},
    {"interrupt_watchdog", "the interrupt watchdog"},
    {"task_watchdog", "the task watchdog"},
    {"watchdog", "a watchdog"},
    {"deep_sleep", "deep sleep"},
    {"brownout", "a brownout"},
    {"sdio", "SDIO"},
    {"usb", "USB"},
    {"jtag", "JTAG"},
    {"efuse", "an eFuse error"},
    {"power_glitch", "a power glitch"},
    {"cpu_lockup", "a CPU lockup"},
};

const char *updraft_reset_name(uint8_t reset_reason)
{
    return resets[reset_reason < COUNT(resets) ? reset_reason : 0].name;
}

const char *updraft_reason_text(const struct updraft_info *info, char *ret_text,
                                size_t text_size)
{
    const char *text = "it does not tell why";
    if (info->result == UPDRAFT_RESULT_LOST) {
        snprintf(ret_text, text_size, "it was selected, but never ran");
        return ret_text;
    }
    switch ((enum updraft_reason)info->reason) {
    case UPDRAFT_REASON_RESET:
        snprintf(ret_text, text_size, "it was reset on trial, by %s",
                 resets[info->detail < COUNT(resets) ? info->detail : 0].text);
        return ret_text;
    case UPDRAFT_REASON_SELF_TEST:
        text = "its self-test failed";
        break;
    case UPDRAFT_REASON_BLUETOOTH:
        text = "its Bluetooth did not come up";
        break;
    case UPDRAFT_REASON_NO_CLIENT:
        text = "no client confirmed it in time";
        break;
    case UPDRAFT_REASON_COMMAND:
        text = "a client asked for it";
        break;
    case UPDRAFT_REASON_START:
        text = "updraft could not be started in it";
        break;
    case UPDRAFT_REASON_UNKNOWN:
        break;
    }
    snprintf(ret_text, text_size, "%s", text);
    return ret_text;
}
