/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises about what comes after an activation: who confirms it, how it is given up and
 * why, what is remembered of it, and going back. */
#include <string.h>

#include "sim/chip/otadata.h"
#include "sim/idf/include/esp_system.h"
#include "tests/world/native.h"
#include "updraft/protocol1.h"

#define IMAGE_SIZE   (20u << 10)
#define FACTORY_SIZE (16u << 10)
#define BOOT_MS      5000u

static struct fixture_image image;
static struct fixture_image next;
static struct fixture_image factory;
static struct native client;

/* With that firmware in *factory*, and `image` and `next` to update to. */
static world_t *new_world(const char *firmware)
{
    fixture_image_make(&factory, firmware, "1.0.0", "good", FACTORY_SIZE);
    fixture_image_make(&image, firmware, "1.1.0", "good", IMAGE_SIZE);
    fixture_image_make(&next, firmware, "1.2.0", "good", IMAGE_SIZE);
    const struct world_config config = {
        .seed = 1,
        .firmware_default = firmware,
        .factory = factory.bytes,
        .factory_size = factory.size,
    };
    world_t *world = fixture_world(&config);
    fixture_await(world, "advertising as", BOOT_MS);
    native_init(&client, raw_new(world, 1));
    return world;
}

static bool runs(const world_t *world, const char *label)
{
    const char *running = sim_board_running(world->board);
    return running != NULL && strcmp(running, label) == 0;
}

static const char *awaited_label;

static bool is_running(world_t *world)
{
    return runs(world, awaited_label);
}

/* Until `label` runs, after whatever else ran meanwhile, and its link is up. */
static void await_and_connect(world_t *world, const char *label, uint64_t limit_ms)
{
    awaited_label = label;
    assert_true(world_run(world, is_running, limit_ms));
    native_connect(&client);
    assert_true(runs(world, label));
}

/* The status that a command is answered with which names that image. */
static int tell(uint8_t opcode, uint8_t choice, const struct fixture_image *named)
{
    return native_ask_image(&client, opcode, choice, native_id(named));
}

/* Puts `new_image` into the other slot and restarts into it. */
static void activate(world_t *world, const struct fixture_image *new_image,
                     uint8_t confirm_by, const char *label)
{
    assert_int_equal(native_update(&client, new_image, confirm_by), UPDRAFT_P2_OK);
    awaited_label = label;
    assert_true(world_run(world, is_running, BOOT_MS));
}

static void confirmed_update(world_t *world, const struct fixture_image *new_image,
                             const char *label)
{
    activate(world, new_image, UPDRAFT_P2_CONFIRM_BY_DEVICE, label);
    native_connect(&client);
    raw_wait(world, 5000);
    assert_int_equal(native_info(&client).run_state, UPDRAFT_RUN_CONFIRMED);
}

static void client_confirms_what_it_activated(void **state)
{
    (void)state;
    world_t *world = new_world("minimal");
    activate(world, &image, UPDRAFT_P2_CONFIRM_BY_CLIENT, "ota_0");
    native_connect(&client);
    raw_wait(world, 50000); /* at 60 s of silence the device would close the link */
    struct updraft_info info = native_info(&client);
    assert_int_equal(info.run_state, UPDRAFT_RUN_ON_TRIAL);
    assert_int_equal(info.flags, UPDRAFT_INFO_CONFIRM_CLIENT);
    assert_int_equal(info.result, UPDRAFT_RESULT_NONE);
    assert_int_equal(info.trial_left_s, 250);
    /* Neither another image's name nor an update does it. */
    assert_int_equal(tell(UPDRAFT_P2_CONFIRM, 0, &factory), UPDRAFT_P2_WRONG_STATE);
    assert_int_equal(native_open(&client, &factory, 0), UPDRAFT_P2_ON_TRIAL);
    assert_int_equal(native_info(&client).run_state, UPDRAFT_RUN_ON_TRIAL);
    assert_int_equal(tell(UPDRAFT_P2_CONFIRM, 0, &image), UPDRAFT_P2_OK);
    raw_wait(world, 1000);
    info = native_info(&client);
    assert_int_equal(info.run_state, UPDRAFT_RUN_CONFIRMED);
    assert_int_equal(info.flags, 0);
    assert_int_equal(info.result, UPDRAFT_RESULT_CONFIRMED);
    /* Once more is not wrong. */
    assert_int_equal(tell(UPDRAFT_P2_CONFIRM, 0, &image), UPDRAFT_P2_OK);
    world_free(world);
}

