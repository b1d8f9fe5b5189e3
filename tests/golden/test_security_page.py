"""Each claim of docs/security.md names a test that there is."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def test_every_test_that_the_page_names_exists() -> None:
    files = set(re.findall(r"tests/[\w/]+\.py", PAGE))
    defined = {name for file in files for name in re.findall(r"def (test_\w+)", (ROOT / file).read_text("utf-8"))}
    named = set(re.findall(r"\b(test_\w+)\b(?!\.py)", PAGE))
    assert len(files) > 4
    assert named <= defined
