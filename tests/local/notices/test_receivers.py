"""Notices arrive at real receivers on loopback: a webhook, an SMTP server, Alertmanager; each is told once."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from aiosmtpd.controller import Controller
from free_ports import free_port
from seaway.errors import NoticeFailed
from seaway.notices import Notice, tell
from web_program import web_program
from webhook import Webhook, webhook

NOTICE = Notice("churn-x1", "Run churn-x1: failed at Train", "**Train** failed: out of memory.", failed=True)


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as hook:
        yield hook


def test_a_webhook_is_told_once_whatever_is_tried_again(hook: Webhook, tmp_path: Path) -> None:
    for _ in range(2):
        assert tell(NOTICE, [hook.address], str(tmp_path)) == 1
    (heard,) = hook.heard
    assert heard["title"] == NOTICE.title
    assert "out of memory" in heard["message"]
    assert heard["type"] == "failure"


def test_one_that_refuses_is_named_the_others_are_told_and_the_next_try_tells_only_it(
    hook: Webhook, tmp_path: Path
) -> None:
    with webhook(user="ada:hunter2secret@") as other:
        other.refusing = True
        with pytest.raises(NoticeFailed, match="json://") as refusal:
            tell(NOTICE, [other.address, hook.address], str(tmp_path))
        assert "hunter2secret" not in str(refusal.value)
        assert len(hook.heard) == 1
        other.refusing = False
        assert tell(NOTICE, [other.address, hook.address], str(tmp_path)) == 2
        assert len(hook.heard) == len(other.heard) == 1
    assert "hunter2secret" not in "".join(file.read_text() for file in tmp_path.rglob("*.json"))


def test_a_run_whose_storage_is_down_is_told_of_all_the_same(hook: Webhook, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert tell(NOTICE, [hook.address], str(tmp_path / "file" / "below")) == 1
    assert len(hook.heard) == 1


class Mailbox:
    """What an SMTP server of a test has taken."""

    def __init__(self) -> None:
        self.letters: list[bytes] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's
        self.letters.append(envelope.content)
        return "250 taken"


def test_a_letter_comes_by_smtp(tmp_path: Path) -> None:
    mailbox = Mailbox()
    port = free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        address = f"mailto://127.0.0.1:{port}?from=seaway@example.org&to=ada@example.org&mode=insecure"
        assert tell(NOTICE, [address], str(tmp_path)) == 1
    finally:
        controller.stop()
    letter = message_from_bytes(mailbox.letters[0], policy=policy.default)
    assert letter["subject"] == NOTICE.title
    assert letter["to"] == "ada@example.org"
    assert "out of memory" in letter.get_body(("html", "plain")).get_content()  # type: ignore[union-attr]


@contextmanager
def alertmanager(folder: Path) -> Iterator[str]:
    """A real one; its address."""
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        pytest.skip("there is no prometheus-alertmanager on PATH")
    (folder / "am.yml").write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    place = f"127.0.0.1:{free_port()}"
    settings = [f"--config.file={folder / 'am.yml'}", f"--storage.path={folder / 'am'}", "--cluster.listen-address="]
    command = [program, *settings, f"--web.listen-address={place}"]
    with web_program(command, f"http://{place}/-/ready", folder / "am.log"):
        yield place


def test_an_alert_fires_at_alertmanager(tmp_path: Path) -> None:
    with alertmanager(tmp_path) as place:
        assert tell(NOTICE, [f"alertmanager://{place}"], str(tmp_path / "run")) == 1
        with urlopen(f"http://{place}/api/v2/alerts") as answer:
            (alert,) = json.load(answer)
    assert alert["labels"] == {"alertname": "SeawayRunFailed", "severity": "warning", "run": NOTICE.run}
    assert alert["annotations"]["summary"] == NOTICE.title
    assert alert["status"]["state"] == "active"
