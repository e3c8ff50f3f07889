/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Broken images offered as updates: none boots unless it verifies as a whole by ESP-IDF's
 * rules, and what the head shows is refused before a sector is erased. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/chip/little_endian.h"
#include "sim/chip/model.h"
#include "sim/chip/verify.h"
#include "tests/world/raw.h"
#include "updraft/protocol1.h"

#define SEED         3u
#define FLASH_SIZE   (4u << 20)
#define IMAGE_SIZE   (2u << 10)
#define HEAD_SIZE    288u /* header, first segment's header, descriptor */
#define DENSE_SIZE   320u
#define NAME_OFFSET  304u /* of the firmware, for the simulator: another is another's */
#define SPARSE_STEP  61u
#define PACKET_SIZE  244u
#define SETTLE_MS    20000u
#define UPDATE_EVERY 16u

/* Every bit is tried in the long tests; usually every so many, from the first on. */
static uint32_t stride(void)
{
#ifdef __SANITIZE_ADDRESS__
    return 25; /* sanitizers look for other mistakes, and take their time */
#else
    return fixture_all() ? 1 : 5;
#endif
}

/* One way to break the image. */
enum way {
    PREFIX,  /* the first `number` bytes */
    FLIP,    /* bit `number` is another */
    REPAIRED /* the same, and checksum and hash fit again where that can be */
};

static const char *const ways[] = {"prefix", "flip", "repaired"};

struct stage {
    const struct sim_chip_model *model;
    world_t *world;
    struct raw *raw;
    sim_snapshot_t *snapshot;
    uint8_t *flash; /* as it was then */
    uint32_t slot_size;
    /* What came of it: */
    unsigned offered;
    unsigned refused_by_head;
    unsigned refused_later;
    unsigned taken;
    unsigned booted;
};

static struct fixture_image image;
static struct fixture_image after_image;
static uint8_t broken[2 * IMAGE_SIZE];

static void fail_case(const struct stage *stage, enum way way, uint32_t number,
                      const char *what)
{
    fputs(stage->world->log, stderr);
    fail_msg("%s\nreplay: UPDRAFT_OFFER=%s:%s:%u test_world_offered (seed %u)", what,
             stage->model->name, ways[way], number, SEED);
}

static void make_image(struct fixture_image *ret_image, const struct stage *stage,
                       const char *version, uint32_t size)
{
    const struct sim_image_request request = {
        .firmware = "minimal",
        .version = version,
        .chip_id = stage->model->chip_id,
        .size_bytes = size,
        .seed = SEED,
    };
    fixture_image_request(ret_image, &request);
}

static void set_up(struct stage *stage, const char *chip)
{
    static struct fixture_image factory;
    memset(stage, 0, sizeof(*stage));
    stage->model = sim_chip_model_named(chip);
    make_image(&factory, stage, "1.0.0", 4u << 10);
    make_image(&image, stage, "1.1.0", IMAGE_SIZE);
    make_image(&after_image, stage, "2.0.0", 4u << 10);
    const struct world_config config = {
        .seed = SEED,
        .chip = chip,
        .factory = factory.bytes,
        .factory_size = factory.size,
    };
    stage->world = fixture_world(&config);
    fixture_await(stage->world, "advertising as", 5000);
    stage->slot_size = fixture_part(stage->world, "ota_0")->size;
    stage->raw = raw_new(stage->world, 1);
    assert_true(raw_connect(stage->raw));
    stage->flash = malloc(FLASH_SIZE);
    assert_non_null(stage->flash);
    memcpy(stage->flash, sim_flash_bytes(stage->world->flash), FLASH_SIZE);
    stage->snapshot = world_snapshot(stage->world);
}

static void tear_down(struct stage *stage)
{
    sim_snapshot_free(stage->snapshot);
    free(stage->flash);
    world_free(stage->world);
}

/* By the layout of ESP-IDF's image format, apart from both parsers: does the head alone
 * show that this device cannot use it? */
static bool head_is_wrong(const struct stage *stage, const uint8_t *bytes)
{
    uint16_t least = sim_get_le16(bytes + 15);
    uint16_t most = sim_get_le16(bytes + 17);
    uint16_t revision = stage->model->revision;
    uint32_t segment_size = sim_get_le32(bytes + 28);
    return bytes[0] != 0xE9 || bytes[1] == 0 || bytes[1] > 16 ||
           sim_get_le16(bytes + 12) != stage->model->chip_id || revision < least ||
           (most != 0 && most != 0xFFFF && revision > most) || bytes[23] == 0 ||
           segment_size % 4 != 0 || segment_size < 256 ||
           segment_size > stage->slot_size || sim_get_le32(bytes + 32) != 0xABCD5432u;
}

