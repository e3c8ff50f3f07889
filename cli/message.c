/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Errors as sentences and as JSON. What is wrong comes from the one table of errors; here
 * is what to do about it.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/message.h"
#include "client/src/text.h"
#include "updraft/client.h"
#include "updraft/error.h"

#define TEXT_SIZE 4608u /* the longest path fits */
#define WHY_SIZE  96u

#define DEFECT  "that is a defect of updraft: please report it with what -vv says"
#define WORN    "try again; if it stays so, its flash is worn out or broken"
#define SIGN    "give an image that is signed with a key that the device knows"
#define PAIR    "pair with it: bluetoothctl pair ADDRESS"
#define DAMAGED "copy it again, or build it again"
#define MEANT   "--force if it is meant"
#define KEEPS   "; it keeps the firmware that it runs"
#define NEAR    "see that it is powered, near, and not connected to something else"

struct advice {
    int status;
    const char *text;
};

static const struct advice advices[] = {
    {UPDRAFT_ERROR_IMAGE_MAGIC,
     "give the application image that the build writes (build/NAME.bin), not an ELF file "
     "or a whole flash image"},
    {UPDRAFT_ERROR_IMAGE_SEGMENTS, DAMAGED},
    {UPDRAFT_ERROR_IMAGE_SEGMENT, DAMAGED},
    {UPDRAFT_ERROR_IMAGE_TRUNCATED, DAMAGED},
    {UPDRAFT_ERROR_IMAGE_CHECKSUM, DAMAGED},
    {UPDRAFT_ERROR_IMAGE_HASH, DAMAGED},
    {UPDRAFT_ERROR_IMAGE_NO_HASH,
     "build it with a digest appended (esptool does so unless told --dont-append-digest)"},
    {UPDRAFT_ERROR_IMAGE_TOO_LARGE,
     "make the image smaller, or the slots in the partition table larger"},
    {UPDRAFT_ERROR_IMAGE_DESCRIPTOR,
     "give an application built by ESP-IDF, not a boot loader"},
    {UPDRAFT_ERROR_FLASH_NO_SLOT,
     "flash it by cable with a partition table that has two OTA slots"},
    {UPDRAFT_ERROR_ON_TRIAL,
     "confirm it with updraft confirm, or wait until its trial is over"},
    {UPDRAFT_ERROR_IMAGE_CHIP, "build it for this chip, or choose another device"},
    {UPDRAFT_ERROR_IMAGE_CHIP_REVISION,
     "build it for this revision, or choose another device"},
    {UPDRAFT_ERROR_IMAGE_HARDWARE, "build it for this board, or choose another device"},
    {UPDRAFT_ERROR_IMAGE_INVALID, "its log says why"},
    {UPDRAFT_ERROR_IMAGE_PROJECT, MEANT},
    {UPDRAFT_ERROR_NO_UPDRAFT, MEANT},
    {UPDRAFT_ERROR_ALREADY_RUNNING, "--force sends it again"},
    {UPDRAFT_ERROR_NO_FALLBACK,
     "an update is the way to another firmware, or --factory if it has that"},
    {UPDRAFT_ERROR_NOTHING_STAGED, "updraft update --stage FILE leaves one there"},
    {UPDRAFT_ERROR_FILE, "give the path of an image, such as the build writes "
                         "(build/NAME.bin)"},
    {UPDRAFT_ERROR_UNSUPPORTED,
     "it takes updates by protocol 1: its firmware has to be updated once"},
    {UPDRAFT_ERROR_FLASH_READ, WORN},
    {UPDRAFT_ERROR_FLASH_WRITE, WORN},
    {UPDRAFT_ERROR_FLASH_ERASE, WORN},
    {UPDRAFT_ERROR_DEVICE_INTERNAL, "try again; its log says what"},
    {UPDRAFT_ERROR_DOWNGRADE, "give an image that is not older"},
    {UPDRAFT_ERROR_SECURE_VERSION, "build it with a higher secure version"},
    {UPDRAFT_ERROR_NO_SIGNATURE, SIGN},
    {UPDRAFT_ERROR_BAD_SIGNATURE, SIGN},
    {UPDRAFT_ERROR_UNKNOWN_KEY, SIGN},
    {UPDRAFT_ERROR_ENCRYPT, PAIR},
    {UPDRAFT_ERROR_AUTHENTICATE, PAIR},
    {UPDRAFT_ERROR_RATE_LIMIT, "try again in a minute"},
    {UPDRAFT_ERROR_BATTERY, "charge it first"},
    {UPDRAFT_ERROR_VETOED, "try again later"},
    {UPDRAFT_ERROR_BUSY, "try again when that one is done"},
    {UPDRAFT_ERROR_REFUSED,
     "its last update may still be on trial, or another central is updating it: try again "
     "in a minute; its log says why"},
    {UPDRAFT_ERROR_NOT_VERIFIED,
     "the image may be for another chip or too large for the slot, or its application "
     "does not take it: its log says which" KEEPS},
    {UPDRAFT_ERROR_ROLLED_BACK,
     "the new firmware crashed, hung or failed its self-test: its log says which"},
    {UPDRAFT_ERROR_LINK_LOST, "go nearer and try again"},
    {UPDRAFT_ERROR_LINK_TIMEOUT, "try again; if it stays so, restart the device"},
    {UPDRAFT_ERROR_LINK_DATA_LOST, "go nearer and try again"},
    {UPDRAFT_ERROR_LINK_STATE, "try again"},
    {UPDRAFT_ERROR_LINK_RANGE, DEFECT},
    {UPDRAFT_ERROR_DECODE, "try again"},
    {UPDRAFT_ERROR_LINK_CONNECT, NEAR "; then try again"},
    {UPDRAFT_ERROR_LINK_ATT, "try again; its log may say why"},
    {UPDRAFT_ERROR_LINK_PROTOCOL, "see that it runs updraft or a compatible firmware"},
    {UPDRAFT_ERROR_LINK_NO_SERVICE,
     "flash it once by cable with a firmware that contains updraft"},
    {UPDRAFT_ERROR_LINK_NOT_BACK,
     "look at its log, and ask with updraft info what it runs once it is back"},
    {UPDRAFT_ERROR_NO_DEVICE, NEAR "; updraft scan lists what is in range"},
    {UPDRAFT_ERROR_SEVERAL_DEVICES, "choose one with --device ADDRESS"},
    {UPDRAFT_ERROR_NO_BLUETOOTHD, "start it with: systemctl start bluetooth"},
    {UPDRAFT_ERROR_NO_PERMISSION,
     "use an account that may: on Debian, one in the group bluetooth, or one that is "
     "logged in at the console"},
    {UPDRAFT_ERROR_IN_PROGRESS,
     "end that program, or its connection with: bluetoothctl disconnect"},
    {UPDRAFT_ERROR_ARGUMENT, DEFECT},
    {UPDRAFT_ERROR_STATE, DEFECT},
    {UPDRAFT_ERROR_MEMORY, "end other programs and try again"},
};

