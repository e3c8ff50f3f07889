/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * updraft image: what is in an image file, and is it whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/verbs.h"
#include "client/src/text.h"
#include "updraft/error.h"

/* The largest flash that ESP32 chips address is 128 MiB. */
#define FILE_SIZE_MAX (128u << 20)

#define HEX_SIZE (2 * UPDRAFT_IMAGE_HASH_SIZE + 1)

static int read_open_file(FILE *file, uint8_t **ret_bytes, size_t *ret_size,
                          const char **ret_problem)
{
    struct stat info;
    if (fstat(fileno(file), &info) < 0) {
        *ret_problem = strerror(errno);
        return UPDRAFT_ERROR_FILE;
    }
    if (!S_ISREG(info.st_mode)) {
        *ret_problem = S_ISDIR(info.st_mode) ? "Is a directory" : "Not a regular file";
        return UPDRAFT_ERROR_FILE;
    }
    if (info.st_size <= 0 || info.st_size > (off_t)FILE_SIZE_MAX) {
        *ret_problem = info.st_size <= 0
                           ? "The file is empty"
                           : "The file is larger than any flash of an ESP32 (128 MiB)";
        return UPDRAFT_ERROR_FILE;
    }
    size_t size = (size_t)info.st_size;
    uint8_t *bytes = malloc(size);
    if (bytes == NULL) {
        return UPDRAFT_ERROR_MEMORY;
    }
    if (fread(bytes, 1, size, file) != size) {
        *ret_problem =
            ferror(file) ? strerror(errno) : "The file changed while it was read";
        free(bytes);
        return UPDRAFT_ERROR_FILE;
    }
    *ret_bytes = bytes;
    *ret_size = size;
    return UPDRAFT_OK;
}

int cli_read_file(const char *path, uint8_t **ret_bytes, size_t *ret_size,
                  const char **ret_problem)
{
    *ret_problem = "";
    /* A FIFO without a writer would keep a blocking open for ever. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    FILE *file = fd >= 0 ? fdopen(fd, "rb") : NULL;
    if (file == NULL) {
        *ret_problem = strerror(errno);
        if (fd >= 0) {
            close(fd);
        }
        return UPDRAFT_ERROR_FILE;
    }
    int status = read_open_file(file, ret_bytes, ret_size, ret_problem);
    fclose(file);
    return status;
}

void cli_hex(const uint8_t *bytes, size_t size, char *ret_text)
{
    for (size_t i = 0; i < size; i++) {
        snprintf(&ret_text[2 * i], 3, "%02x", bytes[i]);
    }
}

static const char *spi_mode_name(uint8_t mode)
{
    static const char *const names[] = {"QIO",  "QOUT",      "DIO",
                                        "DOUT", "fast read", "slow read"};
    return mode < sizeof(names) / sizeof(names[0]) ? names[mode] : "unknown";
}

/* "0.3" for 3, "1.99" for 199. */
static void revision_text(uint16_t revision, char *ret_text, size_t size)
{
    snprintf(ret_text, size, "%u.%u", revision / 100u, revision % 100u);
}

static void print_chip(const struct updraft_image_header *header)
{
    char from[16];
    char to[16];
    const char *chip = updraft_chip_name(header->chip_id);
    revision_text(header->chip_revision_min, from, sizeof(from));
    revision_text(header->chip_revision_max, to, sizeof(to));
    bool limited = header->chip_revision_max != 0 && header->chip_revision_max != 0xFFFF;
    if (chip != NULL) {
        printf("Chip            %s, revision %s", chip, from);
    } else {
        printf("Chip            unknown (id 0x%04x), revision %s", header->chip_id, from);
    }
    printf(limited ? " to %s\n" : " and later\n", to);
}

/* Text of the descriptor: made in a build, but it may be anything in a hostile file. */
static const char *clean(const char *text, char *ret_text, size_t size)
{
    updraft_text_copy(ret_text, size, (const uint8_t *)text, strlen(text));
    return ret_text;
}

static void print_descriptor(const struct updraft_image_descriptor *descriptor)
{
    char text[4][40];
    char hex[HEX_SIZE];
    cli_hex(descriptor->elf_sha256, UPDRAFT_IMAGE_HASH_SIZE, hex);
    printf("Project         %s\n", clean(descriptor->project, text[0], sizeof(text[0])));
    printf("Version         %s\n", clean(descriptor->version, text[0], sizeof(text[0])));
    printf("Built           %s %s with ESP-IDF %s\n",
           clean(descriptor->date, text[0], sizeof(text[0])),
           clean(descriptor->time, text[1], sizeof(text[1])),
           clean(descriptor->idf_version, text[2], sizeof(text[2])));
    printf("Secure version  %u\n", descriptor->secure_version);
    printf("ELF SHA-256     %s\n", hex);
    revision_text(descriptor->efuse_block_revision_min, text[0], sizeof(text[0]));
    revision_text(descriptor->efuse_block_revision_max, text[1], sizeof(text[1]));
    printf("eFuse block     revision %s to %s\n", text[0], text[1]);
    if (descriptor->mmu_page_size_log2 != 0) {
        printf("MMU page        %llu bytes\n",
               1ull << (descriptor->mmu_page_size_log2 & 63));
    }
}

/* Whether the firmware can be updated over Bluetooth once it runs. */
static void print_updraft(const struct updraft_inspection *inspection)
{
    if (!inspection->has_marker) {
        printf("Updates         no updraft inside\n");
        return;
    }
    printf("Updates         updraft inside, protocol %u",
           inspection->marker.protocol_max);
    if (inspection->marker.hardware_id != 0) {
        printf(", for hardware %u", inspection->marker.hardware_id);
    }
    printf("\n");
}

static void print_header(const struct updraft_image_header *header)
{
    print_chip(header);
    printf("Entry           0x%08x\n", header->entry_address);
    printf("Flash           %s, %u MiB, speed code 0x%x\n",
           spi_mode_name(header->spi_mode), 1u << header->flash_size, header->spi_speed);
    printf("Pins            WP 0x%02x, drive %02x %02x %02x\n", header->wp_pin,
           header->spi_pin_drive[0], header->spi_pin_drive[1], header->spi_pin_drive[2]);
}

static void print_segments(const struct updraft_image *image)
{
    printf("Segments        %u\n", image->header.segment_count);
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct updraft_image_segment *segment = &image->segments[i];
        printf("  %2zu            0x%08x, %u bytes at 0x%x of the file\n", i,
               segment->load_address, segment->size_bytes, segment->offset_bytes);
    }
}