static uint64_t erased(const world_t *world)
{
    struct sim_flash_stats stats;
    sim_flash_stats(world->flash, &stats);
    return stats.sectors_erased + stats.blocks_erased;
}

/* The size of what is offered; it lies in `broken`. */
static size_t break_image(enum way way, uint32_t number)
{
    memcpy(broken, image.bytes, image.size);
    if (way == PREFIX) {
        return number;
    }
    broken[number / 8] ^= (uint8_t)(1u << number % 8);
    if (way == REPAIRED) {
        /* Where the list of segments leads nowhere there is nothing to repair. */
        (void)sim_image_seal(broken, image.size);
    }
    return image.size;
}

/* Of the board as it stands after its restart. */
static void check_restarted(struct stage *stage, enum way way, uint32_t number)
{
    world_t *world = stage->world;
    uint32_t offset = fixture_part(world, "ota_0")->offset;
    uint64_t us = 0;
    struct sim_image_facts facts;
    bool whole = sim_chip_verify(world->chip, offset, stage->slot_size, SIM_VERIFY_LOAD,
                                 NULL, NULL, &facts, &us) == SIM_OK;
    bool boots = strcmp(sim_board_running(world->board), "ota_0") == 0;
    stage->booted += boots;
    if (boots != whole) {
        fail_case(stage, way, number,
                  whole ? "it verifies and does not boot"
                        : "it boots and does not verify");
    }
    /* What followed the image's end was padding. */
    if (boots &&
        memcmp(sim_flash_bytes(world->flash) + offset, broken, facts.size) != 0) {
        fail_case(stage, way, number, "what boots is not what was sent");
    }
    if (way != REPAIRED && memcmp(broken, image.bytes, image.size) != 0) {
        fail_case(stage, way, number, "it was taken with a wrong hash");
    }
}

static void check_unharmed(struct stage *stage, enum way way, uint32_t number)
{
    world_t *world = stage->world;
    uint32_t slot = fixture_part(world, "ota_0")->offset;
    uint32_t behind = slot + stage->slot_size;
    const uint8_t *flash = sim_flash_bytes(world->flash);
    if (sim_board_boots(world->board) != 1 || !fixture_runs(world)) {
        fail_case(stage, way, number, "the board restarted");
    }
    if (memcmp(flash, stage->flash, slot) != 0 ||
        memcmp(flash + behind, stage->flash + behind, FLASH_SIZE - behind) != 0) {
        fail_case(stage, way, number, "flash outside the slot changed");
    }
    uint64_t us = 0;
    if (sim_chip_verify(world->chip, slot, stage->slot_size, SIM_VERIFY_ONLY, NULL, NULL,
                        NULL, &us) == SIM_OK) {
        fail_case(stage, way, number, "the slot holds an image all the same");
    }
}

static void update_again(struct stage *stage, enum way way, uint32_t number)
{
    if (raw_update(stage->raw, &after_image, PACKET_SIZE) != UPDRAFT_P1_DONE_ACK) {
        fail_case(stage, way, number, "the next update is refused");
    }
    (void)world_run(stage->world, fixture_never, SETTLE_MS);
    if (!fixture_settled(stage->world) || !fixture_verifies(stage->world)) {
        fail_case(stage, way, number, "the next update is not confirmed");
    }
}

static void offer(struct stage *stage, enum way way, uint32_t number)
{
    world_t *world = stage->world;
    struct raw *raw = stage->raw;
    world_restore(world, stage->snapshot);
    size_t size = break_image(way, number);
    bool by_head = size < HEAD_SIZE || head_is_wrong(stage, broken);
    uint64_t erased_before = erased(world);
    uint64_t before = fixture_operations(world);
    assert_int_equal(raw_packet_size(raw, PACKET_SIZE), 0);
    assert_int_equal(raw_ask(raw, UPDRAFT_P1_REQUEST), UPDRAFT_P1_REQUEST_ACK);
    (void)raw_send(raw, broken, size, PACKET_SIZE);
    int answer = raw_ask(raw, UPDRAFT_P1_DONE);
    stage->offered++;
    if (answer == UPDRAFT_P1_DONE_ACK) {
        stage->taken++;
        (void)world_run(world, fixture_never, SETTLE_MS);
        if (by_head || !fixture_runs(world) || !fixture_verifies(world)) {
            fail_case(stage, way, number, "it was taken, and should not have been");
        }
        check_restarted(stage, way, number);
    } else if (answer != UPDRAFT_P1_DONE_NAK) {
        fail_case(stage, way, number, "DONE is not answered");
    } else {
        check_unharmed(stage, way, number);
        if (by_head &&
            (erased(world) != erased_before || fixture_operations(world) != before)) {
            fail_case(stage, way, number, "flash was touched for what the head shows");
        }
        stage->refused_by_head += by_head;
        stage->refused_later += !by_head;
    }
    /* The boot loader asks more than esp_image_verify: where load addresses lead. */
    bool fell_back =
        answer == UPDRAFT_P1_DONE_ACK && sim_board_running(world->board)[0] == 'f';
    if (fell_back || (number % UPDATE_EVERY == 0 && raw_connected(raw))) {
        update_again(stage, way, number);
    }
}

