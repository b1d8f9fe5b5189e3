"""Pins of the model servers that stand apart: whole, without what Seaway has itself."""

import re

import pytest

from tools import server_locks

BEHIND = server_locks.pins(server_locks.RUN_LOCK.read_text())


def test_what_seaway_has_in_the_same_version_is_left_out() -> None:
    own = server_locks.pins("# told\na==1\nb==2\n")
    assert server_locks.lacking({"a": "a==1", "b": "b==3", "c": "c==1"}, own) == ["b==3", "c==1"]


@pytest.mark.parametrize("asked", server_locks.SERVERS, ids=lambda file: file.parent.name)
def test_the_list_of_a_server_has_it_and_nothing_that_stands_behind(asked: server_locks.Path) -> None:
    listed = server_locks.pins(asked.with_suffix(".txt").read_text())
    assert re.split("[=<>]", asked.read_text().split()[0])[0] in listed
    assert all("==" in line for line in listed.values())
    assert [line for name, line in listed.items() if BEHIND.get(name) == line] == []


def test_every_server_with_packages_of_its_own_has_a_list() -> None:
    names = {file.parent.name for file in server_locks.SERVERS}
    assert names == {file.parent.name for file in server_locks.SERVERS[0].parents[1].glob("*/requirements.txt")}
    assert names == {"aws_lambda", "kserve", "mlserver"}


def test_the_image_asks_for_none_of_seaways_pins_that_a_server_refuses() -> None:
    """Its build installs the lists by Seaway's own pins, but for some names."""
    own = server_locks.pins(server_locks.LOCK.read_text())
    excepted = re.findall(
        r"grep -vE '\^\(([\w|-]+)\)==' constraints", (server_locks.PROJECT / "images" / "Dockerfile").read_text()
    )
    lists = [server_locks.pins(asked.with_suffix(".txt").read_text()) for asked in server_locks.SERVERS]
    differing = {name for one in lists for name, line in one.items() if own.get(name, line) != line}
    assert [set(names.split("|")) for names in excepted] == [differing]
