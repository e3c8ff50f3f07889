/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Runs a job of libupdraft: events become lines, the first interrupt cancels.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/job.h"
#include "cli/verbs.h"
#include "client/src/text.h"
#include "updraft/error.h"

#define PROGRESS_MS 100u

static void copy(char *ret_text, size_t size, const char *text)
{
    snprintf(ret_text, size, "%s", text);
}

/* A line for the person who waits; verbose: only from that many -v on. */
__attribute__((format(printf, 3, 4))) static void say(struct job *job, unsigned verbose,
                                                      const char *format, ...)
{
    va_list arguments;
    if (job->options->quiet || job->options->verbose < verbose) {
        return;
    }
    cli_progress_clear(&job->progress);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

static void describe(struct job *job, const struct updraft_event *event)
{
    updraft_address_format(&event->address, job->address);
    copy(job->name, sizeof(job->name), event->name);
    snprintf(job->device, sizeof(job->device), "%s%s%s%s", job->name,
             job->name[0] != '\0' ? " (" : "", job->address,
             job->name[0] != '\0' ? ")" : "");
}

static json_t *device_fields(const struct updraft_event *event)
{
    char address[UPDRAFT_ADDRESS_TEXT_SIZE];
    updraft_address_format(&event->address, address);
    return json_pack("{s:s, s:s}", "address", address, "name", event->name);
}

static void on_found(struct job *job, const struct updraft_event *event)
{
    struct job_heard *heard = NULL;
    char address[UPDRAFT_ADDRESS_TEXT_SIZE];
    updraft_address_format(&event->address, address);
    for (size_t i = 0; i < job->heard_count && heard == NULL; i++) {
        if (strcmp(job->heard[i].address, address) == 0) {
            heard = &job->heard[i];
        }
    }
    if (heard == NULL) {
        if (job->heard_count >= JOB_HEARD_MAX) {
            return;
        }
        heard = &job->heard[job->heard_count++];
        memset(heard, 0, sizeof(*heard));
        copy(heard->address, sizeof(heard->address), address);
        say(job, 2, "heard %s %s", address, event->name);
    }
    if (event->name[0] != '\0') {
        copy(heard->name, sizeof(heard->name), event->name);
    }
    heard->rssi_dbm = event->rssi_dbm;
    heard->has_service = heard->has_service || event->has_service;
    if (job->options->json) {
        json_t *fields = device_fields(event);
        (void)json_object_update_new(fields,
                                     json_pack("{s:i, s:b}", "rssi_dbm", event->rssi_dbm,
                                               "has_service", event->has_service));
        cli_json_line("found", fields);
    }
}

static void on_phase(struct job *job, const struct updraft_event *event)
{
    cli_run_t verb = job->options->verb->run;
    switch (event->phase) {
    case UPDRAFT_PHASE_FINDING:
        say(job, 1, "listening for the device");
        break;
    case UPDRAFT_PHASE_CONNECTING:
        say(job, 1, "connecting");
        break;
    case UPDRAFT_PHASE_REQUESTING:
        cli_progress_restart(&job->progress);
        job->kept_said = false;
        say(job, 1, "asking the device whether it takes an update");
        break;
    case UPDRAFT_PHASE_VERIFYING:
        say(job, 0, "the device verifies the image");
        break;
    case UPDRAFT_PHASE_RESTARTING:
        job->taken = verb == cli_update || verb == cli_activate;
        say(job, 0,
            verb == cli_confirm ? "waiting for the device to come back"
                                : "the device restarts");
        break;
    case UPDRAFT_PHASE_WATCHING:
        say(job, 1, "it is back; watching whether it stays up");
        break;
    case UPDRAFT_PHASE_IDLE:
    case UPDRAFT_PHASE_READING:
    case UPDRAFT_PHASE_TRANSFERRING:
    case UPDRAFT_PHASE_ENDING:
        break;
    }
    if (job->options->json) {
        cli_json_line("phase",
                      json_pack("{s:s}", "phase", updraft_phase_name(event->phase)));
    }
}

static void on_connected(struct job *job, const struct updraft_event *event)
{
    describe(job, event);
    job->mtu = event->mtu;
    job->has_service = event->has_service;
    say(job, 1, "connected to %s, MTU %u", job->device, event->mtu);
    if (job->options->json) {
        json_t *fields = device_fields(event);
        (void)json_object_update_new(fields,
                                     json_pack("{s:i, s:b}", "mtu", event->mtu,
                                               "has_service", event->has_service));
        cli_json_line("connected", fields);
    }
}

static void on_device(struct job *job, const struct updraft_event *event)
{
    copy(job->firmware, sizeof(job->firmware), event->firmware_revision);
    copy(job->model, sizeof(job->model), event->model);
    copy(job->manufacturer, sizeof(job->manufacturer), event->manufacturer);
    job->protocol = event->protocol;
    if (job->options->verb->run != cli_info) {
        say(job, 0, "%s runs %s", job->device,
            job->firmware[0] != '\0' ? job->firmware : "a version that it does not tell");
    }
    if (job->options->json) {
        json_t *fields = device_fields(event);
        (void)json_object_update_new(
            fields,
            json_pack("{s:s, s:s, s:s, s:i}", "firmware_revision",
                      event->firmware_revision, "model", event->model, "manufacturer",
                      event->manufacturer, "protocol", event->protocol));
        if (event->info != NULL) {
            (void)json_object_set_new(fields, "info", job_info_object(event->info));
        }
        cli_json_line("device", fields);
    }
}

static void on_progress(struct job *job, const struct updraft_event *event)
{
    if (!job->kept_said && event->kept_bytes > 0) {
        say(job, 0, "resumes at %.1f KiB", event->kept_bytes / 1024.0);
    }
    job->kept_said = true;
    cli_progress_update(&job->progress, event->done_bytes, event->total_bytes,
                        event->kept_bytes);
    uint64_t now_ms = cli_now_ms();
    bool last = event->done_bytes == event->total_bytes;
    if (job->options->json && (last || now_ms - job->progress_ms >= PROGRESS_MS)) {
        job->progress_ms = now_ms;
        cli_json_line("progress", json_pack("{s:I, s:I, s:I}", "done_bytes",
                                            (json_int_t)event->done_bytes, "total_bytes",
                                            (json_int_t)event->total_bytes, "kept_bytes",
                                            (json_int_t)event->kept_bytes));
    }
}

static void on_retry(struct job *job, const struct updraft_event *event)
{
    say(job, 0, "%s; trying again (attempt %u)", updraft_error_message(event->status),
        event->attempt);
    if (job->options->json) {
        cli_json_line("retry",
                      json_pack("{s:s, s:i}", "code", updraft_error_name(event->status),
                                "attempt", (int)event->attempt));
    }
}

static void on_finished(struct job *job, const struct updraft_event *event)
{
    job->finished = true;
    job->status = event->status;
    job->outcome = event->outcome;
    job->kept_bytes = event->kept_bytes;
    job->resent_bytes = event->resent_bytes;
    job->status_detail = event->status_detail;
    copy(job->firmware, sizeof(job->firmware), event->firmware_revision);
    copy(job->firmware_before, sizeof(job->firmware_before), event->firmware_before);
    updraft_text_copy(job->detail, sizeof(job->detail), (const uint8_t *)event->detail,
                      strlen(event->detail));
    cli_progress_clear(&job->progress);
}

static void on_event(void *context, const struct updraft_event *event)
{
    struct job *job = context;
    if (event->info != NULL) {
        job->info_known = true;
        job->info = *event->info;
    }
    switch (event->kind) {
    case UPDRAFT_EVENT_FOUND:
        on_found(job, event);
        break;
    case UPDRAFT_EVENT_PHASE:
        on_phase(job, event);
        break;
    case UPDRAFT_EVENT_CONNECTED:
        on_connected(job, event);
        break;
    case UPDRAFT_EVENT_DEVICE:
        on_device(job, event);
        break;
    case UPDRAFT_EVENT_PROGRESS:
        on_progress(job, event);
        break;
    case UPDRAFT_EVENT_RETRY:
        on_retry(job, event);
        break;
    case UPDRAFT_EVENT_FINISHED:
        on_finished(job, event);
        break;
    }
    if (!cli_output_good() && !job->finished) {
        updraft_central_cancel(job->central);
    }
}

int job_open(struct job *job, const struct cli_options *options)
{
    memset(job, 0, sizeof(*job));
    job->options = options;
    cli_progress_init(&job->progress, !options->quiet && !options->json);
    struct updraft_central_config config = {
        .struct_size = sizeof(config),
        .adapter = options->adapter,
        .report = on_event,
        .context = job,
    };
    return updraft_central_new(&config, &job->central);
}

struct updraft_target job_target(const struct cli_options *options)
{
    struct updraft_address address;
    struct updraft_target target = {.find_limit_ms = options->timeout_ms};
    if (options->device != NULL &&
        updraft_address_parse(options->device, &address) == UPDRAFT_OK) {
        target.address = options->device;
    } else {
        target.name = options->device;
    }
    return target;
}

static void interrupted(struct job *job, int signals, const sigset_t *set)
{
    struct signalfd_siginfo info;
    (void)read(signals, &info, sizeof(info));
    say(job, 0, "interrupted: ending the connection (again: at once)");
    updraft_central_cancel(job->central);
    /* The next one ends the program as if nobody had asked for it. */
    (void)sigprocmask(SIG_UNBLOCK, set, NULL);
}

/* Signals that ask the program to end, without those that its parent had it ignore
 * (nohup, a script's background job): a blocked signal would come through all the same.
 */
static void fill_signals(sigset_t *ret_set)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    (void)sigemptyset(ret_set);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct sigaction action;
        if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN) {
            (void)sigaddset(ret_set, numbers[i]);
        }
    }
}

