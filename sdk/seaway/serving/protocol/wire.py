"""Which form a request has, by what its headers say."""

from collections.abc import Callable

from seaway.serving.protocol import binary, grpc_messages
from seaway.serving.protocol.codecs import Json, Protobuf
from seaway.serving.protocol.other_servers import FORMS

Wire = Json | Protobuf


def wire(header: Callable[[str], str | None]) -> Wire:
    """The form of a request, and of its answer."""
    kind = header("content-type")
    if kind == grpc_messages.CONTENT_TYPE:
        return Protobuf()
    other = FORMS.get(kind or "")
    return other() if other else Json(header(binary.HEADER))
