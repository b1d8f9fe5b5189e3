"""Events: a part is sent when it has changed and not else, the last change before the end; a log loses no byte."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from seaway.dev import live
from seaway.dev.live import Watched, changes, growth


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_S", 0)


def told(events: AsyncIterator[str]) -> list[tuple[str, str]]:
    async def all_of() -> list[str]:
        return [event async for event in events]

    lines = [event.strip().split("\n") for event in asyncio.run(all_of())]
    return [(kind.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for kind, data in lines]


def test_a_part_is_sent_once_a_change_and_the_last_one_is_not_missed() -> None:
    stamps, looks = iter([1, 1, 2, 2, 3]), []

    def stamp() -> int:
        looks.append(next(stamps))
        return looks[-1]

    watched = Watched(stamp, lambda: f"part {looks[-1]}\n", lambda: len(looks) == 4)
    assert told(changes(watched)) == [("whole", "part 1\n"), ("whole", "part 2\n"), ("whole", "part 3\n"), ("end", "")]


def test_a_log_is_sent_as_it_grows_to_its_last_byte() -> None:
    text, asked = "first\nsecond\nthird\n", []

    def read(offset: int) -> tuple[str, int]:
        asked.append(offset)
        found = text[offset : offset + 8]
        return found, offset + len(found)

    events = told(growth(read, 0, lambda: len(asked) >= 1))
    assert "".join(value for kind, value in events if kind == "more") == text
    assert events[-1] == ("end", "")
