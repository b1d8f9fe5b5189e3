"""Chromium without a window, told by the DevTools protocol over a pipe: what a reader of a page sees and can click."""

import base64
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any, Self

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # of the process: tests run as root in containers
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-features=IsolateSandboxedIframes",  # a frame is asked in the process of its page
    "--disable-site-isolation-trials",
    "--remote-debugging-pipe",
)
FRAME = (
    "<!doctype html><style>*{{margin:0;border:0}}iframe{{display:block;width:100vw;height:100vh}}</style>"
    '<iframe sandbox="{sandbox}" srcdoc="{document}"></iframe>'
)
SANDBOX = "allow-scripts"  # as Kubeflow Pipelines' dashboard 2.17 shows an HTML artifact


def framed(document: str, sandbox: str = SANDBOX) -> str:
    """A page that shows a document as the dashboard does: in a sandboxed frame, from text."""
    return FRAME.format(sandbox=sandbox, document=escape(document))


class Browser:
    """One window of a browser."""

    def __init__(self, process: "subprocess.Popen[bytes]", send: int, receive: int) -> None:
        self._process, self._send, self._receive = process, send, receive
        self._numbers, self._rest, self._session = itertools.count(1), b"", ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """The answer to one command."""
        number = next(self._numbers)
        command = {"id": number, "method": method, "params": params}
        if self._session:
            command["sessionId"] = self._session
        os.write(self._send, json.dumps(command).encode() + b"\0")
        while (message := self._message()).get("id") != number:
            pass
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']}")
        result: dict[str, Any] = message["result"]
        return result

    def close(self) -> None:
        """End the browser."""
        self._session = ""
        self.call("Browser.close")

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            if not (read := os.read(self._receive, 1 << 20)):
                raise RuntimeError("the browser has ended")
            self._rest += read
        text, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        return message

    def open(self, file: Path, width: int = 1200, height: int = 800, dark: bool = False) -> Self:
        """Show a file in a window of so many pixels, and wait for it."""
        return self.visit(file.absolute().as_uri(), width, height, dark)

    def visit(self, url: str, width: int = 1200, height: int = 800, dark: bool = False) -> Self:
        """Show a page in a window of so many pixels, and wait for it."""
        asked = {"prefers-color-scheme": "dark" if dark else "light", "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in asked.items()]
        self.call("Emulation.setEmulatedMedia", features=features)
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )
        self.call("Page.navigate", url=url)
        while self.evaluate("document.readyState") != "complete":
            pass
        return self

    def evaluate(self, script: str, frame: int = 0) -> Any:
        """The value of a script's expression, in the page or in its nth frame, in a world of its own."""
        tree = self.call("Page.getFrameTree")["frameTree"]
        frames = [tree["frame"], *(child["frame"] for child in tree.get("childFrames", ()))]
        world = self.call("Page.createIsolatedWorld", frameId=frames[frame]["id"])["executionContextId"]
        answer = self.call("Runtime.evaluate", expression=script, contextId=world, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def click(self, selector: str, frame: int = 0) -> None:
        """Click the middle of the first element of a selector; a frame fills the window."""
        box = self.evaluate(f"document.querySelector({selector!r}).getBoundingClientRect().toJSON()", frame)
        place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

    def screenshot(self, target: Path, whole: bool = False) -> None:
        """What is seen, or the whole page, as PNG."""
        found = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        target.write_bytes(base64.b64decode(found["data"]))


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A browser with a profile of its own, ended with the block."""
    theirs_in, send = os.pipe()
    receive, theirs_out = os.pipe()
    command = " ".join([str(PROGRAM), *FLAGS, f"--user-data-dir={profile}", f"3<&{theirs_in} 4>&{theirs_out}"])
    process = subprocess.Popen(
        ["bash", "-c", f"exec {command}"],
        pass_fds=(theirs_in, theirs_out),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        window = Browser(process, send, receive)
        yield window
        window.close()
    finally:
        os.close(send)
        os.close(receive)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
