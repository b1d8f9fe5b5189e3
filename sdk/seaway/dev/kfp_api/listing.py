"""Pages of a list: filtered by predicates, sorted, cut, as KFP's list calls ask."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from operator import eq, ne
from typing import Any

from seaway.dev.kfp_api.refusal import INVALID_ARGUMENT, Refusal

Document = dict[str, Any]
PAGE = 20  # of who asks for no size, as KFP has it
MOST = 200
VALUES = ("int_value", "long_value", "string_value", "timestamp_value", "int_values", "long_values", "string_values")

ALIASES = {"name": "display_name", "id": "run_id"}
NAMED: dict[str, Callable[[Any, Any], Any]] = {
    "EQUALS": eq,
    "NOT_EQUALS": ne,
    "GREATER_THAN": lambda value, wanted: str(value) > str(wanted),
    "GREATER_THAN_EQUALS": lambda value, wanted: str(value) >= str(wanted),
    "LESS_THAN": lambda value, wanted: str(value) < str(wanted),
    "LESS_THAN_EQUALS": lambda value, wanted: str(value) <= str(wanted),
    "IN": lambda value, wanted: value in (wanted or ()),
    "IS_SUBSTRING": lambda value, wanted: str(wanted).lower() in str(value).lower(),
}
NUMBERS = {1: "EQUALS", 2: "NOT_EQUALS", 3: "GREATER_THAN", 5: "GREATER_THAN_EQUALS", 6: "LESS_THAN"}
NUMBERS |= {7: "LESS_THAN_EQUALS", 8: "IN", 9: "IS_SUBSTRING"}  # of the protocol's enum, as kfp's client writes them
OPERATIONS: dict[str, Callable[[Any, Any], Any]] = NAMED | {
    str(number): NAMED[name] for number, name in NUMBERS.items()
}


def listed(name: str, found: Sequence[Document], query: Mapping[str, str]) -> Document:
    """The page of `found` that a query asks for, under `name`, with the token of the next.

    Raises:
        Refusal: the filter, the order or the token cannot be read.
    """
    kept = _sorted(_filtered(found, query.get("filter", "")), query.get("sort_by", ""))
    start = _start(query.get("page_token", ""))
    end = start + min(_size(query.get("page_size", "")), MOST)
    more = {"next_page_token": _token(end)} if end < len(kept) else {}
    return {name: kept[start:end], "total_size": len(kept), **more}


def _filtered(found: Sequence[Document], text: str) -> list[Document]:
    if not text:
        return list(found)
    try:
        predicates = json.loads(text).get("predicates", [])
    except (ValueError, AttributeError) as error:
        raise Refusal(INVALID_ARGUMENT, f"The filter is no JSON of predicates: {error}") from error
    return [one for one in found if all(_holds(one, _snake(predicate)) for predicate in predicates)]


def _snake(predicate: Mapping[str, Any]) -> Document:
    """Its keys as the protocol's JSON has them, whichever of its two ways was written."""
    return {"".join(f"_{c.lower()}" if c.isupper() else c for c in key): value for key, value in predicate.items()}


def _holds(one: Document, predicate: Document) -> bool:
    key, wanted = str(predicate.get("key")), next((predicate[name] for name in VALUES if name in predicate), None)
    value = one.get(ALIASES.get(key, key), "")
    wanted = wanted.get("values", []) if isinstance(wanted, dict) else wanted
    operation = str(predicate.get("operation", "EQUALS"))
    if operation not in OPERATIONS:
        raise Refusal(INVALID_ARGUMENT, f"The filter has the operation {operation!r}, which there is not.")
    return bool(OPERATIONS[operation](value, wanted))


def _sorted(found: list[Document], text: str) -> list[Document]:
    """By one field; the newest first where nothing is asked."""
    if not text:
        return sorted(found, key=lambda one: str(one.get("created_at", "")), reverse=True)
    field, _, way = text.partition(" ")
    field = ALIASES.get(field, field)
    if way not in ("", "asc", "desc"):
        raise Refusal(INVALID_ARGUMENT, f"The order {text!r} is none: write FIELD, FIELD asc or FIELD desc.")
    return sorted(found, key=lambda one: str(one.get(field, "")), reverse=way == "desc")


def _size(text: str) -> int:
    if text and not text.lstrip("-").isdecimal():
        raise Refusal(INVALID_ARGUMENT, f"page_size is {text!r}, which is no number.")
    size = int(text or 0)
    if size < 0:
        raise Refusal(INVALID_ARGUMENT, f"page_size is {size}; it must not be negative.")
    return size or PAGE


def _token(start: int) -> str:
    return base64.urlsafe_b64encode(f"from {start}".encode()).decode()


def _start(token: str) -> int:
    if not token:
        return 0
    try:
        word, _, number = base64.urlsafe_b64decode(token.encode()).decode().partition(" ")
    except ValueError:
        word, number = "", ""
    if word != "from" or not number.isdecimal():
        raise Refusal(INVALID_ARGUMENT, "The page_token is none that was given out.")
    return int(number)
