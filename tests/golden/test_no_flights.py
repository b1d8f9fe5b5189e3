"""Flights are an example: the library, its components, and what tests and tools share know no data set."""

import re
import subprocess

from documents import ROOT

KEPT = ("sdk", "components", "tests/support", "tools")
OF_FLIGHTS = re.compile(r"(?<!pre)(?<!in )flights?|\bcarrier\b|carrier_|[\"'`]late[\"'`]", re.IGNORECASE)


def test_no_flights_but_in_their_example_its_pipelines_and_its_pages() -> None:
    listed = subprocess.run(["git", "ls-files", *KEPT], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = [
        f"{name}:{number}: {line.strip()}"
        for name in listed.splitlines()
        if not name.endswith(".json") and (ROOT / name).is_file()  # schemas as other projects publish them
        for number, line in enumerate((ROOT / name).read_text(encoding="utf-8").splitlines(), 1)
        if OF_FLIGHTS.search(line)
    ]
    assert found == []


def test_the_words_of_the_field_are_told_apart() -> None:
    english = "preflight; requests in flight; Preflight; known too late; labels arrive late; LATE; late = True"
    assert not OF_FLIGHTS.search(english)
    for line in ("seaway run flights", '"carrier"', 'label: str = "late"', "carrier_rate", "a Flight"):
        assert OF_FLIGHTS.search(line)
