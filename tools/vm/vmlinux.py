#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Takes the ELF file out of a compressed Linux kernel: vmlinux.py VMLINUZ VMLINUX."""

import lzma
import struct
import sys

SECTOR = 512
# Fields of the header (Linux, Documentation/arch/x86/boot.rst).
SETUP_SECTORS = 0x1F1
PAYLOAD_OFFSET = 0x248


def main():
    source, target = sys.argv[1:]
    with open(source, "rb") as file:
        kernel = file.read()
    protected_mode = ((kernel[SETUP_SECTORS] or 4) + 1) * SECTOR
    offset, size = struct.unpack_from("<II", kernel, PAYLOAD_OFFSET)
    payload = kernel[protected_mode + offset:protected_mode + offset + size]
    # Debian compresses with xz; four bytes of the size follow its end.
    vmlinux = lzma.LZMADecompressor().decompress(payload)
    if not vmlinux.startswith(b"\x7fELF"):
        sys.exit(f"{source} holds no ELF file")
    with open(target, "wb") as file:
        file.write(vmlinux)


main()
