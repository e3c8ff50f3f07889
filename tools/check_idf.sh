#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
# Compiles component and examples against a real ESP-IDF, so that the simulator's headers cannot
# drift from it. With ESP-IDF's toolchain installed (install.sh was run) the examples are built
# by idf.py; without it, every source is compiled against the tree's headers, syntax only, and
# what the simulator's headers declare is compared with them (tools/header_checks.py).
set -euo pipefail

usage() {
    cat << 'USAGE'
usage: tools/check_idf.sh [options] PATH [TARGET...]
  PATH             an ESP-IDF tree, 5.3 to 6.x
  TARGET           chips to build for; default: esp32 esp32c3, and with syntax only those of
                   esp32 esp32s3 esp32c3 esp32c6 esp32h2 that there is a compiler for
  --syntax         do not build, even where a toolchain is installed
  --verbose        name what the simulator's headers have and PATH has not (syntax only)
  --nimble DIR     NimBLE's sources, where PATH lacks the submodule (syntax only)
  --mbedtls DIR    the same for Mbed TLS; without either, what is used of it is declared here
Syntax only takes Debian's gcc-riscv64-unknown-elf with picolibc-riscv64-unknown-elf, and for
esp32 and esp32s3 gcc-xtensa-lx106 with picolibc-xtensa-lx106-elf.
USAGE
}

fail() {
    printf 'check_idf: %s\n' "$*" >&2
    exit 1
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
syntax=
nimble=
mbedtls=
verbose=
while [ $# -gt 0 ]; do
    case $1 in
    --syntax) syntax=1 ;;
    --verbose) verbose=1 ;;
    --nimble) shift && nimble=${1:?--nimble needs a directory} ;;
    --mbedtls) shift && mbedtls=${1:?--mbedtls needs a directory} ;;
    -h | --help)
        usage
        exit 0
        ;;
    -*)
        usage >&2
        exit 2
        ;;
    *) break ;;
    esac
    shift
done
[ $# -gt 0 ] || {
    usage >&2
    exit 2
}
idf=$(cd "$1" && pwd) || fail "no such directory: $1"
shift
targets=("$@")
[ -f "$idf/components/esp_common/include/esp_idf_version.h" ] ||
    fail "$idf is not an ESP-IDF tree"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Builds the examples in copies, so that neither sdkconfig nor build directories are left here.
