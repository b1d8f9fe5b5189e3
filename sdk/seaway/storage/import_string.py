"""Objects found by name."""

import importlib
from typing import Any

from seaway.errors import InvalidSpec
from seaway.extras import advice
from seaway.storage import time_zones


def load_object(reference: str) -> Any:
    """Import `package.module:attribute`.

    Raises:
        InvalidSpec: the reference has another form, or module or attribute do not exist.
    """
    module_name, colon, attribute = reference.partition(":")
    if not colon or not module_name or not attribute:
        raise InvalidSpec(f"{reference!r} is not of the form 'package.module:attribute'.")
    try:
        with time_zones.heeded():
            module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        what_to_do = advice(error.name) or "Is its folder on PYTHONPATH?"
        raise InvalidSpec(f"{reference!r} cannot be imported: {error}. {what_to_do}") from error
    except Exception as error:
        raise InvalidSpec(
            f"{reference!r} cannot be imported: {type(error).__name__}: {error}.{_hint(error)}"
        ) from error
    try:
        return getattr(module, attribute)
    except AttributeError as error:
        raise InvalidSpec(f"Module {module_name!r} has no {attribute!r}.") from error


def _hint(error: Exception) -> str:
    """In a step, kfp has no words for pipelines, so that a file with one cannot be imported there."""
    if isinstance(error, AttributeError) and getattr(error.obj, "__name__", "") == "kfp.dsl":
        return " A step cannot import a file that has pipelines or components; keep what steps import in another file."
    return ""
