"""The page of `seaway label`, in a browser, by HTTP, and by the command that serves it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3
from browser import PROGRAM, Browser, browser
from seaway.errors import InvalidSpec, LabelsUnavailable, PortTaken
from seaway.labeling import Item, Label, Question
from seaway.platforms.labeling.folder import Folder
from seaway.platforms.labeling.web import Session, server

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108020000009077"
    "53de0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082"
)
LONG = 60  # seconds that a busy machine may take


@pytest.fixture
def queue(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / "reviews")
    question = Question(("good", "bad", "<b>odd</b>"), "text", ("review",), "How is it?", "Be fair.")
    folder.add(question, [Item(str(key), {"review": f"<i>review</i> {key}"}, "bad", 0.9) for key in range(4)])
    return folder


@contextmanager
def served(session: Session) -> Iterator[tuple[str, str]]:
    """The page's address without the token, and the token."""
    serving, address = server(session)
    thread = threading.Thread(target=serving.serve_forever, args=(0.05,))
    thread.start()
    try:
        url, _, token = address.partition("#")
        yield url.rstrip("/"), token
    finally:
        serving.shutdown()
        thread.join()
        serving.server_close()


def ask(url: str, token: str = "", body: Any = None) -> tuple[int, Any, dict[str, str]]:
    """Status, the JSON or the bytes, headers."""
    method, content = ("GET", None) if body is None else ("POST", json.dumps(body).encode())
    headers = {"authorization": f"Bearer {token}"}
    answer = urllib3.request(method, url, body=content, headers=headers, timeout=LONG, retries=False)
    told = answer.json() if "json" in answer.headers["content-type"] else answer.data
    return answer.status, told, {name.lower(): value for name, value in answer.headers.items()}


def test_nothing_is_told_without_the_token_but_the_page_itself(queue: Folder) -> None:
    with served(Session(queue, "ann")) as (url, token):
        for path in ("/api/state", "/api/item?at=0", "/api/picture?name=x", "/api/label", "/../question.json", "/api"):
            for wrong in ("", token[:-1], "\u00e4"):
                status, told, _ = ask(url + path, wrong)
                assert status == 401 and "token" in told["error"]
        assert ask(f"{url}/api/label", "", {"at": 0, "label": "good"})[0] == 401
        status, page, headers = ask(f"{url}/")
        assert status == 200 and b"review" not in page and token.encode() not in page
        assert "default-src 'none'" in headers["content-security-policy"]
        assert url.startswith("http://127.0.0.1:")
    assert queue.answers().labels == []


def test_what_is_wrong_is_refused_and_nothing_is_written(queue: Folder) -> None:
    with served(Session(queue, "ann")) as (url, token):
        for body in (
            {"at": 0, "label": "fine"},
            {"label": "good"},
            {"at": "x", "label": "good"},
            [],
            {"at": 0, "label": "good", "seconds": "x"},
        ):
            assert ask(f"{url}/api/label", token, body)[0] == 400, body
        for path in ("/api/item?at=9", "/api/picture?name=../question.json", "/api/nothing", "/../../etc/passwd"):
            assert ask(url + path, token)[0] == 404, path
        assert ask(f"{url}/api/item", token)[0] == 400
        (queue.path / "items.jsonl").write_text("broken")
        status, told, _ = ask(f"{url}/api/state", token)
        assert status == 500 and "items.jsonl:1" in told["error"]
    assert not list((queue.path / "labels").iterdir())


def test_what_has_the_fewest_labels_comes_first_and_what_is_labelled_last(queue: Folder) -> None:
    queue.label("ann", "1", "good")
    queue.label("bob", "0", "good")
    session = Session(queue, "ann")
    assert [item.key for item in session.items] == ["2", "3", "0", "1"]
    assert session.state() | {"question": None} == {
        "question": None,
        "annotator": "ann",
        "items": 4,
        "done": 1,
        "first": 0,
    }
    assert session.item(3) == {
        "key": "1",
        "shown": [{"name": "review", "value": "<i>review</i> 1"}],
        "label": "good",
        "suggested": "",
    }
    assert Session(queue, "ann", suggest=True).item(0)["suggested"] == "bad"


