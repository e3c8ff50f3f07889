#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
# Runs a command in a small virtual machine that has Bluetooth: the kernel of Debian's release
# (or VM_KERNEL, the name of a package), and this computer's own files, read-only, with what the
# machine writes kept in its memory.
#
# usage: tools/vm/vm.sh JOB COMMAND...
#
# JOB is a folder that the machine can write to, at its own path: logs of the machine and of
# its daemons come to lie there. Everything else has the path it has here as well; COMMAND runs
# in the folder that this script was started in, as root. The exit status is COMMAND's, or 125
# if the machine did not come up or took longer than VM_LIMIT_S (600).
#
# Needs qemu-system-x86, kmod, binutils and python3, and apt to fetch packages with; no KVM, no
# privileges, no network in the machine. Packages are kept in build/vm.
set -euo pipefail
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
cache=$(realpath -m "$here/../../build/vm")
limit_s=${VM_LIMIT_S:-600}
up_limit_s=90
attempts=3
modules=(virtio_pci virtio_rng 9pnet_virtio 9p overlay bluetooth ecb cmac algif_hash
    algif_skcipher uhid hci_vhci)

fail() {
    printf 'vm: %s\n' "$*" >&2
    exit 125
}

# unpack PACKAGE FOLDER: a Debian package's files, without installing it.
unpack() {
    local debs=$cache/debs/$1
    rm -rf "$debs"
    mkdir -p "$debs" "$2"
    (cd "$debs" && apt-get download -qq "$1" 2> apt.log) || {
        cat "$debs/apt.log" >&2
        fail "cannot download $1"
    }
    dpkg-deb --fsys-tarfile "$debs"/*.deb | tar -C "$2" -x
    rm -rf "$debs"
}

# The oldest that apt knows, which is the release's: a security update of Debian 12 (6.1.192-2)
# kills bluetoothd, by a bug of its own, whenever a connection fails.
release_kernel() {
    apt-cache show linux-image-amd64 2> /dev/null |
        sed -n 's/^Depends: \(linux-image-[^ ]*\).*/\1/p' | sort -V | sed -n 1p
}

# The kernel, uncompressed: to unpack itself would take it longer in an emulated processor
# than everything else at start.
make_kernel() {
    local package=$1 version
    unpack "$package" "$cache/kernel.new"
    version=$(ls "$cache/kernel.new/lib/modules")
    depmod -b "$cache/kernel.new" "$version"
    python3 "$here/vmlinux.py" "$cache/kernel.new/boot/vmlinuz-$version" \
        "$cache/kernel.new/vmlinux"
    printf '%s\n' "$package" > "$cache/kernel.new/package"
    rm -rf "$cache/kernel"
    mv "$cache/kernel.new" "$cache/kernel"
}

