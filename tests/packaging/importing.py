"""Imports every module of the installed packages; prints, as JSON, which of them lack which package."""

import contextlib
import importlib
import io
import json
import pkgutil

from seaway.errors import InvalidSpec

APART = ("seaway.model_server.kserve.", "seaway.model_server.mlserver.")  # programs of environments of their own
PACKAGES = ("seaway", "seaway_components", "seaway_pipelines", "seaway_examples")


def modules(package: str) -> list[str]:
    """The package and all below it; what runs as `python -m`, or apart, is no module to import."""
    folder = importlib.import_module(package).__path__
    names = [found.name for found in pkgutil.walk_packages(folder, f"{package}.", onerror=lambda name: None)]
    return [package, *(name for name in names if not name.endswith("__main__") and not name.startswith(APART))]


def lacking(module: str) -> str | None:
    """The package that importing the module asks for in vain."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            importlib.import_module(module)
    except (ModuleNotFoundError, InvalidSpec) as error:
        missing = error.__cause__ or error  # the registry of backends tells it in its own words
        if not isinstance(missing, ModuleNotFoundError):
            raise
        return missing.name
    return None


if __name__ == "__main__":
    found = {name: lacking(name) for package in PACKAGES for name in modules(package)}
    print(json.dumps(found))  # noqa: T201
