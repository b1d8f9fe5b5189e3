"""The component decorator, the catalogue, and the local run.

Importing this package does not import kfp (seconds): the command line lists and shows components without it.
"""

from collections.abc import Callable
from typing import Any

__all__ = ["component"]


def component(function: Callable[..., Any] | None = None, **settings: Any) -> Any:
    """Make a KFP component of a function: `kfp.dsl.component` with Seaway's image and nothing installed at run time.

    Args:
        function: The component's function; its source text is what runs, so it imports inside its body.
        settings: Any setting of `kfp.dsl.component`, as in `@component(base_image="...")`.
    """
    from seaway.kfp.decorator import decorate

    return decorate(function, **settings)
