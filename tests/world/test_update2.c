/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of a whole update by protocol 2: the command's flow, the air, the firmware,
 * the boot loader. */
#include <stdio.h>
#include <string.h>

#include "tests/world/fixture.h"

#define IMAGE_SIZE (128u << 10)
#define PLACES     10u
/* What carries a chunk beside the file's bytes, and what a file's last sector leaves. */
#define SECTORS_MAX 2u
#define LINK_END_MS 8000u

static struct fixture_image image;
static struct fixture_image next_image;
static uint32_t awaited_bytes;
static enum updraft_phase awaited_phase;

static const struct world_flow_options patient = {.return_limit_ms = 180000};

static world_t *typical_world(void)
{
    const struct world_config config = {
        .seed = 1, .air = "bluez-50", .flash = "typical", .centrals = 2};
    world_t *world = fixture_world(&config);
    fixture_await(world, "advertising as", 5000);
    return world;
}

static void expect(world_t *world, const struct world_update *update, int status,
                   enum updraft_outcome outcome, const char *what)
{
    if (!update->finished || update->status != status || update->outcome != outcome) {
        fputs(world->log, stderr);
        fail_msg("%s: finished %d, status %s, outcome %s, runs %s", what,
                 update->finished, updraft_error_name(update->status),
                 updraft_outcome_name(update->outcome), update->firmware);
    }
}

static const struct world_update *run_flow(world_t *world,
                                           const struct fixture_image *what,
                                           const struct world_flow_options *options)
{
    return world_update(world, what != NULL ? what->bytes : NULL,
                        what != NULL ? what->size : 0, options);
}

static bool has_sent(world_t *world)
{
    const struct world_update *update = world_update_result(world, 0);
    return update->finished || update->done_bytes >= awaited_bytes;
}

static bool in_phase(world_t *world)
{
    const struct world_update *update = world_update_result(world, 0);
    return update->finished || update->flow.phase == awaited_phase;
}

static bool is_over(world_t *world)
{
    return world_update_result(world, 0)->finished;
}

static void begin_and_stop_at(world_t *world, uint32_t place)
{
    awaited_bytes = IMAGE_SIZE / (PLACES + 1) * place;
    world_update_start(world, image.bytes, image.size, &patient);
    assert_true(world_run(world, has_sent, 60000));
    assert_false(is_over(world));
}

/* What was sent in vain, over all links, is a window and two sectors at most. */
static void expect_little_resent(world_t *world, const struct world_update *update,
                                 uint32_t sent_before, const char *what, uint32_t place)
{
    uint32_t sent = sent_before + update->flow.sent_bytes;
    uint32_t limit = update->info.window_bytes + SECTORS_MAX * 4096u;
    if (sent < image.size || sent > image.size + limit) {
        fputs(world->log, stderr);
        fail_msg("%s at place %u: %u bytes sent for %u, at most %u more were due", what,
                 place, sent, (unsigned)image.size, limit);
    }
}

static void make_images(void)
{
    fixture_image_make(&image, "minimal", "1.1.0", "good", IMAGE_SIZE);
    fixture_image_make(&next_image, "minimal", "1.2.0", "good", IMAGE_SIZE);
}

static void an_update_ends_confirmed(void **state)
{
    (void)state;
    world_t *world = typical_world();
    make_images();
    const struct world_update *update = run_flow(world, &image, NULL);
    expect(world, update, 0, UPDRAFT_OUTCOME_CONFIRMED, "update");
    assert_string_equal(update->firmware, "1.1.0");
    assert_int_equal(update->flow.sent_bytes, image.size);
    assert_int_equal(update->resent_bytes, 0);
    assert_int_equal(update->info.run_state, UPDRAFT_RUN_CONFIRMED);
    assert_int_equal(update->info.result, UPDRAFT_RESULT_CONFIRMED);
    assert_string_equal(sim_board_running(world->board), "ota_0");
    update = run_flow(world, &image, NULL);
    expect(world, update, 0, UPDRAFT_OUTCOME_ALREADY, "the same again");
    const struct world_flow_options fresh = {.force = true, .fresh = true};
    update = run_flow(world, &image, &fresh);
    expect(world, update, 0, UPDRAFT_OUTCOME_CONFIRMED, "by force");
    assert_string_equal(sim_board_running(world->board), "ota_1");
    world_free(world);
}

/* ---- resume ---- */

