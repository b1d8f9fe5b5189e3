"""Import Feast in a third of its time.

Two thirds of `import feast` (0.67) go to typeguard, which recompiles each of Feast's classes to check the types of
arguments at run time, and to torch, which is wanted only by `to_tensor`. While Feast is imported here, and only then,
`typeguard.typechecked` leaves classes as they are and torch is put off until it is asked for. Given up are Feast's
run-time checks of argument types; its own validation of definitions stays. A Feast that was imported before is left
as it is.
"""

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

Target = TypeVar("Target")


class _LateTorch:
    """What `feast.torch_wrapper.get_torch` returns: torch, imported when something of it is used."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module("torch"), name)


def import_feast() -> None:
    """Import Feast unless it has been imported; the importing thread should be the only one that imports."""
    if "feast" in sys.modules:
        return
    with _unchecked_types(), _absent_torch():
        importlib.import_module("feast")


@contextmanager
def _unchecked_types() -> Iterator[None]:
    import typeguard

    checked = typeguard.typechecked
    typeguard.typechecked = _as_it_is  # type: ignore[assignment]
    try:
        yield
    finally:
        typeguard.typechecked = checked


def _as_it_is(target: Target) -> Target:
    return target


@contextmanager
def _absent_torch() -> Iterator[None]:
    if "torch" in sys.modules:
        yield
        return
    sys.modules["torch"] = None  # type: ignore[assignment]  # how Python marks a module that cannot be imported
    try:
        yield
    finally:
        del sys.modules["torch"]
    wrapper = importlib.import_module("feast.torch_wrapper")
    if importlib.util.find_spec("torch"):
        vars(wrapper).update(_torch=_LateTorch(), TORCH_AVAILABLE=True)
