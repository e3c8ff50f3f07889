# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""What esptool makes of an image file."""

import io
import struct
from contextlib import redirect_stdout

from esptool.bin_image import LoadFirmwareImage
from esptool.targets import CHIP_DEFS

FLASH_MODES = ["QIO", "QOUT", "DIO", "DOUT"]


def load(chip, data):
    """The image, or None where esptool cannot read it."""
    try:
        with redirect_stdout(io.StringIO()):  # warnings
            return LoadFirmwareImage(chip, data)
    except (RuntimeError, struct.error, TypeError):
        return None  # the latter two where the file ends in the middle of something


def is_whole(chip, data):
    """What esptool says: it can be read, is for the chip, checksum and hash are right."""
    image = load(chip, data)
    return (image is not None and image.chip_id == CHIP_DEFS[chip].IMAGE_CHIP_ID
            and image.checksum == image.calculate_checksum()
            and image.append_digest and image.stored_digest == image.calc_digest)


def chip_of(data):
    """The chip that an image's header names, or None."""
    if len(data) < 24 or data[0] != 0xE9:
        return None
    (number,) = struct.unpack_from("<H", data, 12)
    for chip, target in CHIP_DEFS.items():
        if chip != "esp8266" and target.IMAGE_CHIP_ID == number:
            return chip
    return None


def fields(chip, data):
    """The image in the terms of `updraft image --json`, as far as esptool knows them."""
    image = load(chip, data)
    answer = {
        "whole": is_whole(chip, data),
        "header": {
            "chip": chip, "chip_id": image.chip_id, "chip_revision_min": image.min_rev_full,
            "chip_revision_max": image.max_rev_full, "entry_address": image.entrypoint,
            "flash_mode": FLASH_MODES[image.flash_mode],
            "flash_size_bytes": 1 << 20 << (image.flash_size_freq >> 4),
            "flash_speed": image.flash_size_freq & 15, "wp_pin": image.wp_pin,
            "spi_pin_drive": [image.clk_drv | image.q_drv << 4, image.d_drv | image.cs_drv << 4,
                              image.hd_drv | image.wp_drv << 4],
            "segment_count": len(image.segments), "hash_appended": bool(image.append_digest),
        },
        "segments": [{"load_address": segment.addr, "offset_bytes": segment.file_offs + 8,
                      "size_bytes": len(segment.data)} for segment in image.segments],
        "checksum": image.checksum, "checksum_computed": image.calculate_checksum(),
        "size_bytes": image.data_length + (32 if image.append_digest else 0),
    }
    if image.append_digest:
        answer["sha256"] = image.stored_digest.hex()
        answer["sha256_computed"] = image.calc_digest.hex()
    return answer
