# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Chromium's Web Bluetooth beside virtual boards: a page updates one by protocol 1."""

import json
import pathlib
import shutil

import pytest

import browser

pytestmark = [pytest.mark.long,
              pytest.mark.skipif(not shutil.which("chromium"),
                                 reason="chromium is not there: ./run test --all installs it")]


@pytest.fixture
async def page(simulate, image, tmp_path):
    """A browser with the page open, beside a board that runs 1.0.0; page.sim, page.folder."""
    sim = simulate(f"esp32,image={image('1.0.0')}")
    folder = tmp_path / "served"
    folder.mkdir()
    shutil.copy(pathlib.Path(__file__).with_name("web_bluetooth.html"), folder)
    server = browser.Server(folder)
    chromium = await browser.Browser.start("chromium", tmp_path / "profile", sim.environment,
                                           tmp_path / "chromium.log")
    chromium.sim, chromium.folder = sim, folder
    await chromium.open(f"{server.url}/web_bluetooth.html")
    yield chromium
    await chromium.close()
    server.close()


async def choose(page):
    await page.click("button")
    await page.choose("esp32")
    return await page.evaluate("chosen")


async def test_page_chooses_connects_discovers_and_reads(page):
    assert await choose(page) == "esp32"
    assert await page.evaluate("connect()") == {
        "control": ["read", "write", "notify"], "data": ["write", "writeWithoutResponse"]}
    assert await page.evaluate("firmwareRevision()") == "1.0.0"
    assert await page.evaluate("refusal(() => data.readValue())") == "NotSupportedError"
    assert await page.evaluate(
        "refusal(() => control.writeValueWithResponse(Uint8Array.of(9)))") != "none"


@pytest.mark.parametrize("with_response", [True, False])
async def test_page_updates_the_board(page, image, with_response):
    new = pathlib.Path(image("1.1.0"))
    shutil.copy(new, page.folder / "app.bin")
    await choose(page)
    await page.evaluate("connect()")
    packets = await page.evaluate(f"update('app.bin', 495, {json.dumps(with_response)})")
    assert packets == -(-new.stat().st_size // 495)
    await page.sim.logged("updraft: confirmed")
    await page.evaluate("connect()")
    assert await page.evaluate("firmwareRevision()") == "1.1.0"


async def test_page_loses_no_notification_of_many(page):
    """Each REQUEST is answered by one; they come while more are asked for."""
    await choose(page)
    await page.evaluate("connect()")
    assert await page.evaluate("""(async () => {
        for (let i = 0; i < 200; i++)
            await control.writeValueWithResponse(Uint8Array.of(REQUEST));
        const seen = [];
        for (let i = 0; i < 200; i++)
            seen.push(await nextAnswer());
        return seen.filter(opcode => opcode === REQUEST_ACK).length;
    })()""") == 200