void job_run(struct job *job)
{
    sigset_t set;
    fill_signals(&set);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    struct pollfd fds[] = {
        {.fd = updraft_central_fd(job->central), .events = POLLIN},
        {.fd = signals, .events = POLLIN},
    };
    while (!job->finished) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR) {
            job->status = UPDRAFT_ERROR_STATE;
            break;
        }
        if ((fds[1].revents & POLLIN) != 0) {
            interrupted(job, signals, &set);
            fds[1].fd = -1;
        }
        int status = updraft_central_process(job->central);
        if (status < 0) {
            job->status = status;
            break;
        }
    }
    if (signals >= 0) {
        close(signals);
    }
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* The devices from which --device has to choose. */
static void list_candidates(const struct job *job, char *ret_text, size_t size)
{
    size_t used = 0;
    ret_text[0] = '\0';
    for (size_t i = 0; i < job->heard_count; i++) {
        const struct job_heard *heard = &job->heard[i];
        bool fits = job->options->device != NULL
                        ? strcmp(heard->name, job->options->device) == 0
                        : heard->has_service;
        if (!fits) {
            continue;
        }
        int length = snprintf(ret_text + used, size - used, "%s %s (%s)",
                              used > 0 ? "," : "", heard->address, heard->name);
        if (length < 0 || (size_t)length >= size - used) {
            ret_text[used] = '\0';
            return;
        }
        used += (size_t)length;
    }
}

int job_finish(struct job *job, int status, const struct cli_context *context,
               json_t *result)
{
    char candidates[384];
    struct cli_context full = *context;
    list_candidates(job, candidates, sizeof(candidates));
    full.options = job->options;
    full.device = job->device[0] != '\0' ? job->device : NULL;
    full.candidates = candidates;
    full.taken = job->taken;
    full.detail = full.detail != NULL ? full.detail : job->detail;
    full.info = job->info_known ? &job->info : NULL;
    full.status_detail = job->status_detail;
    updraft_central_free(job->central);
    job->central = NULL;
    return cli_finish(&full, status, result);
}
