"""What istiod's webhook refuses of an HTTP route (istio.io/istio, pkg/config/validation); as written for Istio 1.31."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from itertools import chain

from seaway.platforms.kubernetes.manifests.fields import Part, entries, part, required
from seaway.platforms.kubernetes.manifests.pod_rules import HIGHEST_PORT
from seaway.platforms.kubernetes.validation.problem import Problem, short

SUBSET = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", re.IGNORECASE)
HOST, HOST_LENGTH = re.compile(r"(\*|\*-)?[A-Za-z0-9._-]*"), 255
FULL = 100  # per cent
NOT_BESIDE = {  # what leads a request away, with what cannot be said beside it
    "redirect": ("route", "fault", "rewrite", "directResponse"),
    "directResponse": ("route", "fault", "rewrite"),
    "delegate": ("route", "redirect"),
    "mirror": ("mirrors",),
}
LEADS = ("route", "redirect", "directResponse", "delegate")
TEXTS, NEVER_EMPTY = ("uri", "scheme", "method", "authority"), ("scheme", "method", "authority")
# RE2, which has no look-around and no back references; and what no dialect takes.
NOT_RE2 = re.compile(r"\(\?(<?[=!]|P=)|\\[1-9]")
BROKEN = ("missing ), unterminated", "unbalanced parenthesis", "unterminated character set", "nothing to repeat")


def http_route(route: Part, field: str) -> Iterator[Problem]:
    """One entry of `spec.http`."""
    yield from _conflicts(route, field)
    yield from chain.from_iterable(_match(one, path) for path, one in entries(route, "match", field))
    yield from _split(route, field)
    yield from _mirrors(route, field)
    if route.get("redirect") is not None:
        yield from _redirect(part(route, "redirect"), f"{field}.redirect")
    if route.get("rewrite") is not None:
        yield from _rewrite(part(route, "rewrite"), f"{field}.rewrite")
    yield from _retries(part(route, "retries"), f"{field}.retries")


def destination(one: Part, field: str) -> Iterator[Problem]:
    """Where a request goes."""
    yield from required(one, field, "host")
    yield from host(one.get("host"), f"{field}.host", alone=False)
    if one.get("subset") and not SUBSET.fullmatch(str(one["subset"])):
        yield Problem(f"{field}.subset", f"Invalid value: {short(one['subset'])}: subset name is invalid")
    if one.get("port") is not None:
        yield from port(part(one, "port").get("number", 0), f"{field}.port.number")


def host(name: object, field: str, *, alone: bool = True) -> Iterator[Problem]:
    """A domain name, whose first part may be a star; `alone` where a star may be all of it."""
    if not isinstance(name, str) or not name or ":" in name:  # an IPv6 address
        return
    if not HOST.fullmatch(name) or len(name) > HOST_LENGTH or (name == "*" and not alone):
        yield Problem(field, f"Invalid value: {short(name)}: must be a domain name")


def port(number: object, field: str) -> Iterator[Problem]:
    """A port's number, which may lack."""
    if isinstance(number, int) and not 0 < number <= HIGHEST_PORT:
        yield Problem(field, f"Invalid value: {number}: must be in the range 1..{HIGHEST_PORT}")


def _conflicts(route: Part, field: str) -> Iterator[Problem]:
    if not any(route.get(kind) is not None for kind in LEADS[1:]) and not route.get("route"):
        yield Problem(field, "Required value: HTTP route, redirect or direct_response is required")
    for one, others in NOT_BESIDE.items():
        for other in others:
            if route.get(one) is not None and route.get(other) not in (None, []):
                yield Problem(f"{field}.{other}", f"Invalid value: HTTP route cannot contain both {other} and {one}")


def _match(match: Part, field: str) -> Iterator[Problem]:
    for name in TEXTS:
        yield from _text(part(match, name), f"{field}.{name}", empty=name not in NEVER_EMPTY)
    for kind in ("headers", "queryParams"):
        for name in part(match, kind):
            yield from _text(part(match, kind, name), f"{field}.{kind}[{name}]", empty=False)
    yield from port(match.get("port") or None, f"{field}.port")


