"""Pages as a browser shows them: in a file, and in the sandboxed frame of Kubeflow's dashboard."""

from collections.abc import Iterator
from pathlib import Path

import browser as browsing
import pytest
from seaway.reporting import Figure, Figures, Page, Table, Text, charts, tuning_charts
from seaway.reporting.front_chart import Point, front
from seaway.reporting.inline_svg import Chart

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


def months(names: tuple[str, ...] = ("Jan", "Feb", "Mar")) -> Chart:
    return charts.columns(names, {"train": [9.0] * len(names), "test": [1.0] * len(names)}, "rows", "rows by month")


WIDE_CHARTS = {
    "columns": months(),
    "timeline": charts.timeline([charts.Tick(0, 5), charts.Tick(9, 100, "PROMOTE")], "the weight"),
    "history": tuning_charts.search_history([tuning_charts.Point(1, 0.5)], [], "loss", False, "the trials"),
    "parallel": tuning_charts.parallel_coordinates(
        [tuning_charts.Axis("rate", {"0.1": 0.5}), tuning_charts.Axis("loss", {"0.4": 0.5})],
        [tuning_charts.Path([0.1, 0.9], 1.0, best=True)],
        "the parameters",
    ),
    "front": front([Point("float32", 10, 4)], "MB", "ms", "the costs"),
    "half": charts.lines([charts.Series("train", [1, 2], [1, 0])], "epoch", "loss", "the loss"),
}


def drawn(window: browsing.Browser, chart: Chart, file: Path, width: int) -> list[list[float]]:
    """Width that a chart's frame has, and that its content takes, of each `<svg>` that is seen."""
    Page("A run").section("Chart", Figures([Figure(chart, "A chart")])).write(file)
    window.open(file, width, 700)
    frames = "[...document.querySelectorAll('figure svg')].filter(svg => svg.getBoundingClientRect().width)"
    found: list[list[float]] = window.evaluate(
        f"{frames}.map(svg => svg.closest('.scroll')).map(frame => [frame.clientWidth, frame.scrollWidth])"
    )
    return found


@pytest.mark.parametrize("name", WIDE_CHARTS)
@pytest.mark.parametrize("width", [1200, 400])
def test_a_chart_is_seen_once_and_whole(window: browsing.Browser, tmp_path: Path, name: str, width: int) -> None:
    ((room, taken),) = drawn(window, WIDE_CHARTS[name], tmp_path / "report.html", width)
    assert 0 < taken <= room


def test_a_chart_whose_names_need_the_room_scrolls_on_a_narrow_page(window: browsing.Browser, tmp_path: Path) -> None:
    chart = months(tuple(f"month number {number}" for number in range(12)))
    ((room, taken),) = drawn(window, chart, tmp_path / "report.html", 400)
    assert taken > room