static const char *adapter_name(const struct cli_context *context)
{
    return context->options->adapter;
}

static bool is_scan(const struct cli_context *context)
{
    return strcmp(context->options->verb->name, "scan") == 0;
}

/* Another image than that of the file is staged. */
static bool other_is_staged(const struct cli_context *context)
{
    return context->file != NULL && context->info != NULL &&
           (context->info->flags & UPDRAFT_INFO_STAGED) != 0;
}

/* What is wrong, with names where they help. */
static void say_what(const struct cli_context *context, int status, char *ret_text)
{
    const char *message = updraft_error_message(status);
    const char *device = context->options->device;
    if (status == UPDRAFT_ERROR_NO_DEVICE && device != NULL) {
        snprintf(ret_text, TEXT_SIZE, "no device '%s' was heard", device);
    } else if (status == UPDRAFT_ERROR_NO_DEVICE) {
        snprintf(ret_text, TEXT_SIZE, "no device %swas heard",
                 is_scan(context) ? "" : "with the update service ");
    } else if (status == UPDRAFT_ERROR_SEVERAL_DEVICES && device != NULL) {
        snprintf(ret_text, TEXT_SIZE, "several devices in range are named '%s'", device);
    } else if (status == UPDRAFT_ERROR_NO_ADAPTER && adapter_name(context) != NULL) {
        snprintf(ret_text, TEXT_SIZE, "this computer has no Bluetooth adapter %s",
                 adapter_name(context));
    } else if (status == UPDRAFT_ERROR_ADAPTER_OFF) {
        snprintf(ret_text, TEXT_SIZE, "%s on %s", message,
                 adapter_name(context) != NULL ? adapter_name(context)
                                               : "this computer's adapter");
    } else if (status == UPDRAFT_ERROR_ROLLED_BACK && context->old_version != NULL) {
        char why[WHY_SIZE] = "";
        if (context->info != NULL) {
            (void)updraft_reason_text(context->info, why, sizeof(why));
        }
        snprintf(ret_text, TEXT_SIZE, "%s took %s and went back to %s%s%s",
                 context->device != NULL ? context->device : "the device",
                 context->new_version,
                 context->old_version[0] != '\0' ? context->old_version
                                                 : "its previous firmware",
                 why[0] != '\0' ? ": " : "", why);
    } else if (status == UPDRAFT_ERROR_NOTHING_STAGED && context->device != NULL) {
        snprintf(ret_text, TEXT_SIZE, "%s holds %s to activate", context->device,
                 other_is_staged(context) ? "another image than this one"
                                          : "no staged image");
    } else if (cli_say_refusal(context, status, ret_text, TEXT_SIZE)) {
        return;
    } else if (status <= UPDRAFT_ERROR_IMAGE_MAGIC && status > -200 &&
               context->file != NULL) {
        snprintf(ret_text, TEXT_SIZE, "%s: %s", context->file, message);
    } else if (status == UPDRAFT_ERROR_FILE && context->file != NULL) {
        snprintf(ret_text, TEXT_SIZE, "%s: %s", context->file,
                 context->detail != NULL && context->detail[0] != '\0' ? context->detail
                                                                       : message);
    } else if (status > -500 && status <= -200 && context->device != NULL) {
        snprintf(ret_text, TEXT_SIZE, "%s: %s", context->device, message);
    } else {
        snprintf(ret_text, TEXT_SIZE, "%s", message);
    }
}