/* The file ends with the running image's id, and the manifest says that the image does.
 */
static void an_image_goes_by_its_own_id_whatever_it_was_called(void **state)
{
    (void)state;
    world_t *world = new_world("minimal");
    uint8_t id[UPDRAFT_IMAGE_HASH_SIZE];
    fixture_image_make(&image, "minimal", "1.1.0", "good", IMAGE_SIZE);
    memcpy(id, native_id(&image), sizeof(id));
    memcpy(image.bytes + image.size, native_id(&factory), sizeof(id));
    image.size += sizeof(id);
    assert_int_equal(
        native_deliver(&client, &image, UPDRAFT_P2_OPEN_FORCE | UPDRAFT_P2_OPEN_STAGE),
        UPDRAFT_P2_OK);
    assert_int_equal(native_ask_image(&client, UPDRAFT_P2_ACTIVATE,
                                      UPDRAFT_P2_CONFIRM_BY_CLIENT, native_id(&factory)),
                     UPDRAFT_P2_OK);
    await_and_connect(world, "ota_0", BOOT_MS);
    raw_wait(world, 5000);
    /* Its client has the last word all the same, and nothing is told of another image. */
    struct updraft_info info = native_info(&client);
    assert_int_equal(info.run_state, UPDRAFT_RUN_ON_TRIAL);
    assert_int_equal(info.flags, UPDRAFT_INFO_CONFIRM_CLIENT);
    assert_memory_equal(info.noted_id, id, sizeof(info.noted_id));
    assert_int_equal(native_ask_image(&client, UPDRAFT_P2_CONFIRM, 0, id), UPDRAFT_P2_OK);
    raw_wait(world, 1000);
    info = native_info(&client);
    assert_int_equal(info.run_state, UPDRAFT_RUN_CONFIRMED);
    assert_int_equal(info.flags, 0);
    assert_int_equal(info.result, UPDRAFT_RESULT_CONFIRMED);
    world_free(world);
}

static void early_confirmation_is_remembered(void **state)
{
    (void)state;
    world_t *world = new_world("minimal");
    activate(world, &image, UPDRAFT_P2_CONFIRM_BY_CLIENT, "ota_0");
    native_connect(&client);
    assert_int_equal(tell(UPDRAFT_P2_CONFIRM, 0, &image), UPDRAFT_P2_OK);
    struct updraft_info info = native_info(&client);
    assert_int_equal(info.run_state, UPDRAFT_RUN_ON_TRIAL);
    assert_int_equal(info.flags, 0);
    raw_wait(world, 4000);
    assert_int_equal(native_info(&client).run_state, UPDRAFT_RUN_CONFIRMED);
    world_free(world);
}

static void nobody_confirms_and_it_goes_back(void **state)
{
    (void)state;
    world_t *world = new_world("minimal");
    activate(world, &image, UPDRAFT_P2_CONFIRM_BY_CLIENT, "ota_0");
    raw_wait(world, 290000);
    assert_true(runs(world, "ota_0"));
    await_and_connect(world, "factory", 30000);
    struct updraft_info info = native_info(&client);
    assert_int_equal(info.result, UPDRAFT_RESULT_ROLLED_BACK);
    assert_int_equal(info.reason, UPDRAFT_REASON_NO_CLIENT);
    assert_memory_equal(info.noted_id, native_id(&image), sizeof(info.noted_id));
    assert_int_equal(info.run_state, UPDRAFT_RUN_FACTORY);
    world_free(world);
}