static void report(const struct stage *stage)
{
    print_message("%s: %u offered, %u refused by the head (nothing erased), %u later, "
                  "%u taken, of which %u booted\n",
                  stage->model->name, stage->offered, stage->refused_by_head,
                  stage->refused_later, stage->taken, stage->booted);
    assert_int_equal(stage->offered,
                     stage->refused_by_head + stage->refused_later + stage->taken);
}

static void no_prefix_of_an_image_boots(void **state)
{
    struct stage stage;
    set_up(&stage, *state);
    for (uint32_t size = 0; size < image.size;
         size += size < DENSE_SIZE || fixture_all() ? 1 : SPARSE_STEP) {
        offer(&stage, PREFIX, size);
    }
    offer(&stage, PREFIX, (uint32_t)image.size - 1);
    report(&stage);
    assert_int_equal(stage.refused_by_head, HEAD_SIZE);
    assert_int_equal(stage.taken, 0);
    offer(&stage, PREFIX, (uint32_t)image.size);
    assert_int_equal(stage.booted, 1);
    tear_down(&stage);
}

static void no_image_with_a_flipped_bit_boots(void **state)
{
    struct stage stage;
    set_up(&stage, *state);
    uint32_t bytes = fixture_all() ? (uint32_t)image.size : DENSE_SIZE;
    for (uint32_t bit = 0; bit < bytes * 8; bit += stride()) {
        offer(&stage, FLIP, bit);
    }
    report(&stage);
    assert_int_equal(stage.taken, 0);
    assert_true(stage.refused_by_head > 50 / stride());
    tear_down(&stage);
}

/* Whoever builds broken images on purpose gets the hash right. */
static void an_image_made_to_fit_its_hash_boots_only_where_the_boot_loader_takes_it(
    void **state)
{
    struct stage stage;
    set_up(&stage, *state);
    for (uint32_t bit = 0; bit < NAME_OFFSET * 8; bit += stride()) {
        offer(&stage, REPAIRED, bit);
    }
    report(&stage);
    assert_true(stage.booted > 1000 / stride()); /* texts, reserved bytes */
    assert_true(stage.refused_by_head > 50 / stride());
    assert_true(stage.refused_later > 0);
    tear_down(&stage);
}

/* UPDRAFT_OFFER=chip:way:number, as a failure prints it. */
static int replay(const char *text)
{
    char chip[16];
    char way[16];
    uint32_t number = 0;
    struct stage stage;
    if (sscanf(text, "%15[^:]:%15[^:]:%u", chip, way, &number) != 3 ||
        sim_chip_model_named(chip) == NULL) {
        fprintf(stderr, "UPDRAFT_OFFER=%s: not an offer\n", text);
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (strcmp(ways[i], way) == 0) {
            set_up(&stage, chip);
            offer(&stage, (enum way)i, number);
            fputs(stage.world->log, stdout);
            tear_down(&stage);
            return EXIT_SUCCESS;
        }
    }
    fprintf(stderr, "UPDRAFT_OFFER=%s: no such way\n", text);
    return EXIT_FAILURE;
}

#define ON(chip, test)                                                 \
    {                                                                  \
#test " (" chip ")", test, NULL, NULL, (void *)(uintptr_t)chip \
    }
#define ON_BOTH(test) ON("esp32", test), ON("esp32c3", test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(no_prefix_of_an_image_boots),
        ON_BOTH(no_image_with_a_flipped_bit_boots),
        ON_BOTH(an_image_made_to_fit_its_hash_boots_only_where_the_boot_loader_takes_it),
    };
    const char *one = getenv("UPDRAFT_OFFER");
    return one != NULL ? replay(one) : cmocka_run_group_tests(tests, NULL, NULL);
}