/* From here on an end does not undo anything: what does the device run? With protocol 2
 * the new firmware awaits a confirmation, and nobody is left to send it. */
static void add_taken(const struct cli_context *context, int status, char *ret_text)
{
    size_t used = strlen(ret_text);
    bool computers = status <= -500 && status > -600; /* Bluetooth of this computer */
    bool ended = computers || status == UPDRAFT_ERROR_CANCELLED;
    if (context->taken && ended) {
        used += (size_t)snprintf(ret_text + used, TEXT_SIZE - used,
                                 "%sthe device has taken the image already: ask with "
                                 "updraft info what it runs",
                                 used > 0 ? "; " : "");
    }
    if (context->taken && context->info != NULL &&
        (ended || status == UPDRAFT_ERROR_LINK_NOT_BACK)) {
        snprintf(ret_text + used, TEXT_SIZE - used,
                 "; updraft confirm keeps a firmware on trial, which else goes back in "
                 "some minutes");
    }
}

static void say_advice(const struct cli_context *context, int status, char *ret_text)
{
    const char *adapter = adapter_name(context);
    bool native = context->info != NULL;
    ret_text[0] = '\0';
    if (status == UPDRAFT_ERROR_RATE_LIMIT && context->status_detail > 0) {
        snprintf(ret_text, TEXT_SIZE, "try again in %u s", context->status_detail);
    } else if (status == UPDRAFT_ERROR_ROLLED_BACK && native) {
        snprintf(ret_text, TEXT_SIZE, "its log says more");
    } else if (native && context->image != NULL && !context->taken &&
               (status == UPDRAFT_ERROR_CANCELLED || status == UPDRAFT_ERROR_LINK_LOST ||
                status == UPDRAFT_ERROR_LINK_TIMEOUT)) {
        snprintf(ret_text, TEXT_SIZE,
                 "%swhat has arrived is kept: the same command goes on from there",
                 status == UPDRAFT_ERROR_CANCELLED ? "" : "go nearer and try again; ");
    } else if (status == UPDRAFT_ERROR_ADAPTER_OFF) {
        snprintf(ret_text, TEXT_SIZE, "switch it on with: %sbluetoothctl power on",
                 adapter != NULL ? "bluetoothctl select its address, then " : "");
    } else if (status == UPDRAFT_ERROR_NO_ADAPTER) {
        snprintf(ret_text, TEXT_SIZE, "%s",
                 adapter != NULL
                     ? "bluetoothctl list shows those that it has"
                     : "plug one in, and see that rfkill list shows it unblocked");
    } else if (status == UPDRAFT_ERROR_NOTHING_STAGED && other_is_staged(context)) {
        snprintf(ret_text, TEXT_SIZE,
                 "updraft activate without a file starts that, updraft update with this "
                 "one sends it");
    } else if (status == UPDRAFT_ERROR_NO_FALLBACK &&
               (context->options->factory ||
                (native && context->info->slot == UPDRAFT_INFO_SLOT_FACTORY))) {
        snprintf(ret_text, TEXT_SIZE, "an update is the way to another firmware");
    } else if (status == UPDRAFT_ERROR_NO_DEVICE && is_scan(context)) {
        snprintf(ret_text, TEXT_SIZE, NEAR);
    } else if (status == UPDRAFT_ERROR_SEVERAL_DEVICES && context->candidates != NULL) {
        snprintf(ret_text, TEXT_SIZE, "choose one with --device ADDRESS:%s",
                 context->candidates);
    } else {
        for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++) {
            if (advices[i].status == status) {
                snprintf(ret_text, TEXT_SIZE, "%s", advices[i].text);
            }
        }
    }
    add_taken(context, status, ret_text);
}

