#!/bin/sh
# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
# First process of the virtual machine: puts the root file system together and goes there.
PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read -r module; do
    insmod "/modules/$module"
done < /modules/order
options=trans=virtio,version=9p2000.L,msize=524288
mount -t 9p -o "ro,cache=loose,$options" root /lower
mount -t 9p -o "rw,cache=none,$options" job /job

# What is written stays in memory, above the computer's own files.
mount -t tmpfs memory /memory
mkdir /memory/upper /memory/work
mount -t overlay -o lowerdir=/lower,upperdir=/memory/upper,workdir=/memory/work root /new
for folder in proc sys dev; do
    mount --move "/$folder" "/new/$folder"
done
mount -t tmpfs run /new/run # /tmp stays as it is: this tree may lie there
path=$(cat /job/path)
mkdir -p "/new$path"
mount --move /job "/new$path"
exec switch_root /new /bin/bash "$path/guest.sh" "$path"
