"""Every document is in the site's navigation: `make docs` refuses one that is not, later than this does."""

import re

from documents import ROOT


def test_each_page_is_in_the_navigation() -> None:
    listed = set(re.findall(r"[\w./-]+\.md$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE))
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").glob("*/*.md")}
    assert pages - listed <= {"components/README.md", "reference/api/README.md"} and pages & listed
