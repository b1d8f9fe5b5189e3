"""Words from data read as they are written, and links lead where they say."""

from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from seaway.reporting import markdown

MARKS = "\\`*_{}[]<>#~|&!$@:^=+-.()\"'/ \n1a"


def read(text: str) -> str:
    """What a reader sees of one paragraph; nothing else may be there."""
    opening, inline, closing = MarkdownIt().enable(["strikethrough", "table"]).parse(text)
    assert (opening.type, closing.type) == ("paragraph_open", "paragraph_close")
    children = inline.children or []
    assert {child.type for child in children} <= {"text", "text_special"}, text
    return "".join(child.content for child in children)


@given(st.text(st.sampled_from(MARKS), min_size=1).filter(str.strip))
def test_any_text_reads_as_it_is_written(text: str) -> None:
    assert read(markdown.escaped(text)) == " ".join(text.split())


@pytest.mark.parametrize(
    "text", ["roc_auc and pr_auc", "1. first", "- no", "a*b*c", "_a_ __init__", "~~x~~ | &amp;", "==="]
)
def test_what_would_be_emphasis_a_list_or_a_link_is_none(text: str) -> None:
    assert read(markdown.escaped(text)) == text


def test_underscores_within_words_are_escaped_too() -> None:
    """CommonMark leaves them; a dashboard's Markdown makes `roc*auc` and `pr*auc` of two of them."""
    assert markdown.escaped("roc_auc and pr_auc") == r"roc\_auc and pr\_auc"


def test_a_bare_address_becomes_no_link_by_itself() -> None:
    """A dashboard's Markdown makes links of what looks like one."""
    assert "https://" not in markdown.escaped("see https://a.b/c")
    assert read(markdown.escaped("see https://a.b/c")) == "see https://a.b/c"


def links(text: str) -> dict[str, str]:
    """Address by title of each link."""
    found = {}
    for block in MarkdownIt().parse(text):
        children = block.children or []
        for place, child in enumerate(children):
            if child.type == "link_open":
                ends = next(at for at in range(place, len(children)) if children[at].type == "link_close")
                found["".join(inner.content for inner in children[place + 1 : ends])] = str(child.attrs["href"])
    return found


def test_links_lead_where_they_say(tmp_path: Path) -> None:
    address = "http://mlflow:5000/#/models/a_b(c)/versions/1"
    text = markdown.write_links(tmp_path / "links.md", {"Version [1]": address, "Nothing": ""}, "Of roc_auc.")
    assert (tmp_path / "links.md").read_text() == text
    [(title, href)] = links(text).items()
    assert (title, unescape(href).replace("%28", "(").replace("%29", ")")) == ("Version [1]", address)
    assert "Nothing" not in text


@pytest.mark.parametrize("address", ["javascript:alert(1)", "s3://bucket/report.html", "sqlite:////state/mlflow.db"])
def test_an_address_that_no_browser_opens_is_told_and_is_no_link(address: str) -> None:
    assert links(markdown.link("Store", address)) == {}
    assert read(markdown.link("Store", address)) == f"Store: {address}"
