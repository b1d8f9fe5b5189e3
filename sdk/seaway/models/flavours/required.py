"""Imports of what loads a flavour, told with the extra that brings it where it is not installed."""

from collections.abc import Iterator
from contextlib import contextmanager

from seaway.errors import InvalidSpec
from seaway.extras import advice


@contextmanager
def required(flavour: str) -> Iterator[None]:
    """Raises: InvalidSpec: what is imported within is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise InvalidSpec(f"A model of the flavour {flavour} cannot be read: {error}. {advice(error.name)}") from error
