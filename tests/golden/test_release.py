"""What a release promises: one version everywhere, a section of it in the changelog, no fragment that gets lost."""

import re
import subprocess
import sys
import tomllib

import yaml
from documents import ROOT
from seaway.version import VERSION

FRAGMENTS = sorted(path for path in (ROOT / "changes").iterdir() if path.name != "README.md")
IMAGES = yaml.safe_load((ROOT / "kustomize" / "components" / "images" / "kustomization.yaml").read_text())["images"]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()


def test_the_images_are_of_the_librarys_version() -> None:
    tags = {image["name"]: image.get("newTag") for image in IMAGES if image["name"].startswith("docker.io/seaway/")}
    assert len(tags) == 3
    assert set(tags.values()) == {VERSION}
    told = re.findall(r"(?:TAG=|}:)(\d+\.\d+\.\d+)", (ROOT / "docs" / "clusters.md").read_text())
    assert told == [VERSION, VERSION]


def test_the_changelog_begins_with_the_version() -> None:
    assert re.findall(r"^## (\S+),", CHANGELOG, re.MULTILINE)[0] == VERSION


def test_every_fragment_is_in_the_draft_of_the_changelog() -> None:
    types = "|".join(
        one["directory"] for one in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["towncrier"]["type"]
    )
    assert [path.name for path in FRAGMENTS if not re.fullmatch(rf"\+[a-z0-9-]+\.({types})\.md", path.name)] == []
    draft = subprocess.run(
        [sys.executable, "-m", "towncrier", "build", "--draft"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert [path.name for path in FRAGMENTS if path.read_text().splitlines()[0] not in draft] == []


def test_the_next_section_is_written_where_the_changelog_expects_it() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["towncrier"]
    assert CHANGELOG.count(settings["start_string"]) == 1
    assert CHANGELOG.index(settings["start_string"]) < CHANGELOG.index(f"## {VERSION},")