static void each_failure_is_told_with_its_reason(void **state)
{
    (void)state;
    static const struct {
        const char *behaviour;
        uint8_t reason;
        uint8_t detail;
    } failures[] = {
        {"crash", UPDRAFT_REASON_RESET, ESP_RST_PANIC},
        {"hang-early", UPDRAFT_REASON_RESET, ESP_RST_WDT},
        {"hang-spin", UPDRAFT_REASON_RESET, ESP_RST_TASK_WDT},
        {"hang-task", UPDRAFT_REASON_RESET, ESP_RST_WDT},
        {"selftest", UPDRAFT_REASON_SELF_TEST, 0},
        {"no-radio", UPDRAFT_REASON_BLUETOOTH, 0},
    };
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        for (uint8_t policy = 0; policy <= UPDRAFT_P2_CONFIRM_BY_CLIENT; policy++) {
            world_t *world = new_world("minimal");
            fixture_image_make(&image, "minimal", "2.0.0", failures[i].behaviour,
                               IMAGE_SIZE);
            activate(world, &image, policy, "ota_0");
            await_and_connect(world, "factory", 120000);
            struct updraft_info info = native_info(&client);
            if (info.result != UPDRAFT_RESULT_ROLLED_BACK ||
                info.reason != failures[i].reason || info.detail != failures[i].detail) {
                fail_msg("%s: result %d reason %d detail %d", failures[i].behaviour,
                         info.result, info.reason, info.detail);
            }
            assert_memory_equal(info.noted_id, native_id(&image), sizeof(info.noted_id));
            /* It is told again after a restart, and the next good update works. */
            world_power(world, false);
            world_power(world, true);
            await_and_connect(world, "factory", BOOT_MS);
            assert_int_equal(native_info(&client).reason, failures[i].reason);
            fixture_image_make(&next, "minimal", "2.0.1", "good", IMAGE_SIZE);
            confirmed_update(world, &next, "ota_0");
            assert_int_equal(native_info(&client).result, UPDRAFT_RESULT_CONFIRMED);
            world_free(world);
        }
    }
}

/* The self-test has passed, and nothing but updraft's own watchdog is there to notice. */
static void firmware_that_hangs_before_it_is_confirmed_goes_back(void **state)
{
    (void)state;
    world_t *world = new_world("lenient");
    fixture_image_make(&image, "lenient", "2.0.0", "hang-spin", IMAGE_SIZE);
    activate(world, &image, UPDRAFT_P2_CONFIRM_BY_DEVICE, "ota_0");
    fixture_await(world, "self-test passed", BOOT_MS);
    await_and_connect(world, "factory", 30000);
    struct updraft_info info = native_info(&client);
    assert_int_equal(info.result, UPDRAFT_RESULT_ROLLED_BACK);
    assert_int_equal(info.reason, UPDRAFT_REASON_RESET);
    assert_int_equal(info.detail, ESP_RST_WDT);
    world_free(world);
}

static unsigned logged_times(const world_t *world, const char *text)
{
    unsigned times = 0;
    for (const char *at = strstr(world->log, text); at != NULL;
         at = strstr(at + 1, text)) {
        times++;
    }
    return times;
}

/* A client that finds it would take it for a good one. */
static void firmware_is_not_found_before_its_self_test_has_passed(void **state)
{
    (void)state;
    world_t *world = new_world("minimal");
    fixture_image_make(&image, "minimal", "2.0.0", "hang-task", IMAGE_SIZE);
    activate(world, &image, UPDRAFT_P2_CONFIRM_BY_DEVICE, "ota_0");
    raw_wait(world, 10000);
    assert_true(runs(world, "ota_0"));
    assert_int_equal(logged_times(world, "on trial"), 1);
    assert_int_equal(logged_times(world, "advertising as"), 1); /* the one before */
    await_and_connect(world, "factory", 120000);
    world_free(world);
}