build_examples() {
    local example target
    mkdir "$scratch/updraft"
    tar -C "$root" --exclude=./build --exclude=./.git -cf - . | tar -C "$scratch/updraft" -xf -
    for example in "$scratch"/updraft/examples/*/; do
        for target in "${targets[@]}"; do
            printf 'check_idf: %s for %s\n' "$(basename "$example")" "$target"
            (
                cd "$example"
                rm -rf build sdkconfig
                idf.py -D IDF_TARGET="$target" -D EXTRA_CFLAGS="-Werror" build
            ) > "$scratch/log" 2>&1 || {
                tail -n 60 "$scratch/log" >&2
                fail "$(basename "$example") does not build for $target"
            }
        done
    done
}

# The chip's id in image headers, from the table that ESP-IDF takes it from.
chip_number() {
    sed -n "/config IDF_FIRMWARE_CHIP_ID/,/config /s/^ *default \(0x[0-9A-Fa-f]*\) if IDF_TARGET_${1^^}\$/\1/p" \
        "$idf/Kconfig"
}

# Every value that our sources, and the headers they include, ask of sdkconfig.h.
write_sdkconfig() {
    local chip=$1 number=$2 arch=$3 tick=systimer
    [ "$chip" != esp32 ] || tick=ccount # the only one here without a system timer
    cmake -D "UPDRAFT_OUTPUT=$scratch/include/sdkconfig_updraft.h" \
        -D "UPDRAFT_KCONFIG=$root/Kconfig;$root/examples/minimal/main/Kconfig.projbuild" \
        -P "$root/device/kconfig.cmake"
    cat > "$scratch/include/sdkconfig.h" << CONFIG
#pragma once
#define CONFIG_IDF_TARGET "$chip"
#define CONFIG_IDF_TARGET_${chip^^} 1
#define CONFIG_IDF_TARGET_ARCH_${arch^^} 1
#define CONFIG_IDF_FIRMWARE_CHIP_ID $number
#define CONFIG_FREERTOS_HZ 100
#define CONFIG_FREERTOS_UNICORE 1
#define CONFIG_ESP_SYSTEM_SINGLE_CORE_MODE 1
#define CONFIG_FREERTOS_NUMBER_OF_CORES 1
#define CONFIG_FREERTOS_MAX_TASK_NAME_LEN 16
#define CONFIG_FREERTOS_IDLE_TASK_STACKSIZE 1536
#define CONFIG_FREERTOS_ISR_STACKSIZE 1536
#define CONFIG_FREERTOS_TIMER_TASK_PRIORITY 1
#define CONFIG_FREERTOS_TIMER_TASK_STACK_DEPTH 2048
#define CONFIG_FREERTOS_TIMER_QUEUE_LENGTH 10
#define CONFIG_FREERTOS_TIMER_SERVICE_TASK_NAME "Tmr Svc"
#define CONFIG_FREERTOS_TIMER_TASK_NO_AFFINITY 1
#define CONFIG_FREERTOS_TIMER_SERVICE_TASK_CORE_AFFINITY 0x7FFFFFFF
#define CONFIG_FREERTOS_QUEUE_REGISTRY_SIZE 0
#define CONFIG_FREERTOS_TASK_NOTIFICATION_ARRAY_ENTRIES 1
#define CONFIG_FREERTOS_THREAD_LOCAL_STORAGE_POINTERS 1
#define CONFIG_FREERTOS_TICK_SUPPORT_${tick^^} 1
#define CONFIG_FREERTOS_SYSTICK_USES_${tick^^} 1
#define CONFIG_FREERTOS_CORETIMER_0 1
#define CONFIG_FREERTOS_CHECK_STACKOVERFLOW_CANARY 1
#define CONFIG_LIBC_NEWLIB 1
#define CONFIG_LOG_VERSION_1 1
#define CONFIG_LOG_VERSION 1
#define CONFIG_LOG_DEFAULT_LEVEL 3
#define CONFIG_LOG_MAXIMUM_LEVEL 3
#define CONFIG_LOG_TIMESTAMP_SOURCE_RTOS 1
#define CONFIG_BOOTLOADER_LOG_LEVEL 3
#define CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE 1
#define CONFIG_ESP_SYSTEM_PANIC_PRINT_REBOOT 1
#define CONFIG_ESP_TIMER_INTERRUPT_LEVEL 1
#define CONFIG_ESP_MAIN_TASK_STACK_SIZE 3584
#define CONFIG_MMU_PAGE_SIZE 0x10000
#define CONFIG_PARTITION_TABLE_OFFSET 0x8000
#define CONFIG_BT_ENABLED 1
#define CONFIG_BT_CONTROLLER_ENABLED 1
#define CONFIG_BT_NIMBLE_ENABLED 1
#define CONFIG_BT_NIMBLE_ROLE_CENTRAL 1
#define CONFIG_BT_NIMBLE_ROLE_PERIPHERAL 1
#define CONFIG_BT_NIMBLE_ROLE_BROADCASTER 1
#define CONFIG_BT_NIMBLE_ROLE_OBSERVER 1
#define CONFIG_BT_NIMBLE_GATT_CLIENT 1
#define CONFIG_BT_NIMBLE_GATT_SERVER 1
#define CONFIG_BT_NIMBLE_GATT_CACHING 1
#define CONFIG_BT_NIMBLE_DYNAMIC_SERVICE 1
#define CONFIG_BT_NIMBLE_SECURITY_ENABLE 1
#define CONFIG_BT_NIMBLE_SM_LEGACY 1
#define CONFIG_BT_NIMBLE_SM_SC 1
#define CONFIG_BT_NIMBLE_SM_LVL 0
#define CONFIG_BT_NIMBLE_SM_SC_ONLY 0
#define CONFIG_BT_NIMBLE_LL_CFG_FEAT_LE_ENCRYPTION 1
#define CONFIG_BT_NIMBLE_MAX_CONNECTIONS 3
#define CONFIG_BT_NIMBLE_MAX_BONDS 3
#define CONFIG_BT_NIMBLE_MAX_CCCDS 8
#define CONFIG_BT_NIMBLE_GATT_MAX_PROCS 4
#define CONFIG_BT_NIMBLE_L2CAP_COC_MAX_NUM 0
#define CONFIG_BT_NIMBLE_L2CAP_COC_SDU_BUFF_COUNT 1
#define CONFIG_BT_NIMBLE_PINNED_TO_CORE 0
#define CONFIG_BT_NIMBLE_HOST_TASK_STACK_SIZE 4096
#define CONFIG_BT_NIMBLE_RPA_TIMEOUT 900
#define CONFIG_BT_NIMBLE_ATT_PREFERRED_MTU 498
#define CONFIG_BT_NIMBLE_ATT_MAX_PREP_ENTRIES 64
#define CONFIG_BT_NIMBLE_SVC_GAP_DEVICE_NAME "nimble"
#define CONFIG_BT_NIMBLE_GAP_DEVICE_NAME_MAX_LEN 31
#define CONFIG_BT_NIMBLE_SVC_GAP_APPEARANCE 0
#define CONFIG_BT_NIMBLE_MSYS_1_BLOCK_COUNT 12
#define CONFIG_BT_NIMBLE_MSYS_1_BLOCK_SIZE 256
#define CONFIG_BT_NIMBLE_MSYS_2_BLOCK_COUNT 24
#define CONFIG_BT_NIMBLE_MSYS_2_BLOCK_SIZE 320
#define CONFIG_BT_NIMBLE_TRANSPORT_ACL_FROM_LL_COUNT 24
#define CONFIG_BT_NIMBLE_TRANSPORT_ACL_SIZE 255
#define CONFIG_BT_NIMBLE_TRANSPORT_EVT_SIZE 70
#define CONFIG_BT_NIMBLE_TRANSPORT_EVT_COUNT 30
#define CONFIG_BT_NIMBLE_TRANSPORT_EVT_DISCARD_COUNT 8
#define CONFIG_BT_NIMBLE_WHITELIST_SIZE 12
#define CONFIG_BT_NIMBLE_LOG_LEVEL 1
#define CONFIG_BT_NIMBLE_HS_STOP_TIMEOUT_MS 2000
#define CONFIG_BT_NIMBLE_EATT_CHAN_NUM 0
#define CONFIG_BT_NIMBLE_MAX_EATT 0
#define CONFIG_BT_NIMBLE_GATT_CACHING_MAX_CONNS 3
#define CONFIG_BT_NIMBLE_GATT_CACHING_MAX_SVCS 64
#define CONFIG_BT_NIMBLE_GATT_CACHING_MAX_CHRS 64
#define CONFIG_BT_NIMBLE_GATT_CACHING_MAX_DSCS 64
#define CONFIG_BT_NIMBLE_LEGACY_VHCI_ENABLE 1
#include "sdkconfig_updraft.h"
CONFIG
}

# Mbed TLS is a submodule: what is used of it is declared here where the tree lacks it.
write_mbedtls() {
    local source=${mbedtls:-$idf/components/mbedtls/mbedtls}
    if [ -d "$source/include" ]; then
        find "$source" -type d -name include -printf '-I%p\n'
        return
    fi
    mkdir -p "$scratch/include/mbedtls" "$scratch/include/psa"
    cat > "$scratch/include/mbedtls/sha256.h" << 'HEADER'
#pragma once
#include <stddef.h>
typedef struct { unsigned char buffer[64]; unsigned state[10]; } mbedtls_sha256_context;
void mbedtls_sha256_init(mbedtls_sha256_context *ctx);
void mbedtls_sha256_free(mbedtls_sha256_context *ctx);
int mbedtls_sha256_starts(mbedtls_sha256_context *ctx, int is224);
int mbedtls_sha256_update(mbedtls_sha256_context *ctx, const unsigned char *input, size_t ilen);
int mbedtls_sha256_finish(mbedtls_sha256_context *ctx, unsigned char *output);
HEADER
    cat > "$scratch/include/psa/crypto.h" << 'HEADER'
#pragma once
#include <stddef.h>
#include <stdint.h>
typedef int32_t psa_status_t;
typedef uint32_t psa_algorithm_t;
typedef struct { unsigned id; uint64_t context[16]; } psa_hash_operation_t;
#define PSA_SUCCESS ((psa_status_t)0)
#define PSA_ALG_SHA_256 ((psa_algorithm_t)0x02000009)
psa_hash_operation_t psa_hash_operation_init(void);
psa_status_t psa_crypto_init(void);
psa_status_t psa_hash_setup(psa_hash_operation_t *operation, psa_algorithm_t alg);
psa_status_t psa_hash_update(psa_hash_operation_t *operation, const uint8_t *input, size_t size);
psa_status_t psa_hash_finish(psa_hash_operation_t *operation, uint8_t *hash, size_t hash_size,
                             size_t *hash_length);
psa_status_t psa_hash_abort(psa_hash_operation_t *operation);
HEADER
}

# newlib's struct that FreeRTOS embeds in each task; picolibc has none.
write_reent() {
    mkdir -p "$scratch/libc/sys"
    cat > "$scratch/libc/sys/reent.h" << 'HEADER'
#pragma once
struct _reent { int _errno; };
HEADER
    printf '#include <sys/reent.h>\n' > "$scratch/libc/reent.h"
}

include_flags() {
    local chip=$1 arch=$2 directory components=$idf/components
    printf -- '-I%s\n' "$scratch/include" "$root/core/include" "$root/device/include" \
        "$root/device/src"
    for directory in \
        app_update/include bootloader_support/include bt/include/"$chip"/include \
        bt/host/nimble/port/include bt/common/include bt/porting/include \
        bt/porting/npl/freertos/include \
        efuse/include efuse/"$chip"/include \
        esp_app_format/include esp_bootloader_format/include esp_common/include \
        esp_driver_gpio/include esp_hal_gpio/include esp_hal_gpio/"$chip"/include \
        esp_hal_timg/include esp_hal_timg/"$chip"/include \
        esp_hal_wdt/include esp_hal_wdt/"$chip"/include \
        esp_hal_rtc_timer/include esp_hal_rtc_timer/"$chip"/include \
        esp_hal_pmu/include esp_hal_pmu/"$chip"/include \
        esp_hal_systimer/include esp_hal_systimer/"$chip"/include \
        esp_hal_uart/include esp_hal_uart/"$chip"/include \
        esp_hal_regi2c/include esp_hal_regi2c/"$chip"/include \
        esp_hal_clock/include esp_hal_clock/"$chip"/include \
        esp_hw_support/include esp_hw_support/etm/include esp_hw_support/include/soc esp_hw_support/port/"$chip"/include \
        esp_hw_support/port/"$chip" esp_hw_support/include/soc/"$chip" \
        esp_libc/include esp_libc/platform_include \
        esp_partition/include esp_blockdev/include esp_rom/include esp_rom/include/"$chip" \
        esp_rom/"$chip" esp_rom/"$chip"/include esp_rom/"$chip"/include/"$chip" \
        esp_system/include esp_system/port/soc esp_system/port/include \
        esp_system/port/include/"$arch" \
        esp_timer/include esp_security/include \
        freertos/config/include freertos/config/include/freertos freertos/config/"$arch"/include \
        freertos/FreeRTOS-Kernel/include freertos/FreeRTOS-Kernel/portable/"$arch"/include \
        freertos/FreeRTOS-Kernel/portable/"$arch"/include/freertos freertos/esp_additions/include \
        hal/include hal/"$chip"/include hal/platform_port/include heap/include log/include \
        nvs_flash/include newlib/platform_include partition_table/include "$arch"/include \
        xtensa/"$chip"/include \
        soc/include soc/"$chip" soc/"$chip"/include soc/"$chip"/register spi_flash/include; do
        [ ! -d "$components/$directory" ] || printf -- '-I%s\n' "$components/$directory"
    done
    local host=$nimble
    [ -n "$host" ] || host=$components/bt/host/nimble/nimble
    for directory in nimble/include nimble/host/include nimble/host/util/include \
        nimble/host/services/gap/include nimble/host/services/gatt/include \
        nimble/host/services/dis/include nimble/host/store/config/include \
        nimble/transport/include porting/nimble/include porting/npl/freertos/include; do
        [ -d "$host/$directory" ] || fail "no NimBLE in $host (git submodule update, or --nimble)"
        printf -- '-I%s\n' "$host/$directory"
    done
    write_mbedtls
}

# choose_compiler CHIP: sets arch, libc and compiler.
choose_compiler() {
    case $1 in
    esp32 | esp32s3)
        arch=xtensa libc=/usr/lib/xtensa-lx106-elf/include
        compiler=(xtensa-lx106-elf-gcc)
        ;;
    esp32c2 | esp32c3)
        arch=riscv libc=/usr/lib/picolibc/riscv64-unknown-elf/include
        compiler=(riscv64-unknown-elf-gcc -march=rv32imc -mabi=ilp32)
        ;;
    *)
        arch=riscv libc=/usr/lib/picolibc/riscv64-unknown-elf/include
        compiler=(riscv64-unknown-elf-gcc -march=rv32imac -mabi=ilp32)
        ;;
    esac
    command -v "${compiler[0]}" > /dev/null && [ -f "$libc/stdio.h" ]
}

check_chip() {
    local chip=$1 number source arch libc compiler flags failed=0
    local options=(-std=gnu17 -fsyntax-only -DESP_PLATFORM '-DIDF_VER="check"' -D_GNU_SOURCE
        -D_POSIX_READER_WRITER_LOCKS -Wall -Wextra -Werror -Wno-unused-parameter
        -Wno-sign-compare -Wno-error=cpp -Wno-cpp)
    choose_compiler "$chip" || fail "no compiler and C library for $chip: see --help"
    number=$(chip_number "$chip")
    [ -n "$number" ] || fail "$idf knows no $chip"
    rm -rf "$scratch/include" "$scratch/libc"
    mkdir -p "$scratch/include"
    write_sdkconfig "$chip" "$number" "$arch"
    write_reent
    mapfile -t flags < <(include_flags "$chip" "$arch")
    flags+=(-isystem "$scratch/libc" -isystem "$libc")
    for source in "$root"/core/src/*.c "$root"/device/src/*.c "$root"/examples/*/main/*.c; do
        "${compiler[@]}" "${options[@]}" "${flags[@]}" "$source" || {
            printf 'check_idf: %s for %s\n' "${source#"$root"/}" "$chip" >&2
            failed=1
        }
    done
    python3 "$root/tools/header_checks.py" ${verbose:+--verbose} "$scratch/headers" -- \
        "${compiler[@]}" "${options[@]}" "${flags[@]}" || {
        printf "check_idf: the simulator's headers for %s\n" "$chip" >&2
        failed=1
    }
    return "$failed"
}

check_syntax() {
    local chip arch libc compiler failed=0
    if [ ${#targets[@]} = 0 ]; then
        for chip in esp32 esp32s3 esp32c3 esp32c6 esp32h2; do
            ! choose_compiler "$chip" || targets+=("$chip")
        done
        [ ${#targets[@]} -gt 0 ] || fail "no toolchain of ESP-IDF and no other compiler: see --help"
    fi
    python3 "$root/tools/header_checks.py" "$scratch/headers"
    for chip in "${targets[@]}"; do
        check_chip "$chip" || failed=1
    done
    [ "$failed" = 0 ] || fail "sources or simulator do not fit $idf"
}

if [ -z "$syntax" ] && [ -f "$idf/export.sh" ]; then
    # shellcheck disable=SC1091
    if IDF_PATH=$idf . "$idf/export.sh" > "$scratch/export.log" 2>&1; then
        [ ${#targets[@]} -gt 0 ] || targets=(esp32 esp32c3)
        build_examples
        echo "check_idf: component and examples build with $idf for ${targets[*]}"
        exit 0
    fi
    echo "check_idf: no toolchain ($(tail -n 1 "$scratch/export.log")): syntax only" >&2
fi
check_syntax
echo "check_idf: component and examples fit the headers of $idf for ${targets[*]}"