/* Whether the header's fields mean anything. */
static bool has_header(const struct updraft_inspection *inspection)
{
    return updraft_image_has_header(&inspection->image) &&
           inspection->status != UPDRAFT_ERROR_IMAGE_MAGIC;
}

static bool has_checksum(const struct updraft_inspection *inspection)
{
    return updraft_image_complete(&inspection->image) ||
           inspection->status == UPDRAFT_ERROR_IMAGE_CHECKSUM;
}

static void print_verdict(const struct updraft_inspection *inspection)
{
    const struct updraft_image *image = &inspection->image;
    char hex[HEX_SIZE];
    if (has_checksum(inspection)) {
        bool right = image->checksum == image->checksum_stored;
        printf("Checksum        0x%02x, %s\n", image->checksum_stored,
               right ? "right" : "wrong");
        if (!right) {
            printf("                0x%02x is that of the data\n", image->checksum);
        }
    }
    if (updraft_image_complete(image) && image->header.hash_appended) {
        cli_hex(image->hash, sizeof(image->hash), hex);
        printf("SHA-256         %s%s\n", hex,
               !inspection->hash_computed         ? ""
               : inspection->status == UPDRAFT_OK ? ", right"
                                                  : ", wrong");
    }
    if (inspection->hash_computed && inspection->status != UPDRAFT_OK) {
        cli_hex(inspection->digest, sizeof(inspection->digest), hex);
        printf("                %s is that of the data\n", hex);
    }
    if (updraft_image_complete(image)) {
        printf("Size            %u bytes", image->size_bytes);
        if (inspection->trailing_bytes != 0) {
            printf(", then %u bytes that are not part of the image",
                   inspection->trailing_bytes);
        }
        printf("\n");
    }
    printf("Verdict         %s\n", inspection->status == UPDRAFT_OK
                                       ? "whole"
                                       : updraft_error_message(inspection->status));
}

static void print_text(const struct updraft_inspection *inspection)
{
    const struct updraft_image *image = &inspection->image;
    if (has_header(inspection)) {
        print_header(&image->header);
    }
    if (updraft_image_has_descriptor(image)) {
        print_descriptor(&image->descriptor);
        print_updraft(inspection);
    }
    if (has_header(inspection)) {
        print_segments(image);
    }
    print_verdict(inspection);
}