bool cli_terminal(FILE *file)
{
    const char *term = getenv("TERM");
    return isatty(fileno(file)) && (term == NULL || strcmp(term, "dumb") != 0);
}

bool cli_colour(FILE *file)
{
    const char *no_colour = getenv("NO_COLOR");
    return cli_terminal(file) && (no_colour == NULL || no_colour[0] == '\0');
}

/* A file's name, or an argument, may hold anything. */
static void clean(char text[TEXT_SIZE])
{
    char copy[TEXT_SIZE];
    snprintf(copy, sizeof(copy), "%s", text);
    updraft_text_copy(text, TEXT_SIZE, (const uint8_t *)copy, strlen(copy));
}

static void print_error(const char *what, const char *advice)
{
    bool colour = cli_colour(stderr);
    fprintf(stderr, "%supdraft:%s %s%s%s\n", colour ? "\033[1;31m" : "",
            colour ? "\033[0m" : "", what, advice[0] != '\0' ? "; " : "", advice);
}

bool cli_output_good(void)
{
    return !ferror(stdout);
}

void cli_json_line(const char *event, json_t *fields)
{
    json_t *line = json_pack("{s:i, s:s}", "schema", 1, "event", event);
    if (line != NULL) {
        (void)json_object_update(line, fields);
        (void)json_dumpf(line, stdout, JSON_COMPACT);
        (void)fputc('\n', stdout);
        (void)fflush(stdout);
    }
    json_decref(line);
    json_decref(fields);
}

int cli_flush(int exit_status)
{
    if (fflush(stdout) != 0 || !cli_output_good()) {
        fprintf(stderr, "updraft: standard output could not be written\n");
        return exit_status != 0 ? exit_status : UPDRAFT_EXIT_INTERNAL;
    }
    return exit_status;
}

static void print_finished(const struct cli_context *context, int status, int exit_status,
                           const char *what, const char *advice, json_t *result)
{
    json_t *fields =
        json_pack("{s:s, s:s, s:i, s:b}", "verb", context->options->verb->name, "code",
                  updraft_error_name(status), "exit", exit_status, "retry",
                  updraft_error_may_retry(status));
    if (fields == NULL) {
        return;
    }
    if (status != UPDRAFT_OK) {
        (void)json_object_set_new(fields, "message", json_string(what));
        (void)json_object_set_new(fields, "advice", json_string(advice));
        if (context->detail != NULL && context->detail[0] != '\0') {
            (void)json_object_set_new(fields, "detail", json_string(context->detail));
        }
    }
    if (result != NULL) {
        (void)json_object_update(fields, result);
    }
    cli_json_line("finished", fields);
}

int cli_finish(const struct cli_context *context, int status, json_t *result)
{
    char what[TEXT_SIZE] = "";
    char advice[TEXT_SIZE] = "";
    int exit_status = (int)updraft_error_exit(status);
    if (status == UPDRAFT_ERROR_CANCELLED && !cli_output_good()) {
        /* Not a person ended it: nobody would have read the result. */
        json_decref(result);
        return cli_flush(UPDRAFT_EXIT_DONE);
    }
    if (status != UPDRAFT_OK) {
        say_what(context, status, what);
        say_advice(context, status, advice);
        clean(what);
        clean(advice);
    }
    if (context->options->json) {
        print_finished(context, status, exit_status, what, advice, result);
    }
    json_decref(result);
    if (status != UPDRAFT_OK) {
        print_error(what, advice);
        if (context->options->verbose > 0 && context->detail != NULL &&
            context->detail[0] != '\0') {
            fprintf(stderr, "updraft: the system said: %s\n", context->detail);
        }
    }
    return cli_flush(exit_status);
}

int cli_usage_error(const struct cli_options *options, const char *problem)
{
    const char *verb = options->verb != NULL ? options->verb->name : NULL;
    char what[TEXT_SIZE];
    char advice[TEXT_SIZE];
    bool of_verb = verb != NULL && strcmp(verb, "help") != 0;
    snprintf(what, sizeof(what), "%s", problem);
    clean(what);
    snprintf(advice, sizeof(advice), "see updraft help%s%s", of_verb ? " " : "",
             of_verb ? verb : "");
    if (options->json) {
        cli_json_line("finished",
                      json_pack("{s:s?, s:s, s:i, s:b, s:s, s:s}", "verb", verb, "code",
                                "usage", "exit", UPDRAFT_EXIT_USAGE, "retry", 0,
                                "message", what, "advice", advice));
    }
    print_error(what, advice);
    return UPDRAFT_EXIT_USAGE;
}