static void app_that_does_not_say_its_radio_works_is_not_confirmed(void **state)
{
    (void)state;
    world_t *world = new_world("forgetful");
    fixture_image_make(&image, "forgetful", "no-word", "good", IMAGE_SIZE);
    activate(world, &image, UPDRAFT_P2_CONFIRM_BY_DEVICE, "ota_0");
    native_connect(&client);
    raw_wait(world, 10000);
    assert_int_equal(native_info(&client).run_state, UPDRAFT_RUN_ON_TRIAL);
    await_and_connect(world, "factory", 120000);
    assert_int_equal(logged_times(world, "Bluetooth did not come up"), 1);
    world_free(world);
}

static void power_cut_on_trial_is_a_reset(void **state)
{
    (void)state;
    world_t *world = new_world("minimal");
    activate(world, &image, UPDRAFT_P2_CONFIRM_BY_DEVICE, "ota_0");
    raw_wait(world, 500);
    world_power(world, false);
    world_power(world, true);
    await_and_connect(world, "factory", BOOT_MS);
    struct updraft_info info = native_info(&client);
    assert_int_equal(info.result, UPDRAFT_RESULT_ROLLED_BACK);
    assert_int_equal(info.reason, UPDRAFT_REASON_RESET);
    assert_int_equal(info.detail, ESP_RST_POWERON);
    world_free(world);
}

/* Cut between the boot loader's erase and its write: otadata says nothing of the trial.
 */
static void lost_activation_can_be_had_again(void **state)
{
    (void)state;
    world_t *world = new_world("minimal");
    assert_int_equal(native_update(&client, &image, UPDRAFT_P2_CONFIRM_BY_CLIENT),
                     UPDRAFT_P2_OK);
    sim_flash_cut_at(world->flash, fixture_operations(world) + 1, 0);
    raw_wait(world, 2000);
    assert_true(sim_flash_is_cut(world->flash));
    world_power(world, true);
    await_and_connect(world, "factory", BOOT_MS);
    struct updraft_info info = native_info(&client);
    assert_int_equal(info.result, UPDRAFT_RESULT_LOST);
    assert_int_equal(info.flags, UPDRAFT_INFO_STAGED);
    assert_memory_equal(info.noted_id, native_id(&image), sizeof(info.noted_id));
    assert_int_equal(tell(UPDRAFT_P2_ACTIVATE, UPDRAFT_P2_CONFIRM_BY_DEVICE, &image),
                     UPDRAFT_P2_OK);
    await_and_connect(world, "ota_0", BOOT_MS);
    raw_wait(world, 5000);
    assert_int_equal(native_info(&client).result, UPDRAFT_RESULT_CONFIRMED);
    world_free(world);
}

static void staged_image_is_activated_after_a_power_cut(void **state)
{
    (void)state;
    world_t *world = new_world("minimal");
    assert_int_equal(native_deliver(&client, &image, UPDRAFT_P2_OPEN_STAGE),
                     UPDRAFT_P2_OK);
    world_power(world, false);
    raw_wait(world, 1000);
    world_power(world, true);
    await_and_connect(world, "factory", BOOT_MS);
    struct updraft_info info = native_info(&client);
    assert_int_equal(info.flags, UPDRAFT_INFO_STAGED);
    assert_int_equal(info.result, UPDRAFT_RESULT_NONE);
    assert_memory_equal(info.noted_id, native_id(&image), sizeof(info.noted_id));
    assert_int_equal(tell(UPDRAFT_P2_ACTIVATE, UPDRAFT_P2_CONFIRM_BY_CLIENT, &factory),
                     UPDRAFT_P2_NOTHING_STAGED);
    assert_int_equal(tell(UPDRAFT_P2_ACTIVATE, UPDRAFT_P2_CONFIRM_BY_CLIENT, &image),
                     UPDRAFT_P2_OK);
    assert_int_equal(client.state.state, UPDRAFT_P2_STATE_RESTARTING);
    await_and_connect(world, "ota_0", BOOT_MS);
    assert_int_equal(native_info(&client).flags, UPDRAFT_INFO_CONFIRM_CLIENT);
    assert_int_equal(tell(UPDRAFT_P2_CONFIRM, 0, &image), UPDRAFT_P2_OK);
    raw_wait(world, 5000);
    assert_int_equal(native_info(&client).result, UPDRAFT_RESULT_CONFIRMED);
    world_free(world);
}

