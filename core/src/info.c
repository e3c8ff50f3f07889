/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Protocol 2's Info, the marker of an image, and the CRC-32 that guards the former. */
#include "bytes.h"
#include "check.h"
#include "updraft/protocol2.h"

#define TEXT_SIZE 32u

static void put_text(uint8_t *bytes, const char *text)
{
    for (size_t i = 0; i < TEXT_SIZE && text[i] != '\0'; i++) {
        bytes[i] = (uint8_t)text[i];
    }
}

void updraft_info_put(const struct updraft_info *info,
                      uint8_t bytes[UPDRAFT_P2_INFO_SIZE])
{
    memset(bytes, 0, UPDRAFT_P2_INFO_SIZE);
    bytes[0] = UPDRAFT_P2_INFO_LAYOUT;
    bytes[1] = UPDRAFT_P2_VERSION;
    updraft_put_le16(bytes + 2, info->flags);
    bytes[4] = info->run_state;
    bytes[5] = info->slot;
    bytes[6] = info->result;
    bytes[7] = info->reason;
    bytes[8] = info->detail;
    updraft_put_le16(bytes + 10, info->chip_id);
    updraft_put_le16(bytes + 12, info->chip_revision);
    updraft_put_le16(bytes + 14, info->trial_left_s);
    updraft_put_le32(bytes + 16, info->slot_size_bytes);
    updraft_put_le16(bytes + 20, info->write_size_bytes);
    updraft_put_le16(bytes + 22, info->window_bytes);
    updraft_put_le32(bytes + 24, info->hardware_id);
    updraft_put_le32(bytes + 28, info->secure_version);
    memcpy(bytes + 32, info->device_id, sizeof(info->device_id));
    memcpy(bytes + 40, info->noted_id, sizeof(info->noted_id));
    memcpy(bytes + 48, info->image_id, sizeof(info->image_id));
    put_text(bytes + 80, info->version);
    put_text(bytes + 112, info->project);
    /* 144 to 147: reserved */
    updraft_put_le32(bytes + 148, updraft_crc32(0, bytes, 148));
}

static void get_text(char *text, const uint8_t *bytes)
{
    memcpy(text, bytes, TEXT_SIZE);
    text[TEXT_SIZE] = '\0';
}

bool updraft_info_get(const uint8_t *bytes, size_t size, struct updraft_info *ret_info)
{
    if (size < UPDRAFT_P2_INFO_SIZE || bytes[0] != UPDRAFT_P2_INFO_LAYOUT ||
        bytes[1] < UPDRAFT_P2_VERSION ||
        updraft_get_le32(bytes + 148) != updraft_crc32(0, bytes, 148)) {
        return false;
    }
    memset(ret_info, 0, sizeof(*ret_info));
    ret_info->flags = updraft_get_le16(bytes + 2);
    ret_info->run_state = bytes[4];
    ret_info->slot = bytes[5];
    ret_info->result = bytes[6];
    ret_info->reason = bytes[7];
    ret_info->detail = bytes[8];
    ret_info->chip_id = updraft_get_le16(bytes + 10);
    ret_info->chip_revision = updraft_get_le16(bytes + 12);
    ret_info->trial_left_s = updraft_get_le16(bytes + 14);
    ret_info->slot_size_bytes = updraft_get_le32(bytes + 16);
    ret_info->write_size_bytes = updraft_get_le16(bytes + 20);
    ret_info->window_bytes = updraft_get_le16(bytes + 22);
    ret_info->hardware_id = updraft_get_le32(bytes + 24);
    ret_info->secure_version = updraft_get_le32(bytes + 28);
    memcpy(ret_info->device_id, bytes + 32, sizeof(ret_info->device_id));
    memcpy(ret_info->noted_id, bytes + 40, sizeof(ret_info->noted_id));
    memcpy(ret_info->image_id, bytes + 48, sizeof(ret_info->image_id));
    get_text(ret_info->version, bytes + 80);
    get_text(ret_info->project, bytes + 112);
    return true;
}

bool updraft_marker_get(const uint8_t head[UPDRAFT_P2_HEAD_SIZE],
                        struct updraft_marker *ret_marker)
{
    const uint8_t *bytes = head + UPDRAFT_MARKER_OFFSET;
    _Static_assert(UPDRAFT_MARKER_OFFSET + UPDRAFT_MARKER_SIZE == UPDRAFT_P2_HEAD_SIZE,
                   "the marker ends the head");
    if (updraft_get_le32(bytes) != UPDRAFT_MARKER_MAGIC) {
        return false;
    }
    ret_marker->protocol_max = bytes[4];
    ret_marker->hardware_id = updraft_get_le32(bytes + 8);
    return true;
}

void updraft_marker_put(const struct updraft_marker *marker,
                        uint8_t bytes[UPDRAFT_MARKER_SIZE])
{
    CHECK(marker->protocol_max > 0);
    memset(bytes, 0, UPDRAFT_MARKER_SIZE);
    updraft_put_le32(bytes, UPDRAFT_MARKER_MAGIC);
    bytes[4] = marker->protocol_max;
    updraft_put_le32(bytes + 8, marker->hardware_id);
}

uint32_t updraft_crc32(uint32_t crc, const uint8_t *bytes, size_t size)
{
    /* The remainders of the 16 values of 4 bits: small, and fast enough for what it is
     * used for. */
    static const uint32_t table[16] = {
        0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
        0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
        0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
    };
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}