def test_what_is_no_queue_no_name_or_no_port_is_told(queue: Folder, tmp_path: Path) -> None:
    with pytest.raises(LabelsUnavailable, match="is no queue"):
        server(Session(Folder(tmp_path), "ann"))
    with pytest.raises(InvalidSpec, match="annotator"):
        Session(queue, "../ann")
    with served(Session(queue, "ann")) as (url, _), pytest.raises(PortTaken):
        server(Session(queue, "ann"), int(url.rpartition(":")[2]))


def test_the_command_serves_until_it_is_ended(queue: Folder) -> None:
    command = [sys.executable, "-c", "from seaway.cli import main; main()", "label", str(queue.path), "--name", "ann"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    assert process.stdout
    assert process.stdout.readline() == "0 of 4 items are labelled by ann. Ctrl-C ends.\n"
    url, _, token = process.stdout.readline().strip().partition("#")
    assert ask(f"{url}api/label", token, {"at": 0, "label": "good", "seconds": 1.25})[:2] == (200, {"done": 1})
    process.send_signal(signal.SIGTERM)
    assert process.wait(LONG) == 143
    process.stdout.close()
    assert queue.answers().labels == [Label("0", "ann", "good", 1.25)]


class Page:
    """The page in a browser."""

    def __init__(self, window: Browser, address: str) -> None:
        self.window = window
        window.call("Emulation.setDeviceMetricsOverride", width=400, height=700, deviceScaleFactor=1, mobile=True)
        window.call("Page.navigate", url=address)
        self.until("document.body && document.body.dataset.done", "0")

    def until(self, script: str, wanted: Any) -> None:
        end = time.monotonic() + LONG
        while (found := self.window.evaluate(script)) != wanted:
            assert time.monotonic() < end, (script, found, wanted)
            time.sleep(0.02)

    def press(self, key: str, at: int) -> None:
        """A key, and wait until the item of that place is shown."""
        text = {"text": key} if len(key) == 1 else {}
        self.window.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.window.call("Input.dispatchKeyEvent", type="keyUp", key=key)
        self.until("document.body.dataset.at", str(at))

    def text(self, selector: str) -> str:
        found: str = self.window.evaluate(f"document.querySelector({selector!r}).innerText")
        return found


@pytest.mark.skipif(PROGRAM is None, reason="no Chromium is on PATH")
def test_a_person_labels_by_keys_and_clicks(queue: Folder, tmp_path: Path) -> None:
    with served(Session(queue, "ann", suggest=True)) as (url, token), browser(tmp_path / "profile") as window:
        page = Page(window, f"{url}/#{token}")
        assert page.text("#item") == "<i>review</i> 0"
        assert page.text("#classes button:nth-child(3)").endswith("<b>odd</b>")
        assert window.evaluate("document.querySelector('.suggested').value") == "bad"
        assert window.evaluate("document.documentElement.scrollWidth") <= 400
        page.press("1", at=1)
        page.press("x", at=1)
        page.press("ArrowRight", at=2)
        page.press("3", at=3)
        window.click("#classes button:nth-child(2)")
        page.until("document.body.dataset.at", "4")
        assert page.text("#item") == "This is the end; 1 were skipped."
        page.press("ArrowLeft", at=3)
        assert window.evaluate("document.querySelector('[aria-pressed=true]').value") == "bad"
        page.press("Backspace", at=3)
        page.until("document.body.dataset.done", "2")
        assert page.text("#progress") == "2 of 4 labelled"
    assert [(one.key, one.value) for one in queue.answers().labels] == [("0", "good"), ("2", "<b>odd</b>")]
    assert all(one.seconds is not None and 0 <= one.seconds < LONG for one in queue.answers().labels)


@pytest.mark.skipif(PROGRAM is None, reason="no Chromium is on PATH")
def test_pictures_are_shown_and_a_class_of_one_sign_is_its_own_key(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "digits")
    folder.add(
        Question(tuple("012"), "image", ("picture", "from")),
        [Item("a", {"picture": PIXEL, "from": None}), Item("b", {"picture": b"no picture", "from": "x"})],
    )
    with served(Session(folder, "ann")) as (url, token), browser(tmp_path / "profile") as window:
        page = Page(window, f"{url}/#{token}")
        assert window.evaluate("document.querySelector('img').naturalWidth") == 1
        assert "nothing" in page.text("#item")
        page.press("2", at=1)
        assert window.evaluate("document.querySelector('img').alt") == "This picture cannot be shown."
        page.press("0", at=2)
        assert page.text("#item") == "All is labelled. Thank you!"
    assert [one.value for one in folder.answers().labels] == ["2", "0"]
