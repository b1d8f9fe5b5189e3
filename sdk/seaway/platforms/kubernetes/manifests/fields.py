"""Small parts that the rules of Kubernetes' own kinds share; each takes an object of the right shape, and any null."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from seaway.platforms.kubernetes.validation.problem import Problem, short
from seaway.platforms.kubernetes.validation.schema import LABEL_LENGTH, SUBDOMAIN, SUBDOMAIN_LENGTH

Part = Mapping[str, Any]

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
LABEL_RULE = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-'"
REQUIRED = "Required value"


def part(value: Any, *names: str) -> Part:
    """What stands below, or nothing."""
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def entries(value: Any, name: str, field: str = "") -> list[tuple[str, Part]]:
    """Path and content of the entries of a list of objects; a null is an empty object."""
    listed = value.get(name) if isinstance(value, Mapping) else None
    path = f"{field}.{name}" if field else name
    found = listed if isinstance(listed, Sequence) and not isinstance(listed, str) else ()
    return [(f"{path}[{index}]", entry if isinstance(entry, Mapping) else {}) for index, entry in enumerate(found)]


def required(value: Part, field: str, *names: str) -> Iterator[Problem]:
    """Fields that may not lack, nor be empty."""
    for name in names:
        if value.get(name) in (None, "", [], {}):
            yield Problem(f"{field}.{name}", REQUIRED)


def one_of(value: Part, field: str, name: str, allowed: Collection[str], default: str = "") -> Iterator[Problem]:
    """A text of a list of allowed ones; where there is a default it may lack."""
    given = value.get(name) or default
    if given not in allowed and (given or not default):
        supported = ", ".join(f'"{text}"' for text in allowed)
        yield Problem(f"{field}.{name}", f"Unsupported value: {short(given)}: supported values: {supported}")


def at_least(value: Part, field: str, bound: int, *names: str) -> Iterator[Problem]:
    """Numbers that may lack."""
    for name in names:
        given = value.get(name)
        if isinstance(given, int) and given < bound:
            yield Problem(f"{field}.{name}", f"Invalid value: {given}: must be greater than or equal to {bound}")


def unique(named: Iterable[tuple[str, Any]]) -> Iterator[Problem]:
    """Paths with the values that stand there; each value that came before is told."""
    seen: Counter[str] = Counter()
    for field, value in named:
        if value in (None, ""):
            continue
        seen[repr(value)] += 1
        if seen[repr(value)] > 1:
            yield Problem(field, f"Duplicate value: {short(value)}")


def label_name(value: Part, field: str, name: str = "name") -> Iterator[Problem]:
    """A name that is an RFC 1123 label."""
    given = value.get(name)
    if not isinstance(given, str) or not given:
        yield Problem(f"{field}.{name}", REQUIRED)
    elif len(given) > LABEL_LENGTH or not LABEL.fullmatch(given):
        yield Problem(f"{field}.{name}", f"Invalid value: {short(given)}: {LABEL_RULE}")


def object_name(value: Part, field: str, name: str = "name") -> Iterator[Problem]:
    """The name of another object, which may lack."""
    given = value.get(name)
    if isinstance(given, str) and given and (len(given) > SUBDOMAIN_LENGTH or not SUBDOMAIN.fullmatch(given)):
        yield Problem(f"{field}.{name}", f"Invalid value: {short(given)}: a lowercase RFC 1123 subdomain is wanted")


def only_one(value: Part, field: str, kinds: Collection[str]) -> Iterator[Problem]:
    """Exactly one of several ways is taken."""
    given = [kind for kind in kinds if value.get(kind) is not None]
    if not given:
        yield Problem(field, f"Required value: must specify one of {', '.join(kinds)}")
    for more in given[1:]:
        yield Problem(f"{field}.{more}", "Forbidden: may not specify more than 1 of them")
