"""A headless chromium, spoken to in the DevTools protocol through a pipe."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import F_DUPFD, fcntl
from pathlib import Path
from typing import Any, BinaryIO

COMMANDS, REPLIES = 3, 4
"""The file descriptors at which chromium listens and speaks."""

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run")


class Page:
    """A tab; what it complained of is in `complaints`."""

    def __init__(self, commands: BinaryIO, replies: BinaryIO) -> None:
        self._commands, self._replies = commands, replies
        self._count = 0
        self._session: str | None = None
        self.complaints: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> Any:
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        session = {"sessionId": self._session} if self._session else {}
        self._commands.write(json.dumps({**message, **session}).encode() + b"\0")
        while True:
            reply = self._read()
            if reply.get("id") == self._count:
                assert "error" not in reply, f"{method}: {reply['error']}"
                return reply["result"]

    def _read(self) -> dict[str, Any]:
        text = bytearray()
        while (letter := self._replies.read(1)) != b"\0":
            assert letter, "chromium is gone"
            text += letter
        said: dict[str, Any] = json.loads(text)
        about = said.get("params", {})
        match said.get("method"):
            case "Runtime.exceptionThrown":
                self.complaints.append(str(about["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if about["type"] in ("error", "warning", "assert"):
                self.complaints.append(str(about["args"]))
            case "Log.entryAdded" if about["entry"]["level"] in ("error", "warning"):
                self.complaints.append(str(about["entry"]))
        return said

    def open(self, url: str) -> None:
        """Go there, and wait until everything is loaded."""
        self.call("Page.navigate", url=url)
        while self._read().get("method") != "Page.loadEventFired":
            pass

    def ask(self, expression: str) -> Any:
        """The value of JavaScript; a promise is waited for."""
        said = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    def look(self, width: int, height: int, scheme: str = "light") -> None:
        """As on a screen of this size, in a light or dark system."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, file: Path) -> None:
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))


@contextmanager
def browse(program: str, profile: Path) -> Iterator[Page]:
    """A tab of a browser that is there while it is used."""
    ends = [fcntl(end, F_DUPFD, 10) for pipe in (os.pipe(), os.pipe()) for end in pipe]
    listening, commands, replies, speaking = ends

    def hand_over() -> None:
        os.dup2(listening, COMMANDS)
        os.dup2(speaking, REPLIES)

    process = subprocess.Popen(
        [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(COMMANDS, REPLIES),
        preexec_fn=hand_over,
    )
    os.close(listening)
    os.close(speaking)
    try:
        with open(commands, "wb", buffering=0) as to, open(replies, "rb") as of:
            yield Page(to, of)
    finally:
        process.terminate()
        process.wait(10)
