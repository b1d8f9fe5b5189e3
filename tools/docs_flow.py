"""The flow charts of components' pages as HTML: a git host draws them by Mermaid, the site without a script."""

import re
from html import escape
from typing import Any

BOX = re.compile(r'^\s*(\w+)\["([^"]+)"\]$', re.MULTILINE)
TAKES = re.compile(r'^\s*\w+\(\["([^"]+)"\]\) --> \w+$', re.MULTILINE)
GIVES = re.compile(r'^\s*\w+ --> \w+\(\["([^"]+)"\]\)$', re.MULTILINE)


def draw(source: str, language: str, css_class: str, options: Any, md: Any, **_: Any) -> str:
    """Inputs, the component and its outputs side by side; what `make generate` writes has nothing else."""
    columns = [_column(TAKES.findall(source)), _column([name for _, name in BOX.findall(source)], "box")]
    return f'<div class="{css_class}">{"".join([*columns, _column(GIVES.findall(source))])}</div>'


def _column(names: list[str], kind: str = "port") -> str:
    return f'<ul class="{kind}">{"".join(f"<li>{escape(name)}</li>" for name in names)}</ul>' if names else ""