static bool is_cut(world_t *world)
{
    return sim_flash_is_cut(world->flash);
}

/* Activates the staged image, with a cut at one flash operation on the way to its
 * confirmation. False: there is no such operation. */
static bool activate_with_cut(world_t *world, uint64_t operation, uint32_t variant)
{
    sim_flash_cut_at(world->flash, fixture_operations(world) + operation, variant);
    struct updraft_p2_command command = {.opcode = UPDRAFT_P2_ACTIVATE,
                                         .confirm_by = UPDRAFT_P2_CONFIRM_BY_DEVICE};
    memcpy(command.id, native_id(&image), sizeof(command.id));
    (void)native_tell(&client, &command);
    if (!world_run(world, is_cut, 15000)) {
        return false;
    }
    raw_wait(world, 1000);
    sim_flash_cut_at(world->flash, SIM_FLASH_NEVER, 0);
    world_power(world, true);
    assert_true(world_run(world, fixture_runs, BOOT_MS));
    return true;
}

/* Wherever the power goes: the old image runs and says what became of the new one, which
 * can be activated again unless it ran, or the new one runs and is confirmed. */
static void no_cut_on_the_way_to_a_confirmation_loses_track(void **state)
{
    (void)state;
    uint64_t operation = 0;
    unsigned again = 0;
    unsigned tried = 0;
    for (bool cut = true; cut; operation++) {
        for (uint32_t variant = 0; variant < 4 && cut; variant++) {
            world_t *world = new_world("minimal");
            fixture_image_make(&image, "minimal", "1.1.0", "good", 4u << 10);
            assert_int_equal(native_deliver(&client, &image, UPDRAFT_P2_OPEN_STAGE),
                             UPDRAFT_P2_OK);
            assert_int_equal(native_ask_session(&client, UPDRAFT_P2_ABORT),
                             UPDRAFT_P2_ABORTED);
            cut = activate_with_cut(world, operation, variant);
            native_connect(&client);
            struct updraft_info info = native_info(&client);
            bool is_new = memcmp(info.image_id, native_id(&image), 32) == 0;
            if (!is_new && (info.flags & UPDRAFT_INFO_STAGED) != 0) {
                again++;
                assert_int_equal(tell(UPDRAFT_P2_ACTIVATE, 0, &image), UPDRAFT_P2_OK);
                await_and_connect(world, "ota_0", BOOT_MS);
            } else if (!is_new) {
                tried++;
                assert_int_equal(info.result, UPDRAFT_RESULT_ROLLED_BACK);
                assert_int_equal(info.reason, UPDRAFT_REASON_RESET);
                world_free(world);
                continue;
            }
            raw_wait(world, 5000);
            info = native_info(&client);
            assert_int_equal(info.run_state, UPDRAFT_RUN_CONFIRMED);
            assert_int_equal(info.result, UPDRAFT_RESULT_CONFIRMED);
            assert_memory_equal(info.image_id, native_id(&image), 32);
            world_free(world);
        }
    }
    print_message("%u operations, %u activated again, %u rolled back\n",
                  (unsigned)operation, again, tried);
    assert_true(operation > 8 && again > 4 && tried > 0);
}

