"""What the API server would say of a field."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from seaway.platforms.kubernetes.client.resources import Manifest

SHOWN = 60  # characters of a wrong value
PLAIN = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Problem:
    """A field's path, as kubectl writes it, and what the server says of it."""

    field: str
    says: str

    def __str__(self) -> str:
        return f"{self.field}: {self.says}"


Rule = Callable[[Manifest], Iterable[Problem]]


def path_text(parts: Iterable[str | int]) -> str:
    """`spec.containers[0].image`, with brackets around names that hold dots or slashes."""
    text = ""
    for part in parts:
        if isinstance(part, int) or not PLAIN.fullmatch(str(part)):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else str(part)
    return text


def short(value: Any) -> str:
    """A value as a message shows it."""
    text = f'"{value}"' if isinstance(value, str) else repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
