"""Seaway's settings for `kfp.dsl.component`: its image, and nothing installed at run time."""

import os
from collections.abc import Callable
from typing import Any

from kfp import dsl

from seaway.version import RUNTIME, VERSION

IMAGE = os.environ.get("SEAWAY_IMAGE", f"{RUNTIME}:{VERSION}")


def decorate(function: Callable[..., Any] | None, **settings: Any) -> Any:
    """Apply `dsl.component`; `settings` are its own and come before Seaway's."""
    return dsl.component(function, **{"base_image": IMAGE, "install_kfp_package": False, **settings})
