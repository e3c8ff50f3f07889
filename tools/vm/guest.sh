#!/bin/bash
# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
# In the virtual machine: starts the message bus, runs the command, hands out its exit status.
job=$1
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/run/home PYTHONDONTWRITEBYTECODE=1 LANG=C.UTF-8
# A module that does not exist would be searched for at each use, for longer than the kernel
# waits for a controller.
echo > /proc/sys/kernel/modprobe
# The kernel has measured the rate of the processor's counter at boot, and on a busy computer
# may be wrong by a factor: every time limit would come that much too early. It measures again a
# moment later and tells whether the two agree; if not, the slower clock is the right one.
clock=/sys/devices/system/clocksource/clocksource0
until [ "$(cat $clock/current_clocksource)" != tsc-early ]; do sleep 0.1; done
dmesg | grep -q 'Refined TSC' || echo hpet > $clock/current_clocksource
mkdir -p /run/dbus /run/home /run/log /var/lib/bluetooth /dev/shm /dev/pts
mount -t tmpfs bluetooth /var/lib/bluetooth
mount -t tmpfs shm /dev/shm
mount -t devpts devpts /dev/pts
[ -L /var/run ] || mount --bind /run /var/run
echo 0123456789abcdef0123456789abcdef > /etc/machine-id
dbus-daemon --system --fork --nopidfile > /run/log/dbus.log 2>&1
cat > /etc/bluetooth/main.conf <<'END'
[General]
ControllerMode = le
[Policy]
AutoEnable = true
END
# btmon 5.66 decodes what it writes, and crashes on some of it: another one goes on.
{
    number=0
    while btmon -w "/run/log/btmon-$((number++)).snoop"; [ $? -gt 128 ]; do :; done
} > /dev/null 2>&1 &
/usr/libexec/bluetooth/bluetoothd -n -d > /run/log/bluetoothd.log 2>&1 &
echo $! > /run/bluetoothd.pid
export UPDRAFT_MACHINE=1
touch "$job/up"
. "$job/command" > "$job/output" 2>&1 < /dev/null
status=$?
dmesg > /run/log/dmesg.log
cp /run/log/* "$job/"
echo "$status" > "$job/status"
sync
echo o > /proc/sysrq-trigger
sleep 60