static void a_lost_link_costs_a_window_and_two_sectors(void **state)
{
    (void)state;
    make_images();
    for (uint32_t place = 1; place <= PLACES; place++) {
        world_t *world = typical_world();
        begin_and_stop_at(world, place);
        sim_controller_shield(world->controller, true);
        (void)world_run(world, fixture_never, LINK_END_MS);
        sim_controller_shield(world->controller, false);
        assert_true(world_run(world, is_over, 600000));
        const struct world_update *update = world_update_result(world, 0);
        expect(world, update, 0, UPDRAFT_OUTCOME_CONFIRMED, "after a lost link");
        assert_true(update->retries >= 1 && update->kept_bytes > 0);
        expect_little_resent(world, update, 0, "link lost", place);
        world_free(world);
    }
}

static void a_power_cut_costs_a_window_and_two_sectors(void **state)
{
    (void)state;
    make_images();
    for (uint32_t place = 1; place <= PLACES; place++) {
        world_t *world = typical_world();
        begin_and_stop_at(world, place);
        world_power(world, false);
        (void)world_run(world, fixture_never, 1000);
        world_power(world, true);
        assert_true(world_run(world, is_over, 600000));
        const struct world_update *update = world_update_result(world, 0);
        expect(world, update, 0, UPDRAFT_OUTCOME_CONFIRMED, "after a power cut");
        assert_true(update->retries >= 1 && update->kept_bytes > 0);
        expect_little_resent(world, update, 0, "power cut", place);
        world_free(world);
    }
}

static void the_clients_end_costs_a_window_and_two_sectors(void **state)
{
    (void)state;
    make_images();
    for (uint32_t place = 1; place <= PLACES; place++) {
        world_t *world = typical_world();
        begin_and_stop_at(world, place);
        uint32_t sent =
            updraft_client2_sent_bytes(&world_update_result(world, 0)->flow.session2);
        world_abandon(world, 0);
        (void)world_run(world, fixture_never, LINK_END_MS);
        const struct world_update *update = run_flow(world, &image, &patient);
        expect(world, update, 0, UPDRAFT_OUTCOME_CONFIRMED, "after the client's end");
        assert_true(update->retries == 0 && update->kept_bytes > 0);
        expect_little_resent(world, update, sent, "client's end", place);
        world_free(world);
    }
}

static void a_trial_that_a_client_left_is_confirmed_by_the_next(void **state)
{
    (void)state;
    make_images();
    world_t *world = typical_world();
    awaited_phase = UPDRAFT_PHASE_RESTARTING;
    world_update_start(world, image.bytes, image.size, NULL);
    assert_true(world_run(world, in_phase, 120000));
    world_abandon(world, 0);
    (void)world_run(world, fixture_never, LINK_END_MS);
    const struct world_flow_options confirm = {.verb = UPDRAFT_FLOW_CONFIRM};
    const struct world_update *update = run_flow(world, NULL, &confirm);
    expect(world, update, 0, UPDRAFT_OUTCOME_CONFIRMED, "confirm");
    assert_string_equal(update->firmware, "1.1.0");
    assert_true(fixture_settled(world));
    world_free(world);
}

/* ---- rollbacks ---- */

static void a_rollback_comes_with_its_reason(void **state)
{
    (void)state;
    static const struct {
        const char *behaviour;
        enum updraft_reason reason;
    } fates[] = {
        {"crash", UPDRAFT_REASON_RESET},        {"hang-early", UPDRAFT_REASON_RESET},
        {"hang-spin", UPDRAFT_REASON_RESET},    {"hang-task", UPDRAFT_REASON_RESET},
        {"selftest", UPDRAFT_REASON_SELF_TEST}, {"no-radio", UPDRAFT_REASON_BLUETOOTH},
    };
    for (size_t i = 0; i < sizeof(fates) / sizeof(fates[0]); i++) {
        world_t *world = typical_world();
        fixture_image_make(&image, "minimal", "2.0.0", fates[i].behaviour, 20u << 10);
        const struct world_update *update = run_flow(world, &image, &patient);
        expect(world, update, UPDRAFT_ERROR_ROLLED_BACK, UPDRAFT_OUTCOME_NONE,
               fates[i].behaviour);
        assert_true(update->info_known);
        if (update->info.result != UPDRAFT_RESULT_ROLLED_BACK ||
            update->info.reason != fates[i].reason) {
            fail_msg("%s: result %s, reason %s", fates[i].behaviour,
                     updraft_result_name(update->info.result),
                     updraft_reason_name(update->info.reason));
        }
        assert_string_equal(sim_board_running(world->board), "factory");
        fixture_image_make(&next_image, "minimal", "2.0.1", "good", 20u << 10);
        update = run_flow(world, &next_image, NULL);
        expect(world, update, 0, UPDRAFT_OUTCOME_CONFIRMED, "the next update");
        world_free(world);
    }
}

