"""Forms: a field for each parameter, and what was written into them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

from seaway.kfp.interface import Port

MOST_BYTES = 1 << 20
MOST_FIELDS = 1000


@dataclass(frozen=True)
class Field:
    """One input of a form."""

    name: str
    type: str
    text: str
    required: bool
    help: str

    @property
    def kind(self) -> str:
        """Which control it is."""
        if self.type == "bool":
            return "choice"
        return "area" if self.type in ("list", "dict") or "\n" in self.text else "line"


async def read(request: Request) -> dict[str, str]:
    """The fields of a form that was sent; of two with one name the last. Raises: HTTPException: it is too large."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise HTTPException(413, "The form is too large.")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError as error:
        raise HTTPException(400, f"The form cannot be read: {error}.") from error


def fields(ports: Sequence[Port], values: Mapping[str, Any]) -> list[Field]:
    """A field for each parameter, with the value given or the default."""
    return [_field(port, values.get(port.name, None if port.required else port.default)) for port in ports]


def arguments(ports: Sequence[Port], texts: Mapping[str, str]) -> dict[str, str]:
    """What is passed on: a field that was left empty where there is a default means that default."""
    kinds = {port.name: port for port in ports}
    return {name: text for name, text in texts.items() if text or _takes_empty(kinds.get(name))}


def _takes_empty(port: Port | None) -> bool:
    """Whether an empty text is a value: of a text whose default it is not."""
    return port is not None and port.type == "str" and not port.required and bool(port.default)


def _field(port: Port, value: Any) -> Field:
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    return Field(port.name, port.type, text, port.required, port.description)
