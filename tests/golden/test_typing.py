"""What mypy does not look into is listed once, each with its reason, and only as long as the library imports it."""

import re
import subprocess

from documents import ROOT

SKIPPED = re.findall(r'^    "([\w.]+)\.\*", *(?:# (.+))?$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
OF_OTHERS = {"sqlalchemy", "alembic"}  # imported by Optuna


def test_every_library_that_mypy_skips_has_a_reason() -> None:
    assert len(SKIPPED) > len(OF_OTHERS)
    assert [name for name, reason in SKIPPED if not reason] == []


def test_every_library_that_mypy_skips_is_imported() -> None:
    patterns = [name for name, _ in SKIPPED if name not in OF_OTHERS]
    sources = subprocess.run(
        ["git", "grep", "-hE", r"^\s*(from|import) ", "--", "sdk"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert [
        name
        for name in patterns
        if not re.search(rf"^\s*(?:from|import) {re.escape(name)}\b", sources.stdout, re.MULTILINE)
    ] == []