static void rollback_goes_to_the_previous_image_and_to_factory(void **state)
{
    (void)state;
    make_images();
    world_t *world = typical_world();
    const struct world_flow_options back = {.verb = UPDRAFT_FLOW_ROLLBACK};
    const struct world_flow_options factory = {.verb = UPDRAFT_FLOW_ROLLBACK,
                                               .factory = true};
    expect(world, run_flow(world, &image, NULL), 0, UPDRAFT_OUTCOME_CONFIRMED, "1.1.0");
    expect(world, run_flow(world, &next_image, NULL), 0, UPDRAFT_OUTCOME_CONFIRMED,
           "1.2.0");
    const struct world_update *update = run_flow(world, NULL, &back);
    expect(world, update, 0, UPDRAFT_OUTCOME_REVERTED, "to the previous image");
    assert_string_equal(update->firmware, "1.1.0");
    assert_string_equal(sim_board_running(world->board), "ota_0");
    assert_true(fixture_settled(world));
    update = run_flow(world, NULL, &factory);
    expect(world, update, 0, UPDRAFT_OUTCOME_REVERTED, "to factory");
    assert_string_equal(update->firmware, "1.0.0");
    assert_string_equal(sim_board_running(world->board), "factory");
    expect(world, run_flow(world, &next_image, NULL), 0, UPDRAFT_OUTCOME_CONFIRMED,
           "and forward again");
    world_free(world);
}

static void without_another_firmware_rollback_is_refused(void **state)
{
    (void)state;
    world_t *world = typical_world();
    const struct world_flow_options back = {.verb = UPDRAFT_FLOW_ROLLBACK};
    expect(world, run_flow(world, NULL, &back), UPDRAFT_ERROR_NO_FALLBACK,
           UPDRAFT_OUTCOME_NONE, "rollback of factory");
    assert_string_equal(sim_board_running(world->board), "factory");
    world_free(world);
}

/* ---- stage and activate ---- */

static void a_staged_image_outlives_a_power_cut(void **state)
{
    (void)state;
    make_images();
    world_t *world = typical_world();
    const struct world_flow_options stage = {.stage = true};
    const struct world_flow_options activate = {.verb = UPDRAFT_FLOW_ACTIVATE};
    expect(world, run_flow(world, NULL, &activate), UPDRAFT_ERROR_NOTHING_STAGED,
           UPDRAFT_OUTCOME_NONE, "activate before");
    expect(world, run_flow(world, &image, &stage), 0, UPDRAFT_OUTCOME_STAGED, "stage");
    assert_string_equal(sim_board_running(world->board), "factory");
    world_power(world, false);
    (void)world_run(world, fixture_never, 1000);
    world_power(world, true);
    (void)world_run(world, fixture_never, 1000);
    assert_string_equal(sim_board_running(world->board), "factory");
    const struct world_update *update = run_flow(world, NULL, &activate);
    expect(world, update, 0, UPDRAFT_OUTCOME_CONFIRMED, "activate");
    assert_string_equal(update->firmware, "1.1.0");
    assert_int_equal(update->flow.sent_bytes, 0);
    world_free(world);
}

static void an_update_of_a_staged_image_sends_next_to_nothing(void **state)
{
    (void)state;
    make_images();
    world_t *world = typical_world();
    const struct world_flow_options stage = {.stage = true};
    expect(world, run_flow(world, &image, &stage), 0, UPDRAFT_OUTCOME_STAGED, "stage");
    const struct world_update *update = run_flow(world, &image, NULL);
    expect(world, update, 0, UPDRAFT_OUTCOME_CONFIRMED, "update");
    assert_true(update->flow.sent_bytes <= SECTORS_MAX * 4096u);
    world_free(world);
}

/* ---- two centrals ---- */

static void another_central_is_told_busy_until_the_first_is_gone(void **state)
{
    (void)state;
    /* Large enough to be still on its way when the second one comes. */
    fixture_image_make(&image, "minimal", "1.1.0", "good", 768u << 10);
    world_t *world = typical_world();
    begin_and_stop_at(world, 3);
    const struct world_flow_options second = {.central = 1};
    const struct world_update *update = run_flow(world, &image, &second);
    expect(world, update, UPDRAFT_ERROR_BUSY, UPDRAFT_OUTCOME_NONE, "the second");
    assert_true((update->info.flags & UPDRAFT_INFO_BUSY) != 0);
    /* The first dies: once its link is gone, the second goes on from where it was. */
    assert_false(is_over(world));
    world_abandon(world, 0);
    (void)world_run(world, fixture_never, LINK_END_MS);
    update = run_flow(world, &image, &second);
    expect(world, update, 0, UPDRAFT_OUTCOME_CONFIRMED, "the second again");
    assert_true(update->kept_bytes > 0);
    world_free(world);
}

