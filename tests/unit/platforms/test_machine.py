"""Each thing that a machine may lack is found by its figure, with what to do; the machine of the tests is well."""

import socket
from pathlib import Path

import pytest
from seaway.platforms.findings import Finding, State
from seaway.platforms.local import machine as examined
from seaway.platforms.local.machine import GIB, machine


def bad(finding: Finding, told: str, cure: str) -> None:
    assert (finding.state, told in finding.what, cure in finding.advice) == (State.BAD, True, True), finding


def test_a_machine_that_lacks_something_is_told_so_with_the_cure(tmp_path: Path) -> None:
    bad(examined._python((3, 10)), "3.10", "3.11 to 3.13")
    bad(examined._python((3, 14)), "3.14", "3.11 to 3.13")
    bad(examined._memory(GIB // 2), "0.5 GiB", "fewer rows")
    bad(examined._disk(tmp_path, GIB), str(tmp_path), "SEAWAY_HOME")
    bad(examined._files(256), "256", "ulimit")


def test_a_machine_that_has_it_is_well(tmp_path: Path) -> None:
    found = [
        examined._python((3, 12)),
        examined._memory(2 * GIB),
        examined._disk(tmp_path, 9 * GIB),
        examined._files(-1),
    ]
    assert {one.state for one in found} == {State.GOOD}
    assert all(one.state is State.GOOD for one in machine(tmp_path) if "free" not in one.what)


def test_packages_of_another_version_are_named() -> None:
    found = list(examined._packages(["pytest<1", "nothing-of-the-kind>=1", "numpy"]))
    bad(found[0], "pytest is", "pytest<1")
    bad(found[1], "nothing-of-the-kind is not installed", "nothing-of-the-kind>=1")
    missing = list(examined._packages(['nothing-of-the-kind; extra == "local"', "numpy"]))
    assert [one.state for one in missing] == [State.GOOD, State.UNKNOWN, State.GOOD]
    assert "seaway[local]" in missing[1].advice


def test_a_proxy_that_would_take_local_requests_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "intern.example")
    bad(examined._proxy(), "HTTP_PROXY", "127.0.0.1,localhost,intern.example")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert examined._proxy().state is State.GOOD


def test_a_machine_without_sockets_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/" + "x" * 200)
    monkeypatch.setattr("tempfile.tempdir", None)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("not here")

    monkeypatch.setattr(socket, "create_server", refuse)
    bad(examined._sockets(), "not here", "TMPDIR")