def _text(wanted: Part, field: str, *, empty: bool) -> Iterator[Problem]:
    """A text that is matched; a prefix may be empty of a path only."""
    if wanted.get("prefix") == "" and not empty:
        yield Problem(f"{field}.prefix", "Invalid value: prefix string match should not be empty")
    if (given := wanted.get("regex")) is not None and (says := _wrong_regex(str(given))):
        yield Problem(f"{field}.regex", f"Invalid value: {short(given)}: {says}")


def _wrong_regex(text: str) -> str:
    if not text:
        return "regex string match should not be empty"
    if NOT_RE2.search(text):
        return "must be an RE2 expression, which has no look-around and no back references"
    try:
        re.compile(text)
    except re.error as error:
        return str(error) if error.msg.startswith(BROKEN) else ""  # else it may be of RE2's own
    return ""


def _split(route: Part, field: str) -> Iterator[Problem]:
    shares = entries(route, "route", field)
    for path, share in shares:
        if share.get("destination") is None:
            yield Problem(f"{path}.destination", "Required value: destination is required")
        else:
            yield from destination(part(share, "destination"), f"{path}.destination")
        weight = share.get("weight")
        if isinstance(weight, int) and weight < 0:
            yield Problem(f"{path}.weight", f"Invalid value: {weight}: must not be negative")
    weights = [share.get("weight") or 0 for _, share in shares]
    if len(weights) > 1 and not any(weights):
        yield Problem(f"{field}.route", "Invalid value: total destination weight = 0")


def _mirrors(route: Part, field: str) -> Iterator[Problem]:
    if route.get("mirror") is not None:
        yield from destination(part(route, "mirror"), f"{field}.mirror")
    yield from _share(part(route, "mirrorPercentage").get("value"), f"{field}.mirrorPercentage.value")
    for path, one in entries(route, "mirrors", field):
        if one.get("destination") is None:
            yield Problem(f"{path}.destination", "Required value: destination is required for mirrors")
        else:
            yield from destination(part(one, "destination"), f"{path}.destination")
        yield from _share(part(one, "percentage").get("value"), f"{path}.percentage.value")


def _share(value: object, field: str) -> Iterator[Problem]:
    if isinstance(value, int | float) and not 0 <= value <= FULL:
        yield Problem(field, f"Invalid value: {value}: must be between 0 and {FULL}")


def _redirect(redirect: Part, field: str) -> Iterator[Problem]:
    if not any(redirect.get(name) for name in ("uri", "authority", "scheme", "port", "derivePort", "prefixRewrite")):
        yield Problem(field, "Required value: redirect must specify URI, authority, scheme, or port")
    code = redirect.get("redirectCode")
    if isinstance(code, int) and code and not HTTPStatus.MULTIPLE_CHOICES <= code < HTTPStatus.BAD_REQUEST:
        yield Problem(f"{field}.redirectCode", f"Invalid value: {code}: must be 3xx")
    if redirect.get("scheme") and redirect["scheme"] not in ("http", "https"):
        yield Problem(f"{field}.scheme", f"Invalid value: {short(redirect['scheme'])}: must be http or https")


def _rewrite(rewrite: Part, field: str) -> Iterator[Problem]:
    if rewrite.get("uri") and rewrite.get("uriRegexRewrite") is not None:
        yield Problem(field, "Invalid value: rewrite may only contain one of URI or UriRegexRewrite")
    if not rewrite.get("uri") and rewrite.get("uriRegexRewrite") is None and not rewrite.get("authority"):
        yield Problem(field, "Required value: rewrite must specify at least one of URI, UriRegexRewrite, or authority")


def _retries(retries: Part, field: str) -> Iterator[Problem]:
    attempts = retries.get("attempts") or 0
    if isinstance(attempts, int) and attempts < 0:
        yield Problem(f"{field}.attempts", f"Invalid value: {attempts}: attempts cannot be negative")
    if not attempts and any(retries.get(name) is not None for name in ("perTryTimeout", "retryRemoteLocalities")):
        yield Problem(f"{field}.attempts", "Invalid value: http retry policy configured when attempts are set to 0")