/* ---- lost notifications, MTU ---- */

static void lost_notifications_cost_time_alone(void **state)
{
    (void)state;
    make_images();
    for (uint32_t every = 2; every <= 6; every++) {
        world_t *world = typical_world();
        sim_transport_lose_notifications(world->transports[0], every);
        const struct world_update *update = run_flow(world, &image, &patient);
        expect(world, update, 0, UPDRAFT_OUTCOME_CONFIRMED, "with lost notifications");
        assert_string_equal(update->firmware, "1.1.0");
        expect_little_resent(world, update, 0, "lost notifications", every);
        world_free(world);
    }
}

static void every_mtu_does(void **state)
{
    (void)state;
    static const uint16_t mtus[] = {23, 185, 247, 256, 498, 517};
    fixture_image_make(&image, "minimal", "1.1.0", "good", 40u << 10);
    for (size_t i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
        struct sim_air_profile profile = *sim_air_profile("typical");
        profile.mtu = mtus[i];
        const struct world_config config = {
            .seed = 1, .air_profile = &profile, .flash = "typical"};
        world_t *world = fixture_world(&config);
        const struct world_update *update = run_flow(world, &image, NULL);
        expect(world, update, 0, UPDRAFT_OUTCOME_CONFIRMED, "update");
        uint16_t size = updraft_client2_write_size(&update->flow.session2);
        assert_int_equal(size, mtus[i] >= 498      ? 495
                               : mtus[i] - 3 < 244 ? mtus[i] - 3
                                                   : 244);
        world_free(world);
    }
}

static uint64_t allocations(const world_t *world)
{
    struct sim_board_stats stats;
    sim_board_stats(world->board, &stats);
    return stats.allocations;
}

static uint64_t allocations_before;

static bool has_allocated_or_restarted(world_t *world)
{
    return allocations(world) != allocations_before || sim_board_boots(world->board) > 1;
}

/* NimBLE itself takes memory for a moment when a client asks for the Database Hash, which
 * it does before it asks for anything of updraft. */
static void once_it_runs_updraft_allocates_nothing(void **state)
{
    (void)state;
    fixture_image_make(&image, "minimal", "1.1.0", "good", IMAGE_SIZE);
    for (uint8_t protocol = 1; protocol <= 2; protocol++) {
        struct world_flow_options options = patient;
        options.protocol_max = protocol;
        world_t *world = typical_world();
        world_update_start(world, image.bytes, image.size, &options);
        awaited_phase = UPDRAFT_PHASE_TRANSFERRING;
        assert_true(world_run(world, in_phase, 60000));
        allocations_before = allocations(world);
        assert_true(world_run(world, has_allocated_or_restarted, 600000));
        assert_int_equal(sim_board_boots(world->board), 2);
        if (protocol == 1) { /* confirms itself */
            world_abandon(world, 0);
            fixture_await(world, "self-test passed", 5000);
            (void)world_run(world, fixture_never, 500); /* Bluetooth comes up */
            allocations_before = allocations(world);
            assert_true(world_run(world, fixture_settled, 10000));
            assert_int_equal(allocations(world), allocations_before);
        }
        world_free(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_update_ends_confirmed),
        cmocka_unit_test(a_lost_link_costs_a_window_and_two_sectors),
        cmocka_unit_test(a_power_cut_costs_a_window_and_two_sectors),
        cmocka_unit_test(the_clients_end_costs_a_window_and_two_sectors),
        cmocka_unit_test(a_trial_that_a_client_left_is_confirmed_by_the_next),
        cmocka_unit_test(a_rollback_comes_with_its_reason),
        cmocka_unit_test(rollback_goes_to_the_previous_image_and_to_factory),
        cmocka_unit_test(without_another_firmware_rollback_is_refused),
        cmocka_unit_test(a_staged_image_outlives_a_power_cut),
        cmocka_unit_test(an_update_of_a_staged_image_sends_next_to_nothing),
        cmocka_unit_test(another_central_is_told_busy_until_the_first_is_gone),
        cmocka_unit_test(lost_notifications_cost_time_alone),
        cmocka_unit_test(every_mtu_does),
        cmocka_unit_test(once_it_runs_updraft_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