static json_t *header_object(const struct updraft_image_header *header)
{
    const char *chip = updraft_chip_name(header->chip_id);
    return json_pack(
        "{s:s?, s:i, s:i, s:i, s:I, s:s, s:I, s:i, s:i, s:[i,i,i], s:i, s:b}", "chip",
        chip, "chip_id", header->chip_id, "chip_revision_min", header->chip_revision_min,
        "chip_revision_max", header->chip_revision_max, "entry_address",
        (json_int_t)header->entry_address, "flash_mode", spi_mode_name(header->spi_mode),
        "flash_size_bytes", (json_int_t)1048576 << header->flash_size, "flash_speed",
        header->spi_speed, "wp_pin", header->wp_pin, "spi_pin_drive",
        header->spi_pin_drive[0], header->spi_pin_drive[1], header->spi_pin_drive[2],
        "segment_count", header->segment_count, "hash_appended", header->hash_appended);
}

static json_t *descriptor_object(const struct updraft_image_descriptor *descriptor)
{
    char text[5][40];
    char hex[HEX_SIZE];
    cli_hex(descriptor->elf_sha256, UPDRAFT_IMAGE_HASH_SIZE, hex);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:i, s:i, s:i}", "project",
                     clean(descriptor->project, text[0], sizeof(text[0])), "version",
                     clean(descriptor->version, text[1], sizeof(text[1])), "date",
                     clean(descriptor->date, text[2], sizeof(text[2])), "time",
                     clean(descriptor->time, text[3], sizeof(text[3])), "idf_version",
                     clean(descriptor->idf_version, text[4], sizeof(text[4])),
                     "secure_version", (json_int_t)descriptor->secure_version,
                     "elf_sha256", hex, "efuse_block_revision_min",
                     descriptor->efuse_block_revision_min, "efuse_block_revision_max",
                     descriptor->efuse_block_revision_max, "mmu_page_size_log2",
                     descriptor->mmu_page_size_log2);
}

static json_t *image_object(const char *path, const struct updraft_inspection *inspection)
{
    const struct updraft_image *image = &inspection->image;
    char hex[HEX_SIZE];
    json_t *object = json_pack("{s:b}", "whole", inspection->status == UPDRAFT_OK);
    /* Fails, and leaves the name out, when the path is not UTF-8. */
    (void)json_object_set_new(object, "file", json_string(path));
    if (has_header(inspection)) {
        (void)json_object_set_new(object, "header", header_object(&image->header));
    }
    if (updraft_image_has_descriptor(image)) {
        (void)json_object_set_new(object, "descriptor",
                                  descriptor_object(&image->descriptor));
    }
    if (inspection->has_marker) {
        (void)json_object_set_new(
            object, "updraft",
            json_pack("{s:i, s:I}", "protocol_max", inspection->marker.protocol_max,
                      "hardware_id", (json_int_t)inspection->marker.hardware_id));
    }
    json_t *segments = json_array();
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct updraft_image_segment *segment = &image->segments[i];
        (void)json_array_append_new(
            segments, json_pack("{s:I, s:I, s:I}", "load_address",
                                (json_int_t)segment->load_address, "offset_bytes",
                                (json_int_t)segment->offset_bytes, "size_bytes",
                                (json_int_t)segment->size_bytes));
    }
    (void)json_object_set_new(object, "segments", segments);
    if (has_checksum(inspection)) {
        (void)json_object_update_new(
            object, json_pack("{s:i, s:i}", "checksum", image->checksum_stored,
                              "checksum_computed", image->checksum));
    }
    if (updraft_image_complete(image)) {
        (void)json_object_update_new(
            object, json_pack("{s:I, s:I}", "size_bytes", (json_int_t)image->size_bytes,
                              "trailing_bytes", (json_int_t)inspection->trailing_bytes));
    }
    if (updraft_image_complete(image) && image->header.hash_appended) {
        cli_hex(image->hash, sizeof(image->hash), hex);
        (void)json_object_set_new(object, "sha256", json_string(hex));
    }
    if (inspection->hash_computed) {
        cli_hex(inspection->digest, sizeof(inspection->digest), hex);
        (void)json_object_set_new(object, "sha256_computed", json_string(hex));
    }
    return object;
}

int cli_image(const struct cli_options *options)
{
    struct cli_context context = {.options = options, .file = options->argument};
    uint8_t *bytes = NULL;
    size_t size = 0;
    int status = cli_read_file(options->argument, &bytes, &size, &context.detail);
    if (status == UPDRAFT_OK) {
        struct updraft_inspection inspection;
        updraft_inspect(bytes, size, &inspection);
        free(bytes);
        status = inspection.status;
        if (options->json) {
            cli_json_line("image", image_object(options->argument, &inspection));
        } else {
            print_text(&inspection);
        }
    }
    return cli_finish(&context, status, NULL);
}
