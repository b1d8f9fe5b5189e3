"""Objects found by name."""

import importlib
from typing import Any

from seaway.errors import InvalidSpec
from seaway.extras import advice


def load_object(reference: str) -> Any:
    """Import `package.module:attribute`.

    Raises:
        InvalidSpec: the reference has another form, or module or attribute do not exist.
    """
    module_name, colon, attribute = reference.partition(":")
    if not colon or not module_name or not attribute:
        raise InvalidSpec(f"{reference!r} is not of the form 'package.module:attribute'.")
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except ModuleNotFoundError as error:
        what_to_do = advice(error.name) or "Is its folder on PYTHONPATH?"
        raise InvalidSpec(f"{reference!r} cannot be imported: {error}. {what_to_do}") from error
    except AttributeError as error:
        raise InvalidSpec(f"Module {module_name!r} has no {attribute!r}.") from error
