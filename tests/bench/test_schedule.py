# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Promises of bench/schedule.py: no schedule is better than the one that it finds."""

import heapq
import math
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import schedule  # noqa: E402  pylint: disable=wrong-import-position

FLASH = schedule.Flash(45000, 250000, 700)


def link_of(rate, absorbs, pdu=247.5):
    return schedule.Link(pdu / rate * 1000, pdu, absorbs)


def exhaustive(size, link, flash, memory):
    """The least time over every order of waiting, programming and erasing, by sectors and
    blocks in any mixture. Written apart from the module's simulation: times are whole, PDUs
    are one page each."""
    pdu_us = int(link.pdu_us)
    assert pdu_us == link.pdu_us and link.pdu == flash.page
    pages = size // flash.page
    room = memory // flash.page
    per_sector, per_block = flash.sector // flash.page, flash.block // flash.page

    def stall(state, duration):
        now, held, ram, come = state
        end = now + duration
        while come < pages and (now // pdu_us + 1) * pdu_us <= end:
            now = (now // pdu_us + 1) * pdu_us
            if held < link.absorbs:
                held += 1
                come += 1
        moved = min(held, room - ram)
        return end, held - moved, ram + moved, come

    heap = [(0, 0, 0, 0, 0, 0)]  # now, programmed, erased, held, ram, come
    seen = set()
    while heap:
        state = heapq.heappop(heap)
        if state in seen:
            continue
        seen.add(state)
        now, programmed, erased, held, ram, come = state
        if programmed == pages:
            return now
        successors = []
        if ram > 0 and erased > programmed:
            moved = min(held, room - (ram - 1))
            successors.append((flash.page_us, programmed + 1, erased,
                               (now, held - moved, ram - 1 + moved, come)))
        if erased < pages:
            successors.append((flash.sector_us, programmed, erased + per_sector,
                               (now, held, ram, come)))
            if erased % per_block == 0:
                successors.append((flash.block_us, programmed, erased + per_block,
                                   (now, held, ram, come)))
        for duration, done, ready, before in successors:
            end, held_after, ram_after, come_after = stall(before, duration)
            heapq.heappush(heap, (end, done, ready, held_after, ram_after, come_after))
        if come < pages and ram < room and held == 0:
            then = (now // pdu_us + 1) * pdu_us
            heapq.heappush(heap, (then, programmed, erased, held, ram + 1, come + 1))
    raise AssertionError("no schedule ends")


def test_no_order_of_operations_is_better():
    """On small boards, where the instant at which an operation ends between two PDUs matters
    more than it ever does on large ones."""
    found_in_all = least_in_all = same = 0
    for seed in range(60):
        dice = random.Random(seed)
        flash = schedule.Flash(sector_us=dice.randrange(1, 60),
                               block_us=dice.randrange(1, 120),
                               page_us=dice.randrange(1, 12), sector=2, block=4, page=1)
        link = schedule.Link(dice.randrange(2, 12), 1, dice.randrange(1, 6))
        size = 4 * dice.randrange(1, 6)
        memory = dice.randrange(4, 9)
        least = exhaustive(size, link, flash, memory)
        found, _ = schedule.best(size, link, flash, memory)
        assert least <= found, (seed, found, least, link, flash)
        found_in_all += found
        least_in_all += least
        same += found == least
    assert same >= 50
    assert found_in_all <= 1.01 * least_in_all


@pytest.mark.parametrize("absorbs", [1, 2, 8, 24])
@pytest.mark.parametrize("rate", [48.5, 98.9, 164.8])
def test_it_comes_within_two_percent_of_the_bound_of_all_schedules(rate, absorbs):
    link = link_of(rate, absorbs)
    bound = schedule.bound(1 << 20, link, FLASH)
    found, _ = schedule.best(1 << 20, link, FLASH)
    assert bound <= found <= 1.02 * bound + link.pdu_us


def test_without_flash_it_is_the_links_time():
    link = link_of(98.9, 8)
    found, _ = schedule.best(1 << 20, link, schedule.Flash(0, 0, 0))
    assert found == pytest.approx((1 << 20) / 98.9 * 1000, rel=0.001)


def test_without_an_air_it_is_the_flashs_time():
    link = schedule.Link(1e-6, 1 << 16, 24)
    found, blocks = schedule.best(1 << 20, link, FLASH, memory=1 << 20)
    assert blocks == 16
    assert found == pytest.approx(16 * 250000 + 4096 * 700, rel=0.001)


def test_more_buffers_never_cost_time():
    for rate in (98.9, 164.8):
        times = [schedule.best(1 << 20, link_of(rate, absorbs), FLASH)[0]
                 for absorbs in (1, 2, 8, 24, 48)]
        assert times == sorted(times, reverse=True)


def test_a_slow_link_erases_by_sectors_and_a_fast_one_by_blocks():
    assert schedule.best(1 << 20, link_of(40, 24), FLASH)[1] == 0
    assert schedule.best(1 << 20, link_of(164.8, 2), FLASH)[1] == 16
    assert math.isclose(schedule.best(1 << 20, link_of(20, 24), FLASH)[0],
                        (1 << 20) / 20 * 1000, rel_tol=0.01)
