# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Chromium without a window, told what to do through its debugging pipe."""

import asyncio
import functools
import http.server
import itertools
import json
import os
import threading

LIMIT_S = 120
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--enable-features=WebBluetooth",
         # Nothing but the page of the test is ever asked for.
         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
         "--remote-debugging-pipe"]


class Browser:
    """One page. Made by `await Browser.start(...)`."""

    def __init__(self):
        self.numbers = itertools.count(1)
        self.answers = {}
        self.session = None
        self.prompts = asyncio.Queue()

    @classmethod
    async def start(cls, program, profile, environment, log_path):
        self = cls()
        commands_out, commands_in = os.pipe()
        events_out, events_in = os.pipe()
        with open(log_path, "wb") as log:
            # The pipe is on file descriptors 3 (commands) and 4 (answers and events).
            self.process = await asyncio.create_subprocess_exec(
                "bash", "-c", f'exec "$@" 3<&{commands_out} 4>&{events_in}', "bash", program,
                *FLAGS, f"--user-data-dir={profile}", "about:blank", env=environment,
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=(commands_out, events_in))
        os.close(commands_out)
        os.close(events_in)
        self.commands = os.fdopen(commands_in, "wb", buffering=0)
        loop = asyncio.get_running_loop()
        self.reader = asyncio.StreamReader(limit=1 << 24)
        self.transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(self.reader), os.fdopen(events_out, "rb"))
        self.listener = asyncio.create_task(self._listen())
        return self

    async def _listen(self):
        while True:
            try:
                message = json.loads((await self.reader.readuntil(b"\0"))[:-1])
            except asyncio.IncompleteReadError:
                for future in self.answers.values():
                    if not future.done():
                        future.set_exception(RuntimeError("the browser ended"))
                return
            if "id" in message:
                self.answers.pop(message["id"]).set_result(message)
            elif message["method"] == "DeviceAccess.deviceRequestPrompted":
                self.prompts.put_nowait(message["params"])

    async def send(self, method, **parameters):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.answers[number] = asyncio.get_running_loop().create_future()
        self.commands.write(json.dumps(message).encode() + b"\0")
        answer = await asyncio.wait_for(self.answers[number], LIMIT_S)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    async def open(self, url):
        target = (await self.send("Target.createTarget", url=url))["targetId"]
        self.session = (await self.send("Target.attachToTarget", targetId=target,
                                        flatten=True))["sessionId"]
        await self.send("DeviceAccess.enable")
        loaded = f"location.href === {json.dumps(url)} && document.readyState === 'complete'"
        while not await self.evaluate(loaded):
            await asyncio.sleep(0.05)

    async def evaluate(self, expression):
        """The value of an expression, or of the promise that it is."""
        result = await self.send("Runtime.evaluate", expression=expression, awaitPromise=True,
                                 returnByValue=True)
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description", details["text"]))
        return result["result"].get("value")

    async def click(self, selector):
        x, y = await self.evaluate(f"""(() => {{
            const box = document.querySelector({json.dumps(selector)}).getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        }})()""")
        for kind in ("mousePressed", "mouseReleased"):
            await self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left",
                            clickCount=1)

    async def choose(self, name):
        """Picks the device of that name in the prompt that a click has brought up."""
        while True:
            prompt = await asyncio.wait_for(self.prompts.get(), LIMIT_S)
            found = [device for device in prompt["devices"] if device["name"] == name]
            if found:  # the event comes again with every device; only once may one be picked
                await self.send("DeviceAccess.selectPrompt", id=prompt["id"],
                                deviceId=found[0]["id"])
                return

    async def close(self):
        self.session = None
        try:
            await self.send("Browser.close")
        except RuntimeError:
            pass
        try:
            await asyncio.wait_for(self.process.wait(), 20)
        except asyncio.TimeoutError:
            self.process.kill()
            await self.process.wait()
        self.listener.cancel()
        self.transport.close()
        self.commands.close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format, *arguments):  # pylint: disable=redefined-builtin
        pass


class Server:
    """The files of a folder on http://localhost, to this computer alone."""

    def __init__(self, folder):
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
        self.url = f"http://localhost:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