/* By whichever protocol the slot is taken. */
static void staged_image_is_forgotten_before_it_is_erased(void **state)
{
    (void)state;
    for (int protocol = 1; protocol <= 2; protocol++) {
        world_t *world = new_world("minimal");
        assert_int_equal(native_deliver(&client, &image, UPDRAFT_P2_OPEN_STAGE),
                         UPDRAFT_P2_OK);
        assert_int_equal(native_ask_session(&client, UPDRAFT_P2_ABORT),
                         UPDRAFT_P2_ABORTED);
        assert_int_equal(native_info(&client).flags, UPDRAFT_INFO_STAGED);
        if (protocol == 1) {
            assert_int_equal(raw_packet_size(client.raw, 244), 0);
            assert_int_equal(raw_ask(client.raw, UPDRAFT_P1_REQUEST),
                             UPDRAFT_P1_REQUEST_ACK);
            assert_int_equal(raw_send(client.raw, next.bytes, 4 * 244, 244), 0);
        } else {
            assert_int_equal(native_open(&client, &next, 0), UPDRAFT_P2_OK);
            assert_int_equal(native_send_manifest(&client), UPDRAFT_P2_OK);
            assert_int_equal(native_info(&client).flags, UPDRAFT_INFO_STAGED);
            const struct updraft_p2_command range = {.opcode = UPDRAFT_P2_RANGE,
                                                     .session = client.state.session,
                                                     .size_bytes = 4096};
            assert_int_equal(native_ask(&client, &range), UPDRAFT_P2_OK);
        }
        raw_wait(world, 500);
        world_power(world, false);
        world_power(world, true);
        await_and_connect(world, "factory", BOOT_MS);
        assert_int_equal(native_info(&client).flags, 0);
        assert_int_equal(tell(UPDRAFT_P2_ACTIVATE, UPDRAFT_P2_CONFIRM_BY_DEVICE, &image),
                         UPDRAFT_P2_NOTHING_STAGED);
        world_free(world);
    }
}

static void client_goes_back_to_the_previous_image(void **state)
{
    (void)state;
    world_t *world = new_world("minimal");
    confirmed_update(world, &image, "ota_0");
    confirmed_update(world, &next, "ota_1");
    assert_int_equal(tell(UPDRAFT_P2_ROLLBACK, UPDRAFT_P2_ROLLBACK_PREVIOUS, &image),
                     UPDRAFT_P2_WRONG_STATE);
    assert_int_equal(tell(UPDRAFT_P2_ROLLBACK, UPDRAFT_P2_ROLLBACK_PREVIOUS, &next),
                     UPDRAFT_P2_OK);
    assert_int_equal(client.state.state, UPDRAFT_P2_STATE_RESTARTING);
    await_and_connect(world, "ota_0", BOOT_MS);
    struct updraft_info info = native_info(&client);
    assert_int_equal(info.run_state, UPDRAFT_RUN_CONFIRMED);
    assert_int_equal(info.result, UPDRAFT_RESULT_ROLLED_BACK);
    assert_int_equal(info.reason, UPDRAFT_REASON_COMMAND);
    assert_memory_equal(info.noted_id, native_id(&next), sizeof(info.noted_id));
    world_free(world);
}

static void client_goes_back_to_factory(void **state)
{
    (void)state;
    world_t *world = new_world("minimal");
    confirmed_update(world, &image, "ota_0");
    confirmed_update(world, &next, "ota_1");
    assert_int_equal(tell(UPDRAFT_P2_ROLLBACK, UPDRAFT_P2_ROLLBACK_FACTORY, &next),
                     UPDRAFT_P2_OK);
    await_and_connect(world, "factory", BOOT_MS);
    struct updraft_info info = native_info(&client);
    assert_int_equal(info.result, UPDRAFT_RESULT_ROLLED_BACK);
    assert_int_equal(info.reason, UPDRAFT_REASON_COMMAND);
    /* From here there is nowhere to go, in either direction. */
    for (uint8_t target = 0; target <= UPDRAFT_P2_ROLLBACK_FACTORY; target++) {
        assert_int_equal(tell(UPDRAFT_P2_ROLLBACK, target, &factory),
                         UPDRAFT_P2_NO_FALLBACK);
    }
    assert_true(runs(world, "factory"));
    world_free(world);
}

