# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Real images: RISC-V code compiled with gcc, made into an ESP32-C3 or -C6 image by esptool."""

import pathlib
import subprocess
import sys

# Where mapped data, mapped code and code in memory begin. Mapped addresses leave room for the
# headers before the first byte, as ESP-IDF's linker scripts do.
MEMORIES = {
    "esp32c3": {"drom": 0x3C000020, "irom": 0x42010020, "iram": 0x40380000, "dram": 0x3FC90000},
    "esp32c6": {"drom": 0x42010020, "irom": 0x42000020, "iram": 0x40800000, "dram": 0x40820000},
}

SOURCE = """
#include <stdint.h>

/* The application descriptor, 256 bytes, as the bootloader reads it. */
struct descriptor {{
    uint32_t magic;
    uint32_t secure_version;
    uint32_t reserved_1[2];
    char version[32];
    char project[32];
    char time[16];
    char date[16];
    char idf_version[32];
    uint8_t elf_sha256[32];
    uint16_t least_efuse_block_revision;
    uint16_t most_efuse_block_revision;
    uint8_t page_size_log;
    uint8_t reserved_2[75];
}};
_Static_assert(sizeof(struct descriptor) == 256, "descriptor");

__attribute__((section(".flash.appdesc"), used)) const struct descriptor descriptor = {{
    .magic = 0xABCD5432,
    .secure_version = {secure_version},
    .version = "{version}",
    .project = "{project}",
    .time = "10:20:30",
    .date = "Feb  3 2026",
    .idf_version = "v5.5.1",
    .least_efuse_block_revision = 0,
    .most_efuse_block_revision = 99,
    .page_size_log = 16,
}};

__attribute__((section(".flash.rodata"), used)) const uint8_t table[{table_size}] = {{
    1, 2, 3, 5, 7, 11, 13, 17}};
__attribute__((section(".dram0.data"), used)) volatile uint32_t counter = 42;

__attribute__((section(".flash.text"), noinline)) uint32_t mix(uint32_t seed)
{{
    for (uint32_t i = 0; i < sizeof(table); i++) {{
        seed = (seed ^ table[i]) * 0x01000193u;
    }}
    return seed;
}}

__attribute__((section(".iram0.text"), used, noreturn)) void call_start_cpu0(void)
{{
    for (;;) {{
        counter = mix(counter);
    }}
}}
"""

LINKER_SCRIPT = """
ENTRY(call_start_cpu0)
SECTIONS
{{
    .flash.appdesc {drom:#x} : {{ KEEP(*(.flash.appdesc)) }}
    .flash.rodata : {{ *(.flash.rodata) *(.rodata*) *(.srodata*) . = ALIGN(4); }}
    .dram0.data {dram:#x} : {{ *(.dram0.data) . = ALIGN(4); }}
    .iram0.text {iram:#x} : {{ *(.iram0.text) . = ALIGN(4); }}
    .flash.text {irom:#x} : {{ *(.flash.text) *(.text*) . = ALIGN(4); }}
    /DISCARD/ : {{ *(.comment) *(.riscv.attributes) *(.note*) *(.eh_frame*) }}
}}
"""


def esptool(*arguments):
    """Runs esptool of this Python environment; the completed process, with text output."""
    return subprocess.run([sys.executable, "-m", "esptool", *map(str, arguments)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                          check=False)


def compile_image(folder, *, chip="esp32c3", version="1.0.0", project="compiled",
                  secure_version=0, table_size=5000, options=()):
    """Compiles and links a small program and lets esptool make the image. Its path."""
    folder = pathlib.Path(folder)
    name = f"{chip}-{project}-{version}"
    source, script, elf, image = (folder / (name + suffix)
                                  for suffix in (".c", ".ld", ".elf", ".bin"))
    source.write_text(SOURCE.format(version=version, project=project, table_size=table_size,
                                    secure_version=secure_version))
    script.write_text(LINKER_SCRIPT.format(**MEMORIES[chip]))
    subprocess.run(["riscv64-unknown-elf-gcc", "-march=rv32imc", "-mabi=ilp32", "-Os",
                    "-ffreestanding", "-nostdlib", "-nostartfiles", "-static",
                    "-Wl,--build-id=none", f"-Wl,-T,{script}", "-o", elf, source],
                   check=True, timeout=60)
    made = esptool("--chip", chip, "elf2image", "--flash-mode", "dio", "--flash-size", "4MB",
                   "--elf-sha256-offset", "0xb0", *options, "-o", image, elf)
    assert made.returncode == 0, made.stdout
    return image
