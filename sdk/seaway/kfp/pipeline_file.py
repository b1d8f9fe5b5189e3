"""A pipeline out of a Python file, as `kfp dsl compile --py` reads it: the file imports what lies beside it.

Nothing of it stays in this process: two files may each have a `helper.py` beside them, and a file may be called
`json.py`, without one getting the other's.
"""

import importlib.util
import os
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from kfp.dsl.base_component import BaseComponent
from kfp.dsl.graph_component import GraphComponent

from seaway.errors import InvalidSpec
from seaway.kfp.carried import refusing_constants
from seaway.storage import time_zones

MAIN = "pipeline"  # the variable that is meant where a file has several
Named = dict[str, BaseComponent]  # the variable of the file -> what it holds


def is_python(reference: str) -> bool:
    """Whether a pipeline is asked for as `file.py` or `file.py:name`."""
    return split(reference)[0].suffix == ".py"


def split(reference: str) -> tuple[Path, str]:
    """The file of a reference, and the name behind the colon; empty where there is none.

    A project's folder, written with a `/` or as `.`, stands for the `pipeline.py` in it.
    """
    project = Path(reference) / "pipeline.py"
    if (reference == "." or "/" in reference) and project.is_file():
        return project, ""
    file, _, name = reference.rpartition(":")
    return (Path(file), name) if file.endswith(".py") else (Path(reference), "")


def absolute(reference: str) -> str:
    """The same from any folder: the name of a pipeline as it is, a file by its whole path."""
    path, name = split(reference)
    if path.suffix not in {".py", ".yaml", ".yml"}:
        return reference
    return ":".join(filter(None, [str(path.absolute()), name]))


def let_steps_import(reference: str) -> None:
    """Let steps import what lies beside a pipeline's file, whose parameters may name it.

    Raises:
        InvalidSpec: no search path can name its folder, or a file there, or where steps run, hides a module of theirs.
    """
    _require_nothing_hidden(Path.cwd())
    if not is_python(reference):
        return
    _require_nothing_hidden(split(reference)[0].absolute().parent)
    folder = str(split(reference)[0].absolute().parent)
    if os.pathsep in folder and folder != str(Path.cwd()):
        raise InvalidSpec(
            f"{folder} has a {os.pathsep!r} in its name, which PYTHONPATH cannot carry, so steps could not import "
            f"what lies there. Run the pipeline from inside that folder, or rename it."
        )
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH", "")]))


def _require_nothing_hidden(folder: Path) -> None:
    """Refuse a file that a step would import in the place of a library's module, which this process has."""
    for place in sorted(folder.glob("*.py")) + sorted(init.parent for init in folder.glob("*/__init__.py")):
        if place.stem in sys.modules and _is_library(sys.modules[place.stem], folder):
            raise InvalidSpec(
                f"{place} has the name of a module that Python or Seaway needs: each step would import it in the place "
                "of that one, and could not start. Give it another name."
            )


def _is_library(module: ModuleType, beside: Path) -> bool:
    """Whether a module comes with Python or is installed; what is built in comes from no file, and is never hidden."""
    file = Path(getattr(module, "__file__", None) or os.sep)
    libraries = (sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))
    return not file.is_relative_to(beside) and any(file.is_relative_to(folder) for folder in libraries)


def load(reference: str) -> BaseComponent:
    """The pipeline that `file.py` or `file.py:name` names; a component where the file defines no pipeline.

    Raises:
        InvalidSpec: there is no such file or name, the file does not import, or defines several and none is named,
            nor called `pipeline`.
    """
    path, name = split(reference)
    if not path.is_file():
        raise InvalidSpec(f"{path.absolute()} does not exist.")
    found = _defined(path)
    return _named(path, name, found) if name else _only(path, found)


def _defined(path: Path) -> Named:
    """What a file defines: pipelines, else components; without those that it imports, unless there are no others."""
    with _imported(path) as module:
        named = {name: value for name, value in vars(module).items() if isinstance(value, BaseComponent)}
        pipelines = {name: value for name, value in named.items() if isinstance(value, GraphComponent)} or named
        own = {name: value for name, value in pipelines.items() if _function(value).__module__ == module.__name__}
        return own or pipelines


def _function(component: BaseComponent) -> Any:
    return getattr(component, "pipeline_func", None) or getattr(component, "python_func", None)


def _only(path: Path, found: Named) -> BaseComponent:
    different = {id(value): value for value in found.values()}
    if len(different) == 1:
        return next(iter(different.values()))
    if MAIN in found:
        return found[MAIN]
    if not found:
        raise InvalidSpec(f"{path} must define a pipeline (@dsl.pipeline); it defines none.")
    raise InvalidSpec(f"{path} defines {', '.join(found)}; say which: {path}:{next(iter(found))}.")


def _named(path: Path, name: str, found: Named) -> BaseComponent:
    """By its variable, or by the name that its author gave it."""
    for known, value in found.items():
        if name in (known, value.name):
            return value
    raise InvalidSpec(f"{path} defines no pipeline {name!r}; it defines: {', '.join(found) or 'none'}.")


@contextmanager
def _imported(path: Path) -> Iterator[ModuleType]:
    """The module of a file, with its folder first on the path; what it imported from there is forgotten afterwards."""
    folder, before = str(path.absolute().parent), dict(sys.modules)
    name = path.stem if path.stem not in sys.modules else f"_pipeline_{path.stem}"
    sys.path.insert(0, folder)
    try:
        with time_zones.heeded():
            module = _executed(name, path)
        yield module
    finally:
        sys.path.remove(folder)
        for one, module in list(sys.modules.items()):
            if one not in before and (one == name or _lies_in(module, folder)):
                del sys.modules[one]


def _lies_in(module: ModuleType, folder: str) -> bool:
    places = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]
    return any(place and Path(place).is_relative_to(folder) and "site-packages" not in place for place in places)


def _executed(name: str, path: Path) -> ModuleType:
    """The file's module, from its text: bytecode is known by size and second, so an edit might not be seen."""
    spec = importlib.util.spec_from_file_location(name, path.absolute())
    if spec is None:
        raise InvalidSpec(f"{path} cannot be imported as Python.")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        with refusing_constants():
            exec(compile(path.read_bytes(), str(path.absolute()), "exec"), vars(module))  # noqa: S102  # the user's own
    except InvalidSpec as error:
        raise InvalidSpec(f"{path} cannot be compiled: {error}") from error
    except (Exception, SystemExit) as error:  # the user's code may raise anything, and end as a script does
        why = " ".join(str(error).split()).rstrip(".")
        raise InvalidSpec(f"{path} cannot be imported: {type(error).__name__}: {why}.") from error
    return module