static void broken_factory_is_no_way_back(void **state)
{
    (void)state;
    world_t *world = new_world("minimal");
    confirmed_update(world, &image, "ota_0");
    fixture_spoil(world, "factory");
    for (uint8_t target = 0; target <= UPDRAFT_P2_ROLLBACK_FACTORY; target++) {
        assert_int_equal(tell(UPDRAFT_P2_ROLLBACK, target, &image),
                         UPDRAFT_P2_NO_FALLBACK);
    }
    raw_wait(world, 2000);
    assert_true(runs(world, "ota_0"));
    world_free(world);
}

/* On trial with nothing behind it: kept, and not tried for ever. */
static void without_a_way_back_it_is_kept(void **state)
{
    (void)state;
    world_t *world = new_world("minimal");
    activate(world, &image, UPDRAFT_P2_CONFIRM_BY_CLIENT, "ota_0");
    raw_wait(world, 10000);
    fixture_spoil(world, "factory");
    fixture_await(world, "there is no other image to go back to", 300000);
    await_and_connect(world, "ota_0", BOOT_MS);
    struct updraft_info info = native_info(&client);
    assert_int_equal(info.run_state, UPDRAFT_RUN_CONFIRMED);
    assert_int_equal(info.result, UPDRAFT_RESULT_CONFIRMED);
    world_free(world);
}

static void boot_loader_without_rollback_is_told(void **state)
{
    (void)state;
    world_t *world = new_world("minimal");
    world->chip->boot_without_rollback = true;
    activate(world, &image, UPDRAFT_P2_CONFIRM_BY_CLIENT, "ota_0");
    native_connect(&client);
    struct updraft_info info = native_info(&client);
    assert_int_equal(info.run_state, UPDRAFT_RUN_UNMONITORED);
    assert_int_equal(info.result, UPDRAFT_RESULT_CONFIRMED);
    assert_int_equal(tell(UPDRAFT_P2_CONFIRM, 0, &image), UPDRAFT_P2_OK);
    world_free(world);
}

/* Without NVS the new firmware does not know that a client wanted to confirm it, and must
 * not be rolled back for it. */
static void device_that_cannot_remember_confirms_itself(void **state)
{
    (void)state;
    world_t *world = new_world("forgetful");
    activate(world, &image, UPDRAFT_P2_CONFIRM_BY_CLIENT, "ota_0");
    native_connect(&client);
    raw_wait(world, 10000);
    struct updraft_info info = native_info(&client);
    assert_int_equal(info.run_state, UPDRAFT_RUN_CONFIRMED);
    assert_int_equal(info.result, UPDRAFT_RESULT_NONE);
    /* Nor can it stage anything. */
    assert_int_equal(native_deliver(&client, &next, UPDRAFT_P2_OPEN_STAGE),
                     UPDRAFT_P2_FLASH);
    assert_int_equal(native_info(&client).flags, 0);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_confirms_what_it_activated),
        cmocka_unit_test(an_image_goes_by_its_own_id_whatever_it_was_called),
        cmocka_unit_test(early_confirmation_is_remembered),
        cmocka_unit_test(nobody_confirms_and_it_goes_back),
        cmocka_unit_test(each_failure_is_told_with_its_reason),
        cmocka_unit_test(firmware_that_hangs_before_it_is_confirmed_goes_back),
        cmocka_unit_test(firmware_is_not_found_before_its_self_test_has_passed),
        cmocka_unit_test(app_that_does_not_say_its_radio_works_is_not_confirmed),
        cmocka_unit_test(power_cut_on_trial_is_a_reset),
        cmocka_unit_test(lost_activation_can_be_had_again),
        cmocka_unit_test(staged_image_is_activated_after_a_power_cut),
        cmocka_unit_test(no_cut_on_the_way_to_a_confirmation_loses_track),
        cmocka_unit_test(staged_image_is_forgotten_before_it_is_erased),
        cmocka_unit_test(client_goes_back_to_the_previous_image),
        cmocka_unit_test(client_goes_back_to_factory),
        cmocka_unit_test(broken_factory_is_no_way_back),
        cmocka_unit_test(without_a_way_back_it_is_kept),
        cmocka_unit_test(boot_loader_without_rollback_is_told),
        cmocka_unit_test(device_that_cannot_remember_confirms_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
