"""A page of the site that would ask another server for anything is noticed; a link to follow is not."""

from pathlib import Path

import pytest

from tools.docs_offline import outside, requests

ASKS = [
    '<script src="https://cdn.example/x.js"></script>',
    '<link rel="stylesheet" href="//fonts.example/css">',
    '<img src="http://example.com/badge.svg">',
    '<img srcset="https://example.com/2x.png 2x">',
    '<svg><use xlink:href="https://example.com/icons.svg#a"/></svg>',
    '<p style="background: url(https://example.com/a.png)">',
    "<style>@import 'https://example.com/a.css'</style>",
    '<pre class="mermaid">flowchart LR</pre>',
]
ASKS_NOT = [
    '<a href="https://example.com">there</a>',
    '<script src="../assets/x.js"></script>',
    "<code>curl https://a.b</code>",
]


@pytest.mark.parametrize("page", ASKS)
def test_what_is_fetched_from_elsewhere_is_found(page: str) -> None:
    assert requests(page)


@pytest.mark.parametrize("page", ASKS_NOT)
def test_what_a_reader_may_follow_is_no_request(page: str) -> None:
    assert requests(page) == []


def test_style_sheets_are_looked_through(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("@font-face { src: url('https://fonts.example/a.woff2') }")
    assert list(outside(tmp_path)) == ["a.css: https://fonts.example/a.woff2"]
