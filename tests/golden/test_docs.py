"""The documents hold together: every relative link leads somewhere, and the README shows what a guide proves."""

import re
from pathlib import Path

import pytest
from documents import PAGES, blocks
from places import PROJECT

TEST_FILE = re.compile(r"\btests/[\w/*]*[\w*](?:\.py)?")
TEST = re.compile(r"\b(test_\w+)\b(?![.*])")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    broken = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_test_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text()
    files = {pattern: list(PROJECT.glob(pattern)) for pattern in TEST_FILE.findall(text)}
    assert [pattern for pattern, found in files.items() if not found] == []
    sources = [file.read_text() for found in files.values() for file in found if file.is_file()]
    defined = {name for source in sources for name in re.findall(r"def (test_\w+)", source)}
    assert not files or set(TEST.findall(text)) <= defined


def test_the_readme_shows_the_pipeline_that_the_guide_runs() -> None:
    shown, run = (blocks(PROJECT / page, "python")[0].text for page in ("README.md", "docs/how-to/write-a-pipeline.md"))
    assert shown == run
