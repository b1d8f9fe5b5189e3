"""A state folder of the test's own, and who has signed in to its page."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dev_pages import signed_in
from starlette.testclient import TestClient


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def client(home: Path) -> Iterator[TestClient]:
    with signed_in(home) as found:
        yield found
