# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""A virtual board on an adapter: what it has, bluetoothd is given, and what a central does with
it reaches the board. The same with the real bluetoothd: tests/real."""

import asyncio
import subprocess

import pytest
from bus_client import BusError
from server_side import CHARACTERISTIC, SERVICE, Central, ServerSide

DEVICE_INFORMATION = "0000180a-0000-1000-8000-00805f9b34fb"
FIRMWARE_REVISION = "00002a26-0000-1000-8000-00805f9b34fb"
MODEL = "00002a24-0000-1000-8000-00805f9b34fb"
OTA = "d6f1d96d-594c-4c53-b1c6-144a1dfde6d8"
CONTROL = "7ad671aa-21c0-46a4-b722-270e3ae3d830"
DATA = "23408888-1f40-4cd8-9b89-ca8d45f8a5b0"
INFO = "cdd0799c-9c80-48cb-8c54-45ae330770ad"
REQUEST, REQUEST_ACK, DONE, DONE_ACK = 1, 2, 4, 5  # of protocol 1
LIMIT_S = 60


async def received(end):
    return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(end, 512), LIMIT_S)


async def update(daemon, central, image):
    """Protocol 1, as far as DONE_ACK. Data is written without a pause."""
    loop = asyncio.get_running_loop()
    answers = await daemon.acquire(central, CONTROL, "AcquireNotify")
    data = await daemon.acquire(central, DATA, "AcquireWrite")
    size = central.mtu - 3 if central.mtu < 515 else 512
    await loop.sock_sendall(data, size.to_bytes(2, "little"))
    await daemon.write(central, CONTROL, bytes([REQUEST]))
    assert await received(answers) == bytes([REQUEST_ACK])
    for at in range(0, len(image), size):
        await loop.sock_sendall(data, image[at:at + size])
    await daemon.write(central, CONTROL, bytes([DONE]))
    assert await received(answers) == bytes([DONE_ACK])
    return answers, data


async def update_begin(daemon, central, size):
    await daemon.leaves(central)
    answers = await daemon.acquire(central, CONTROL, "AcquireNotify")
    data = await daemon.acquire(central, DATA, "AcquireWrite")
    await asyncio.get_running_loop().sock_sendall(data, size.to_bytes(2, "little"))
    await daemon.write(central, CONTROL, bytes([REQUEST]))
    return answers, data


async def test_services_and_advertising_are_the_boards(gateway):
    async with gateway() as (daemon, _):
        assert daemon.advertisement == {"Type": "peripheral", "LocalName": "esp32",
                                        "ServiceUUIDs": [OTA], "Discoverable": True}
        services = [value[SERVICE]["UUID"] for value in daemon.objects.values()
                    if SERVICE in value]
        assert sorted(services) == sorted([DEVICE_INFORMATION, OTA])
        flags = {uuid: set(daemon.objects[daemon.path(CHARACTERISTIC, uuid)][CHARACTERISTIC]
                           ["Flags"]) for uuid in (CONTROL, DATA, INFO)}
        assert flags == {CONTROL: {"read", "write", "notify"}, INFO: {"read"},
                         DATA: {"write", "write-without-response"}}
        for uuid in (CONTROL, DATA, INFO):
            assert daemon.objects[daemon.path(CHARACTERISTIC, uuid)][CHARACTERISTIC][
                "Service"] == daemon.path(SERVICE, OTA)


async def test_adapter_has_the_boards_name_as_long_as_it_is_offered(gateway):
    async with gateway() as (daemon, sim):
        assert daemon.alias == "esp32"
        await asyncio.to_thread(sim.end)
        assert daemon.alias == "laptop"


async def test_central_reads_values_and_their_rest(gateway):
    async with gateway() as (daemon, _):
        central = Central()
        assert await daemon.read(central, MODEL) == b"Minimal"
        assert await daemon.read(central, MODEL, offset=4) == b"mal"
        assert len(await daemon.read(central, INFO)) == 152


async def test_link_has_the_centrals_mtu(gateway):
    async with gateway() as (daemon, _):
        for mtu, write_size in ((100, 97), (517, 495)):
            info = await daemon.read(Central(mtu=mtu), INFO)
            assert int.from_bytes(info[20:22], "little") == write_size
            await daemon.leaves(Central())


@pytest.mark.parametrize("mtu", [64, 517])
async def test_update_by_a_central_runs_afterwards(gateway, image, mtu):
    with open(image("1.1.0", size="64K"), "rb") as file:
        content = file.read()
    async with gateway() as (daemon, sim):
        mark = len(daemon.history)
        application = daemon.application
        await update(daemon, Central(mtu=mtu), content)
        await daemon.called("Disconnect", mark)  # the board restarts
        await daemon.called("RegisterAdvertisement", mark)
        assert await daemon.read(Central(), FIRMWARE_REVISION) == b"1.1.0"
        assert daemon.application == application  # the same services
        assert "running 1.1.0 from ota_0" in await asyncio.to_thread(sim.verb, "log", "esp32")


async def test_other_services_of_a_new_firmware_are_registered(gateway, image):
    with open(image("1.1.0", firmware="own_nimble"), "rb") as file:
        content = file.read()
    async with gateway() as (daemon, _):
        before = daemon.application
        mark = len(daemon.history)
        await update(daemon, Central(), content)
        await daemon.called("RegisterApplication", mark)
        await daemon.called("RegisterAdvertisement", mark)
        assert daemon.application not in (None, before)
        assert [name for name, _ in daemon.history[mark:] if "Application" in name] == [
            "UnregisterApplication", "RegisterApplication"]
        assert await daemon.read(Central(), FIRMWARE_REVISION) == b"1.1.0"


async def test_second_central_is_refused_until_the_first_has_left(gateway):
    async with gateway() as (daemon, _):
        first, second = Central(1), Central(2)
        assert await daemon.read(first, FIRMWARE_REVISION) == b"1.0.0"
        with pytest.raises(BusError) as refused:
            await daemon.read(second, FIRMWARE_REVISION)
        assert (refused.value.name, refused.value.text) == ("Failed", "0x80")
        await daemon.leaves(second)  # that is no news
        assert await daemon.read(first, FIRMWARE_REVISION) == b"1.0.0"
        await daemon.leaves(first)
        assert await daemon.read(second, FIRMWARE_REVISION) == b"1.0.0"


async def test_update_ends_when_its_central_leaves(gateway):
    async with gateway() as (daemon, sim):
        central = Central()
        answers, data = await update_begin(daemon, central, 512)
        assert await received(answers) == bytes([REQUEST_ACK])
        await daemon.leaves(central)
        assert await received(answers) == b""  # nothing will come any more
        for _ in range(LIMIT_S * 20):
            if "update ended" in await asyncio.to_thread(sim.verb, "log", "esp32"):
                break
            await asyncio.sleep(0.05)
        else:
            raise AssertionError("the board does not know")
        with pytest.raises(BrokenPipeError):
            data.send(b"x")


async def test_values_reach_the_board_in_their_order_whatever_way_they_take(gateway, image):
    """Data comes by a socket, DONE by a call: none is left behind."""
    with open(image("1.1.0", size="256K"), "rb") as file:
        content = file.read()
    async with gateway() as (daemon, _):
        await update(daemon, Central(), content)  # DONE_ACK: every byte was there


async def test_board_without_power_vanishes(gateway):
    async with gateway() as (daemon, sim):
        central = Central()
        assert await daemon.read(central, FIRMWARE_REVISION) == b"1.0.0"
        await asyncio.to_thread(sim.verb, "power", "esp32", "off")
        await daemon.until(lambda: ("Disconnect", central.path) in daemon.history)
        await daemon.until(lambda: daemon.advertisement is None)
        with pytest.raises(BusError):
            await daemon.read(Central(2), FIRMWARE_REVISION)
        await asyncio.to_thread(sim.verb, "power", "esp32", "on")
        await daemon.offered()
        assert await daemon.read(Central(2), FIRMWARE_REVISION) == b"1.0.0"


async def test_restarted_daemon_is_told_again(gateway, bus):
    async with gateway() as (daemon, _):
        await daemon.stop()
        fresh = await ServerSide.start(bus)
        try:
            await fresh.offered()
            assert await fresh.read(Central(), FIRMWARE_REVISION) == b"1.0.0"
        finally:
            await fresh.stop()


@pytest.mark.parametrize("options, complaint", [
    (["--adapter", "hci1", "--vhci"], "exclude each other"),
    (["--adapter", "hci1", "--board", "a", "--board", "b"], "an adapter offers one board"),
    (["--adapter", "hci 1"], "not the name of an adapter"),
])
def test_wrong_wishes_are_refused(updraft_sim, bus, options, complaint):
    result = subprocess.run([updraft_sim, *options], text=True, capture_output=True,
                            timeout=LIMIT_S, check=False,
                            env={"DBUS_SYSTEM_BUS_ADDRESS": bus})
    assert result.returncode in (1, 2)
    assert complaint in result.stderr


def test_adapter_that_is_not_there_is_named(updraft_sim, bus):
    result = subprocess.run([updraft_sim, "--adapter", "hci1"], text=True,
                            capture_output=True, timeout=LIMIT_S, check=False,
                            env={"DBUS_SYSTEM_BUS_ADDRESS": bus})
    assert result.returncode == 1
    assert "hci1: no such adapter" in result.stderr
