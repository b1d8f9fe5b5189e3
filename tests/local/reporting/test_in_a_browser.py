"""Pages as a browser shows them: in a file, and in the sandboxed frame of Kubeflow's dashboard."""

from collections.abc import Iterator
from pathlib import Path

import browser as browsing
import pytest
from seaway.reporting import Page, Table, Text

pytestmark = pytest.mark.skipif(browsing.PROGRAM is None, reason="no Chromium on PATH")
TITLES = ("Data", "Features", "Training", "Gate", "Rollout", "Lineage")


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[browsing.Browser]:
    with browsing.browser(tmp_path_factory.mktemp("profile")) as window:
        yield window


def long_page() -> Page:
    page = Page("A run")
    for title in TITLES:
        page.section(title, *[Text(f"{title} {number}. " * 20) for number in range(12)], Table(["a"], [["b"]] * 5))
    return page


@pytest.mark.parametrize("sandbox", [None, "allow-scripts", ""], ids=["file", "dashboard", "nothing allowed"])
@pytest.mark.parametrize("width", [1200, 390])
def test_the_contents_lead_to_each_section(
    window: browsing.Browser, tmp_path: Path, sandbox: str | None, width: int
) -> None:
    """The title is at the top of what is seen, below the contents, and the page is still there."""
    document, file = long_page().html(), tmp_path / "report.html"
    file.write_text(document if sandbox is None else browsing.framed(document, sandbox))
    frame = 0 if sandbox is None else 1
    window.open(file, width, 700)
    for number in (4, 2, 5):
        window.click(f"nav li:nth-child({number}) :first-child", frame)
        title = f"document.querySelector('section:nth-of-type({number}) h2').getBoundingClientRect().top"
        assert 40 < window.evaluate(title, frame) < 160, TITLES[number - 1]
