#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""The least time in which a board can receive and write an image when its flash operations
stop its processor.

The model. PDUs of the image come one after another, `pdu_us` apart, as long as somebody takes
them. While the processor runs, each goes to the board's memory at once, as long as that has
room. While a flash operation runs, the controller alone takes them, at most `absorbs`; a PDU
that nobody takes comes again `pdu_us` later. At the end of an operation the controller's PDUs
go to memory. A page is programmed from memory when all of it is there and its place is erased;
an erase takes a sector or a block. The board is done when the last page is.

The schedule. What an operation absorbs does not depend on what it does, only on how long it
takes; so it is best done while data still comes, and the processor should wait only when
nothing can be done: program if a page is there, else erase ahead, else wait for a PDU. What is
left to choose is how much to erase by blocks (less time in all) and how much by sectors (more of
it absorbed, since every operation absorbs afresh), and whether an erase waits for the next PDU
to come first. All counts are tried, both ways. tests/bench compares the result with an
exhaustive search over all schedules of small boards, and with a bound that holds for every
schedule.

A controller that absorbs nothing, since it stalls with the processor, is not covered: there
the end of connection events decides, which this model does not know."""

import argparse
import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class Flash:
    sector_us: int
    block_us: int
    page_us: int
    sector: int = 4096
    block: int = 65536
    page: int = 256


@dataclasses.dataclass(frozen=True)
class Link:
    pdu_us: float  # from one PDU of the image to the next
    pdu: float  # bytes of the image in it
    absorbs: int  # PDUs, while the processor stands still


class _Board:
    def __init__(self, size, link, memory):
        self.link, self.memory_max = link, memory
        self.now_us = 0.0
        self.next_us = link.pdu_us
        self.coming = math.ceil(size / link.pdu)
        self.held = 0  # PDUs in the controller
        self.memory = 0.0  # bytes

    def _pdu_comes(self, running):
        room = self.memory + self.link.pdu <= self.memory_max
        if running and room and self.held == 0:
            self.memory += self.link.pdu
        elif self.held < self.link.absorbs:
            self.held += 1
        else:
            return  # it comes again
        self.coming -= 1

    def advance(self, duration_us, running):
        end_us = self.now_us + duration_us
        while self.coming > 0 and self.next_us <= end_us:
            self._pdu_comes(running)
            self.next_us += self.link.pdu_us
        if self.coming == 0:
            self.next_us = math.inf
        self.now_us = end_us
        self.drain()

    def drain(self):
        while self.held > 0 and self.memory + self.link.pdu <= self.memory_max:
            self.held -= 1
            self.memory += self.link.pdu


def simulate(size, link, flash, memory, blocks, align=False):
    """Microseconds when the first `blocks` blocks are erased as blocks, the rest by sectors.
    align: an erase waits until a PDU has just come, so that the next one is as far away as it
    can be."""
    board = _Board(size, link, memory)
    erased = programmed = 0
    fresh = True  # a PDU has just come, or none can
    while programmed < size:
        page = min(flash.page, size - programmed)
        # The last PDUs may bring less than a page's worth of rounding.
        ready = board.memory >= page or (board.coming == 0 and board.held == 0)
        if ready and erased > programmed:
            board.memory = max(0.0, board.memory - page)
            board.drain()
            board.advance(flash.page_us, running=False)
            programmed += page
            fresh = False
        elif erased < size and (fresh or not align or board.coming == 0):
            by_block = erased < blocks * flash.block
            board.advance(flash.block_us if by_block else flash.sector_us, running=False)
            erased += flash.block if by_block else flash.sector
            fresh = False
        else:
            board.advance(board.next_us - board.now_us, running=True)
            fresh = True
    return board.now_us


def best(size, link, flash, memory=16384):
    """(microseconds, blocks erased as blocks) of the best schedule."""
    return min((simulate(size, link, flash, memory, count, align), count)
               for count in range(size // flash.block + 1) for align in (False, True))


def bound(size, link, flash):
    """Microseconds that no schedule beats: the time of all operations, and of what they cannot
    absorb."""
    def of(blocks):
        sectors = math.ceil((size - blocks * flash.block) / flash.sector)
        pages = math.ceil(size / flash.page)
        stalled = blocks * flash.block_us + sectors * flash.sector_us + pages * flash.page_us

        def absorbed(us):
            # Those that come and find no room are lost; the link's clock goes on.
            come = us / link.pdu_us
            return come - max(0, math.floor(come) - link.absorbs)
        pdus = (blocks * absorbed(flash.block_us) + sectors * absorbed(flash.sector_us) +
                pages * absorbed(flash.page_us))
        left = max(0.0, size / link.pdu - pdus)
        return stalled + left * link.pdu_us
    return min(of(blocks) for blocks in range(size // flash.block + 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1 << 20, help="bytes of the image")
    parser.add_argument("--rate", type=float, required=True, help="of the link, kB/s")
    parser.add_argument("--pdu", type=float, default=247.5, help="image bytes in a PDU")
    parser.add_argument("--absorbs", type=int, default=8, help="PDUs during a stall")
    parser.add_argument("--memory", type=int, default=16384, help="bytes the board buffers")
    parser.add_argument("--sector-us", type=int, default=45000)
    parser.add_argument("--block-us", type=int, default=250000)
    parser.add_argument("--page-us", type=int, default=700)
    args = parser.parse_args()
    link = Link(args.pdu / args.rate * 1000, args.pdu, args.absorbs)
    flash = Flash(args.sector_us, args.block_us, args.page_us)
    us, blocks = best(args.size, link, flash, args.memory)
    print(f"{us / 1e6:.3f} s, {args.size * 1000 / us:.1f} kB/s, {blocks} blocks of "
          f"{args.size // flash.block} erased whole; no schedule is below "
          f"{bound(args.size, link, flash) / 1e6:.3f} s")


if __name__ == "__main__":
    main()
