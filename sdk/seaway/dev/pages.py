"""From a template and values to a page or a part of one; whatever comes from a run is escaped."""

import time
from functools import cache
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from seaway.reporting.page import Badge, Block, badge_html, block_html, cell

if TYPE_CHECKING:
    from jinja2 import Environment

STATES = {
    "running": Badge("running", "warn"),
    "retrying": Badge("retrying", "warn"),
    "succeeded": Badge("succeeded", "good"),
    "cached": Badge("reused"),
    "failed": Badge("failed", "bad"),
    "interrupted": Badge("interrupted", "warn"),
}
MINUTE, HOUR = 60, 3600


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A whole page; `title` is among the values."""
    return HTMLResponse(part(template, path=request.url.path, **values), status)


def part(template: str, **values: Any) -> str:
    """What a template makes of values."""
    return _environment().get_template(template).render(**values)


def duration(seconds: float) -> str:
    """Such as `4.2 s`, `3 min 20 s` or `2 h 5 min`."""
    if seconds < MINUTE:
        return f"{seconds:.1f} s"
    minutes = int(seconds // MINUTE)
    if seconds < HOUR:
        return f"{minutes} min {int(seconds % MINUTE)} s"
    return f"{minutes // MINUTE} h {minutes % MINUTE} min"


def moment(epoch: float) -> str:
    """Seconds since 1970 as a reader's clock and calendar have it; empty where nobody knows."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(epoch)) if epoch else ""


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    def block(value: Block) -> Markup:
        return Markup(block_html(value))  # noqa: S704  # escaped where it is made

    def state(word: str) -> Markup:
        return Markup(badge_html(STATES.get(word, Badge(word))))  # noqa: S704  # likewise

    def badge(value: Badge) -> Markup:
        return Markup(badge_html(value))  # noqa: S704  # likewise

    environment = Environment(
        loader=PackageLoader("seaway.dev", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "block": block, "state": state, "badge": badge, "duration": duration, "moment": moment, "cell": cell
    }  # fmt: skip
    environment.globals["now"] = time.time
    return environment
