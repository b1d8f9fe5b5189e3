"""The page is self-contained, escapes what comes from data, and can be read without seeing it."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.errors import InvalidSpec
from seaway.reporting import Badge, Code, Figure, Figures, Fold, Page, Table, Text, Tile, Tiles, charts, palette
from seaway.reporting.page import cell

HOSTILE = """<script>alert("1")</script>"><img src=x onerror='alert(2)'>"""


class Tags(HTMLParser):
    """Tags with their attributes, and the text between them."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def hostile_page(name: str) -> Page:
    chart = charts.intervals([charts.Bar(name, 0.5, 0.4, 0.6, 10)], name, name, 0.5, name)
    blocks = [
        Text(name),
        Code(name, name),
        Table([name], [[name], [Badge(name)]], name),
        Tiles([Tile(name, name, name)]),
        Figures([Figure(chart, name, name)]),
        Fold(name, [Text(name)]),
    ]
    return Page(name, name, Badge(name), [Tile(name, name)], name).section(name, *blocks, lead=name, badge=Badge(name))


def test_names_from_data_never_become_markup() -> None:
    document = hostile_page(HOSTILE).html()
    tags = Tags(document).tags
    assert not {"script", "img"} & {tag for tag, _ in tags}
    assert not any(attribute.startswith("on") for _, attributes in tags for attribute in attributes)
    assert HOSTILE in Tags(document).text


@given(st.text(alphabet="<>&\"'/=$\\{}%ab ", max_size=12))
def test_any_table_cell_is_shown_as_it_is(name: str) -> None:
    assert name in Tags(Page("t").section("s", Code(name)).html()).text


@given(st.text(alphabet="<>&\"'/=$\\{}%ab ", max_size=12))
def test_a_later_page_shows_the_sections_of_an_earlier_one_as_they_were(name: str) -> None:
    """Through JSON, as between two steps."""
    earlier = Page("t").section(name, Text(name or "x"), Code(name), lead=name, badge=Badge(name, "bad"))
    later = Page("t").take(json.loads(json.dumps(earlier.kept())))
    assert Tags(later.html()).text.split() == Tags(earlier.html()).text.split()
    assert [tag for tag, _ in Tags(later.html()).tags] == [tag for tag, _ in Tags(earlier.html()).tags]


def test_contents_follow_no_address_for_it_would_leave_a_frame_made_of_text() -> None:
    """Each of them focuses a goal at the top of its section."""
    page = Page("A run")
    for title in ("Data", "Features", "Gate", "Rollout"):
        page.section(title, Text(title))
    tags = Tags(page.html()).tags
    goals = [attributes["id"] for tag, attributes in tags if tag == "input"]
    assert [attributes["for"] for tag, attributes in tags if tag == "label"] == goals
    assert len(set(goals)) == 4
    assert "a" not in {tag for tag, _ in tags}


def test_a_page_needs_no_network_and_no_script() -> None:
    document = hostile_page("name").html()
    assert "default-src 'none'" in document
    outside = re.findall(r"""(?:src|href)=["'](?!#)|url\((?!#)|@import|https?://""", document)
    assert outside == []


def test_tables_and_figures_can_be_read_aloud() -> None:
    tags = Tags(hostile_page("name").html()).tags
    assert all(attributes.get("scope") in ("col", "row") for tag, attributes in tags if tag == "th")
    images = [attributes for tag, attributes in tags if tag == "svg" and attributes.get("aria-hidden") != "true"]
    assert images
    assert all(image.get("role") == "img" and image.get("aria-label") for image in images)


def test_charts_of_one_page_share_no_ids() -> None:
    one = charts.histogram([0, 1, 2], {"a": [1, 2]}, "x", "alt")
    other = charts.histogram([0, 1, 2], {"a": [3, 2]}, "x", "alt")
    ids = re.findall(r'id="([^"]+)"', one.svg + other.svg)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)", one.svg)) <= set(ids)


def test_the_same_chart_is_drawn_with_the_same_bytes() -> None:
    drawn = [charts.roc([charts.Series("a", [0, 0.2, 1], [0, 0.7, 1])], "alt").svg for _ in range(2)]
    assert drawn[0] == drawn[1]


def test_chart_text_keeps_all_its_digits() -> None:
    assert "0.6497" in charts.roc([charts.Series("a", [0, 1], [0, 1], "0.6497")], "alt").svg


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("colour", [c for c in palette.ALL if c not in (palette.PAPER, palette.CARD, palette.LINE)])
def test_colours_have_enough_contrast(colour: palette.Colour, scheme: str) -> None:
    for ground in (palette.PAPER, palette.CARD):
        assert contrast(getattr(colour, scheme), getattr(ground, scheme)) >= 4.5


def test_numbers_are_shown_for_readers() -> None:
    shown = [cell(value) for value in (336776, 0.123456, None, True, "x")]
    assert shown == ["336,776", "0.1235", "\N{EN DASH}", "True", "x"]


def test_a_ragged_table_is_refused() -> None:
    with pytest.raises(InvalidSpec, match="1 cells"):
        Table(["a", "b"], [["x"]])


def test_writing_leaves_one_whole_file(tmp_path: Path) -> None:
    Page("Title").section("s").write(tmp_path / "folder" / "page.html")
    assert [file.name for file in (tmp_path / "folder").iterdir()] == ["page.html"]


def test_a_notebook_shows_a_page_in_a_frame_that_nothing_leaves() -> None:
    shown = Tags(Page(HOSTILE).section("Data", Table(["name"], [[HOSTILE]]))._repr_html_())
    [(name, attributes)] = shown.tags
    assert name == "iframe" and attributes["sandbox"] is None
    assert attributes["title"] == HOSTILE and "Data" in str(attributes["srcdoc"])
