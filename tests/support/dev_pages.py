"""Runs as a state folder keeps them, written by hand, and the page that shows them."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from seaway.dev.access import Access
from seaway.dev.app import application
from seaway.dev.uis.children import Children
from starlette.testclient import TestClient

BASE = "http://127.0.0.1:8765"


@dataclass(frozen=True)
class Page:
    """A running page: its address and its state folder."""

    url: str
    home: Path
    printed: str  # the link

    @property
    def token(self) -> str:
        return (self.home / "dev" / "token").read_text()


def signed_in(home: Path) -> TestClient:
    """A client that has the session of the page of a state folder."""
    access = Access(home)
    client = TestClient(application(access, Children()), BASE, headers={"origin": BASE})
    client.get(f"/open?ticket={access.ticket()}")
    return client


def step(number: int, name: str, outputs: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A step as a record has it."""
    known = {
        "title": name, "place": name, "log": "", "state": "succeeded", "seconds": 1.5, "attempts": 1, "figure": "",
        "why": "it has not run before", "reason": "", "begun": time.time(), "outputs": outputs or {},
    }  # fmt: skip
    return {"number": number, "name": name, **known, **more}


def artifact(uri: Path | str, kind: str = "Dataset", **metadata: Any) -> dict[str, Any]:
    """An output as a record has it."""
    return {"type": f"system.{kind}", "uri": str(uri), "metadata": metadata}


def write_run(home: Path, run: str, *steps: dict[str, Any], **more: Any) -> Path:
    """A run's record; one that is running is this process's."""
    known = {
        "pipeline": "sample", "source": "sample.py", "arguments": {}, "total": len(steps), "state": "succeeded",
        "reason": "", "begun": time.time(), "seconds": 3.0, "process": psutil.Process().pid,
        "process_started": psutil.Process().create_time(),
    }  # fmt: skip
    folder = home / "runs" / run
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps({"run": run, **known, **more, "steps": list(steps)}))
    return folder
