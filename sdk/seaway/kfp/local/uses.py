"""What a step's result depends on that is in no argument: the user's own modules that it reaches, and files it names.

Found without importing anything: by the imports and the references, such as `shop.source:read`, in the step's source,
in its arguments, and in each module so found. Libraries and Seaway's own code are not among them; see `cache.py`.
"""

import ast
import glob
import importlib.util
import json
import os
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from itertools import islice
from pathlib import Path
from typing import Any

from seaway.errors import DataUnreadable
from seaway.notebooks.document import Document
from seaway.storage import sha256

OURS = {"seaway", "seaway_components", "seaway_examples", "seaway_pipelines", "kfp"}
REFERENCE = re.compile(r"([A-Za-z_]\w*)(?:\.\w+)*(?::\w+)?")
VARIABLE = re.compile(r"[A-Za-z]\w+")  # as code names one of its environment
FILE_URI = re.compile(r"file://(?:localhost)?(/[^\s#]+)")
NOTEBOOK = re.compile(r'\A\s*\{.*"nbformat"', re.DOTALL)
BETWEEN = re.compile(r"[\s,;|:=]+")  # several paths in one text, or what they are for
LONGEST_TEXT = 4096  # that may name files
SMALL_BYTES = 1 << 20  # up to which a file beside code is known by its content; beyond by size and time
LONGEST_NAME = 255  # bytes that a file system takes
MOST_FILES = 10_000  # of a folder that an argument names


def versions(source: str, texts: Iterable[str]) -> dict[str, str]:
    """File or folder -> its version, for a step of that source and with these texts among its arguments."""
    given = list(texts)
    words = [word for text in given for word in _words(text)]
    scripts = [text for text in (*words, *_constants(source)) if text.endswith(".py") and _is_file(text)]
    notebooks = list(_notebooks(given))
    sources = [source, *map(_source, scripts), *(notebook.code for notebook in notebooks)]
    imported = [name for text in sources for name in _imports(text)]
    referred = _referred([*words, *(one for text in sources for one in _constants(text))])
    folders = [
        *(Path(script).parent.absolute() for script in scripts),
        *(one.folder for one in notebooks if one.folder),
    ]
    found = _modules([*imported, *referred], list(dict.fromkeys(map(str, folders))))
    files = {file: version(file) for module in found for file in _files(module)}
    constants = [one for text in (source, *map(_source, (*files, *scripts))) for one in _constants(text)]
    beside = [text for file in files for text in _beside(Path(file).parent, _constants(_source(file)))]
    beside += [text for notebook in notebooks for text in _beside_notebook(notebook)]
    data = dict.fromkeys([*_data(words, bare=True), *_data(constants, bare=False), *beside])
    variables = {f"variable {name}": os.environ[name] for name in (*words, *constants) if _is_variable(name)}
    return {**files, **{text: _version_of_data(text) for text in data if text not in files}, **variables}


def _is_variable(name: str) -> bool:
    return VARIABLE.fullmatch(name) is not None and name in os.environ


def _modules(names: Iterable[str], places: Sequence[str] = ()) -> list[Path]:
    """The user's top modules of these names, and of what they import and refer to in turn; also those in `places`."""
    pending, found = list(dict.fromkeys(names)), dict[str, list[Path]]()
    while pending:
        name = pending.pop()
        if name in found:
            continue
        found[name] = _user_places(name, places)
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


def _user_places(name: str, beside: Sequence[str]) -> list[Path]:
    """Where the top module of that name lies, its folder or its file; none where it is a library."""
    if name in OURS or name in sys.stdlib_module_names:
        return []
    spec = _spec(name, beside)
    if spec is None:
        return []
    places = list(spec.submodule_search_locations or [spec.origin or ""])
    return [Path(place) for place in places if place and not _is_library(Path(place))]


def _spec(name: str, beside: Sequence[str]) -> ModuleSpec | None:
    """As a step finds it: `beside` a script, in the folder that it runs in, on PYTHONPATH, among what is installed."""
    here = [*beside, str(Path.cwd()), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
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


def version(file: str) -> str:
    """Of a small file its content, of a large one its size and times."""
    return sha256(Path(file)) if Path(file).stat().st_size <= SMALL_BYTES else _version_of_data(file)


def _version_of_data(name: str) -> str:
    """Size and times of a file, of each in a folder, or of those that a pattern is for.

    Who sets back when a file was written does not set back when it changed.
    """
    path = Path(name)
    found = [path] if path.is_file() else islice(_below(path), MOST_FILES) if path.is_dir() else _matching(name)
    told = [(str(file), (stat := file.stat()).st_size, stat.st_mtime_ns, stat.st_ctime_ns) for file in sorted(found)]
    return str(told)


def _matching(pattern: str) -> list[Path]:
    return [path for text in islice(glob.iglob(pattern), MOST_FILES) if (path := Path(text)).is_file()]  # noqa: PTH207


def _imports(source: str) -> Iterator[str]:
    """The top modules that a source imports, wherever in it."""
    for node in _nodes(source):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
        elif isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)


def _notebooks(texts: Iterable[str]) -> Iterator[Document]:
    """Notebooks that are named among the texts, or are one; their kernels are not seen to read."""
    for text in texts:
        if NOTEBOOK.search(text) or (text.endswith(".ipynb") and _is_file(text)):
            try:
                yield Document.read(text)
            except DataUnreadable:
                continue


def _beside_notebook(notebook: Document) -> Iterator[str]:
    """Files that its code names, from where it runs."""
    texts = _constants(notebook.code)
    yield from (text for text in texts if _is_file(text))
    if notebook.folder:
        yield from _beside(notebook.folder, texts)


def _constants(source: str) -> list[str]:
    return [node.value for node in _nodes(source) if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def _words(text: str) -> Iterator[str]:
    """A text; what it names by `file://`; and the texts inside one that is JSON."""
    yield text
    yield from FILE_URI.findall(text)
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


def _data(texts: Iterable[str], *, bare: bool) -> Iterator[str]:
    """The files, folders and patterns of files that texts name; a folder without a slash where it may be `bare`."""
    for text in texts:
        if not _may_name(text):
            continue
        whole = os.path.expanduser(os.path.expandvars(text))  # noqa: PTH111 - which raises where there is no home
        for one in dict.fromkeys((whole, *BETWEEN.split(whole))):
            yield from _named(one, bare)


def _named(text: str, bare: bool) -> Iterator[str]:
    if _is_file(text) or _is_folder(text, bare=bare):
        yield text
    elif glob.has_magic(text) and text.strip("*"):
        fixed = glob.escape(text).partition("[")[0].rpartition(os.sep)[0]
        folder = fixed or (os.sep if text.startswith(os.sep) else ".")
        if _is_folder(folder, bare=True):
            yield folder
        elif Path(folder).resolve() == Path.cwd() and _matching(text):
            yield text


def _may_name(text: str) -> bool:
    return 0 < len(text) <= LONGEST_TEXT and "\0" not in text


def _is_file(text: str) -> bool:
    try:
        return _may_name(text) and Path(text).is_file()
    except (OSError, ValueError):
        return False


def _is_folder(text: str, *, bare: bool) -> bool:
    """Whether a text names a folder of data: none that the step runs in, such as `/` or `.`."""
    try:
        return (bare or os.sep in text) and bool(text) and Path(text).is_dir() and not _holds_us(Path(text))
    except (OSError, ValueError):
        return False


def _holds_us(folder: Path) -> bool:
    return Path.cwd().is_relative_to(folder.resolve())