# Names of the modules' files in the order to load them, what each depends on first.
module_files() {
    local name line file
    for name in "${modules[@]}"; do
        line=$(sed 's/-/_/g' modules.dep | grep -nE "/$name\.ko:" | cut -d: -f1)
        [ -n "$line" ] || fail "the kernel has no module $name"
        line=$(sed -n "${line}p" modules.dep)
        for file in ${line#*:}; do
            printf '%s\n' "$file"
        done | tac
        printf '%s\n' "${line%%:*}"
    done | awk '!seen[$0]++'
}

# What runs before this computer's files are there: a shell, the modules, init.sh.
make_initramfs() {
    local tree=$cache/initramfs file name
    rm -rf "$tree"
    mkdir -p "$tree"/{bin,modules,proc,sys,dev,lower,memory,new,job}
    unpack busybox-static "$cache/busybox"
    cp "$cache/busybox/bin/busybox" "$tree/bin/"
    for name in sh mount insmod mkdir chmod cat switch_root; do
        ln -s busybox "$tree/bin/$name"
    done
    cp "$here/init.sh" "$tree/init"
    chmod +x "$tree/init"
    cd "$cache/kernel/lib/modules"/*/
    module_files | while read -r file; do
        name=$(basename "$file")
        strip -g -o "$tree/modules/$name" "$file"
        printf '%s\n' "$name" >> "$tree/modules/order"
    done
    cd "$tree"
    find . | bin/busybox cpio -o -H newc 2> /dev/null > "$cache/initramfs.new"
    mv "$cache/initramfs.new" "$cache/initramfs.cpio"
}

# Two processes at once wait for each other, and the cache follows these scripts' content.
prepare() {
    local made_of kernel
    mkdir -p "$cache"
    exec 9> "$cache/lock"
    flock 9
    kernel=${VM_KERNEL:-$(release_kernel)}
    # Without apt's lists, what is there will do.
    [ -n "$kernel" ] || kernel=$(cat "$cache/kernel/package" 2> /dev/null) ||
        fail "apt knows no linux-image-amd64 (apt-get update?)"
    made_of=$(cat - "$here/vm.sh" "$here/init.sh" "$here/vmlinux.py" <<< "$kernel" | sha256sum)
    if [ ! -e "$cache/made-of" ] || [ "$(cat "$cache/made-of")" != "$made_of" ]; then
        [ "$(cat "$cache/kernel/package" 2> /dev/null)" = "$kernel" ] || make_kernel "$kernel"
        (make_initramfs)
        printf '%s\n' "$made_of" > "$cache/made-of"
    fi
    exec 9>&-
}

start_machine() {
    local share="local,security_model=none,multidevs=remap"
    rm -f "$job/up" "$job/status" "$job/output"
    timeout -k 5 "$limit_s" qemu-system-x86_64 -M pc -accel tcg,thread=multi,tb-size=512 \
        -cpu max -smp 2 -m 1024 -nodefaults -no-user-config -nographic -no-reboot -serial stdio \
        -kernel "$cache/kernel/vmlinux" -initrd "$cache/initramfs.cpio" \
        -append "console=ttyS0 quiet loglevel=4 mitigations=off nopti tsc=reliable \
no_timer_check panic=-1 reboot=t random.trust_cpu=on cryptomgr.notests=1" \
        -device virtio-rng-pci \
        -fsdev "$share,id=root,path=/,readonly=on" \
        -device virtio-9p-pci,fsdev=root,mount_tag=root \
        -fsdev "$share,id=job,path=$job" -device virtio-9p-pci,fsdev=job,mount_tag=job \
        < /dev/null > "$job/console.log" 2>&1 &
    machine=$!
}

# True as soon as the machine is up.
came_up() {
    local i
    for ((i = 0; i < up_limit_s * 5; i++)); do
        [ ! -e "$job/up" ] || return 0
        kill -0 "$machine" 2> /dev/null || break
        sleep 0.2
    done
    [ -e "$job/up" ]
}

stop_machine() {
    kill "$machine" 2> /dev/null || true
    wait "$machine" 2> /dev/null || true
}

[ $# -ge 2 ] || fail "usage: tools/vm/vm.sh JOB COMMAND..."
mkdir -p "$1"
job=$(realpath "$1")
shift
prepare
printf '%s\n' "$job" > "$job/path"
{
    printf 'cd %q\n' "$PWD"
    export -p | grep -E '^declare -x UPDRAFT_' || true
    # It ends before the machine does, so that the logs get out.
    printf 'timeout -k 5 %d ' $((limit_s > 60 ? limit_s - 45 : limit_s))
    printf '%q ' "$@"
} > "$job/command"
cp "$here/guest.sh" "$job/guest.sh"
trap stop_machine EXIT
for ((attempt = 1; ; attempt++)); do
    start_machine
    ! came_up || break
    stop_machine
    [ "$attempt" -lt "$attempts" ] || {
        tail -n 30 "$job/console.log" >&2
        fail "the machine did not come up ($attempts attempts; $job/console.log)"
    }
done
tail -n +1 -F -s 0.2 --pid="$machine" "$job/output" 2> /dev/null &
shown=$!
wait "$machine" || true
wait "$shown" || true
[ -e "$job/status" ] || {
    tail -n 30 "$job/console.log" >&2
    fail "the machine ended, or took longer than $limit_s s ($job/console.log)"
}
exit "$(cat "$job/status")"
