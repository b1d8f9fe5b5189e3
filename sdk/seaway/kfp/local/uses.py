"""What a step's result depends on that is in no argument: the user's own modules that it reaches, and files it names.

Found without importing anything: by the imports and the references, such as `shop.source:read`, in the step's source,
in its arguments, and in each module so found. Libraries and Seaway's own code are not among them; see `cache.py`.
"""

import ast
import importlib.util
import json
import os
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

from seaway.errors import DataUnreadable
from seaway.notebooks.document import Document
from seaway.storage import sha256

OURS = {"seaway", "seaway_components", "seaway_examples", "seaway_pipelines", "kfp"}
REFERENCE = re.compile(r"([A-Za-z_]\w*)(?:\.\w+)*(?::\w+)?")
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]+")  # as code names one of its environment
FILE_URI = "file://"
NOTEBOOK = re.compile(r'\A\s*\{.*"nbformat"', re.DOTALL)
SMALL_BYTES = 1 << 20  # up to which a file beside code is known by its content; beyond by size and time
LONGEST_NAME = 255  # bytes that a file system takes
MOST_FILES = 10_000  # of a folder that an argument names


def versions(source: str, texts: Iterable[str]) -> dict[str, str]:
    """File or folder -> its version, for a step of that source and with these texts among its arguments."""
    given = list(texts)
    words = [word for text in given for word in _words(text)]
    found = _modules([*_imports(source), *_referred([*words, *_constants(source)]), *_imports_of_notebooks(given)])
    files = {file: _version(file) for module in found for file in _files(module)}
    constants = [*_constants(source), *(text for file in files for text in _constants(_source(file)))]
    beside = [text for file in files for text in _beside(Path(file).parent, _constants(_source(file)))]
    named = [*filter(_is_path, words), *(text for text in constants if _is_file(text)), *beside]
    variables = {
        f"variable {name}": os.environ[name] for name in constants if VARIABLE.fullmatch(name) and name in os.environ
    }
    return {**files, **{text: _version_of_data(Path(text)) for text in named}, **variables}


def _modules(names: Iterable[str]) -> list[Path]:
    """The user's top modules of these names, and of what they import and refer to in turn."""
    pending, found = list(dict.fromkeys(names)), dict[str, list[Path]]()
    while pending:
        name = pending.pop()
        if name in found:
            continue
        found[name] = _user_places(name)
        for source in _sources(found[name]):
            pending += [*_imports(source), *_referred(_constants(source))]
    return [place for places in found.values() for place in places]


def _sources(places: Iterable[Path]) -> list[str]:
    return [_source(file) for place in places for file in _files(place)]


def _source(file: str) -> str:
    """The text of a Python file; empty for any other."""
    return Path(file).read_text(encoding="utf-8", errors="replace") if file.endswith(".py") else ""


def _beside(folder: Path, constants: Sequence[str]) -> Iterator[str]:
    """Files that a module may name by where it lies, as in `Path(__file__).parent / "data" / "rows.csv"`."""
    inside = [folder / text for text in constants if _is_name(text) and (folder / text).is_dir()]
    for place in (folder, *inside):
        yield from (str(file) for text in constants if _is_name(text) and (file := place / text).is_file())


def _is_name(text: str) -> bool:
    return 0 < len(text) <= LONGEST_NAME and "\0" not in text and "\n" not in text and not text.startswith("/")


def _user_places(name: str) -> list[Path]:
    """Where the top module of that name lies, its folder or its file; none where it is a library."""
    if name in OURS or name in sys.stdlib_module_names:
        return []
    spec = _spec(name)
    if spec is None:
        return []
    places = list(spec.submodule_search_locations or [spec.origin or ""])
    return [Path(place) for place in places if place and not _is_library(Path(place))]


def _spec(name: str) -> ModuleSpec | None:
    """As a step finds it: in the folder that it runs in, on PYTHONPATH, and among what is installed."""
    here = [str(Path.cwd()), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    try:
        return PathFinder.find_spec(name, here) or importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None


@cache
def _libraries() -> tuple[Path, ...]:
    return tuple({Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib")})


def _is_library(place: Path) -> bool:
    return not place.exists() or any(place.resolve().is_relative_to(folder) for folder in _libraries())


def _files(place: Path) -> list[str]:
    """A module's file, or all that lies in a package's folder."""
    if place.is_file():
        return [str(place)]
    return sorted(str(file) for file in _below(place) if "__pycache__" not in file.parts)


def _below(folder: Path) -> Iterator[Path]:
    """The files of a folder, also behind links, but none twice."""
    seen = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        yield from (file for name in files if (file := Path(place, name)).is_file())


def _version(file: str) -> str:
    return sha256(Path(file)) if Path(file).stat().st_size <= SMALL_BYTES else _version_of_data(Path(file))


def _version_of_data(path: Path) -> str:
    """Size and times of a file, or of each in a folder; who sets back when it was written does not when it changed."""
    files = [path] if path.is_file() else sorted(_below(path))[:MOST_FILES]
    told = [(str(file), (stat := file.stat()).st_size, stat.st_mtime_ns, stat.st_ctime_ns) for file in files]
    return str(told)


def _imports(source: str) -> Iterator[str]:
    """The top modules that a source imports, wherever in it."""
    for node in _nodes(source):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
        elif isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)


def _imports_of_notebooks(texts: Iterable[str]) -> Iterator[str]:
    """The top modules that notebooks import which are named among the texts, or are one."""
    for text in texts:
        if NOTEBOOK.search(text) or (text.endswith(".ipynb") and _is_file(text)):
            try:
                yield from _imports(Document.read(text).code)
            except DataUnreadable:
                continue


def _constants(source: str) -> list[str]:
    return [node.value for node in _nodes(source) if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def _words(text: str) -> Iterator[str]:
    """A text; what a `file://` names; and the texts inside one that is JSON."""
    yield text.removeprefix(FILE_URI)
    if text[:1] in ("{", "["):
        try:
            yield from (word for inner in texts_of(json.loads(text)) for word in _words(inner))
        except (ValueError, RecursionError):
            return


def texts_of(value: Any) -> Iterator[str]:
    """Every text of a JSON value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        yield from (
            text for inner in (value.values() if isinstance(value, Mapping) else value) for text in texts_of(inner)
        )


def _nodes(source: str) -> Iterator[ast.AST]:
    try:
        yield from ast.walk(ast.parse(source))
    except (SyntaxError, ValueError):
        return


def _referred(texts: Iterable[str]) -> list[str]:
    """The top modules of texts that may be references."""
    return [found[1] for text in texts if (found := REFERENCE.fullmatch(text))]


def _is_path(text: str) -> bool:
    """Whether a text names a file, or with a slash a folder: a word may be a folder's name by chance."""
    try:
        return Path(text).is_file() or (os.sep in text and Path(text).is_dir())
    except (OSError, ValueError):
        return False


def _is_file(text: str) -> bool:
    return _is_path(text) and Path(text).is_file()
