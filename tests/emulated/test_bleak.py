# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""An independent client of protocol 1 updates virtual boards over the emulated BlueZ."""

import pathlib

import pytest
from bleak import BleakClient
from bleak.exc import BleakError

import protocol1

ADDRESS = "24:0A:C4:00:00:12"


@pytest.mark.parametrize("firmware", ["minimal", "legacy_requests_only"])
async def test_independent_client_updates_by_write_requests(simulate, image, firmware):
    sim = simulate(f"esp32,image={image('1.0.0', firmware=firmware)}")
    new = pathlib.Path(image("1.1.0")).read_bytes()
    packet_size = await protocol1.update(ADDRESS, new)
    assert packet_size == (495 if firmware == "minimal" else 253)
    assert await protocol1.version(ADDRESS) == "1.1.0"
    await sim.logged("updraft: confirmed")


async def test_independent_client_updates_by_write_commands(simulate, image):
    sim = simulate(f"esp32,image={image('1.0.0')}")
    new = pathlib.Path(image("1.1.0")).read_bytes()
    await protocol1.update(ADDRESS, new, response=False)
    assert await protocol1.version(ADDRESS) == "1.1.0"
    await sim.logged("updraft: confirmed")


async def test_client_beside_a_listening_program_hears_answers_twice(simulate, image):
    """The other program only listens; BlueZ then tells everybody everything twice."""
    sim = simulate(f"esp32,image={image('1.0.0')}")
    device = await protocol1.find(ADDRESS)
    async with BleakClient(device) as other:
        heard = []
        await other.start_notify(protocol1.CONTROL, lambda _, value: heard.append(value[0]),
                                 bluez={"use_start_notify": True})
        await protocol1.update(ADDRESS, pathlib.Path(image("1.1.0")).read_bytes())
    assert heard == [protocol1.REQUEST_ACK] * 2 + [protocol1.DONE_ACK] * 2
    assert await protocol1.version(ADDRESS) == "1.1.0"
    await sim.logged("updraft: confirmed")


async def test_independent_client_is_refused_a_broken_image(simulate, image):
    sim = simulate(f"esp32,image={image('1.0.0')}")
    broken = bytearray(pathlib.Path(image("1.1.0")).read_bytes())
    broken[-40] ^= 1
    with pytest.raises(protocol1.Refused, match="DONE"):
        await protocol1.update(ADDRESS, bytes(broken))
    assert await protocol1.version(ADDRESS) == "1.0.0"
    assert sim.verb("boards").split()[4] == "factory"


async def test_independent_client_goes_on_after_a_lost_link(simulate, image):
    sim = simulate(f"esp32,image={image('1.0.0')}")
    new = pathlib.Path(image("1.1.0")).read_bytes()
    sent = []

    class Interrupted(bytes):
        """An image whose link is lost when half of it is read."""

        def __getitem__(self, key):
            if isinstance(key, slice) and key.start and key.start > len(self) // 2 and not sent:
                sent.append(key.start)
                sim.verb("link", "esp32", "drop")
            return bytes.__getitem__(self, key)
    with pytest.raises((BleakError, EOFError)):
        await protocol1.update(ADDRESS, Interrupted(new))
    assert sent
    assert await protocol1.version(ADDRESS) == "1.0.0"
    await protocol1.update(ADDRESS, new)
    assert await protocol1.version(ADDRESS) == "1.1.0"
