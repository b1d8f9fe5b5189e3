"""What a step reads while it runs, by Python's own audit events: it cannot be told from its source alone.

Any Python runs this, so it imports nothing but the standard library. A step that is forked calls `watch`; one that
starts afresh is started as `python reads.py FILE MODULE ARGUMENT ...`. Each line of the file is a JSON list: how, and
an absolute path. What C code opens without Python, such as Arrow, is not among it.
"""

import importlib.util
import json
import os
import runpy
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

READ, LISTED, WRITTEN = "read", "listed", "written"
WRITING = os.O_WRONLY | os.O_RDWR
PACKAGES = "-packages/"  # in the path of each library
LOOKING = ("importlib", "pkgutil", "pkg_resources", "setuptools", "<frozen")  # for modules, in every folder there is
Event = tuple[str, str]  # how, and a path


def file_of(log: Path) -> Path:
    """Where the step of that log tells what it reads."""
    return log.with_suffix(".reads")


def watch(file: Path) -> None:
    """From now on write what this process reads, and what it forks; an audit hook stays to the end."""
    log, library = str(file), os.__file__.removesuffix("os.py")
    seen: set[Event] = {(WRITTEN, log)}

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in EVENTS:
            return
        try:
            for how, path in EVENTS[event](arguments):
                told = how, os.path.abspath(path)  # noqa: PTH100 - links are read as what they are now
                if told not in seen and PACKAGES not in told[1] and not told[1].startswith(library):
                    seen.add(told)
                    _append(log, told)
        except Exception:  # noqa: BLE001, S110 - what is raised here would end what the step does
            pass

    sys.addaudithook(hook)


def _append(log: str, told: Event) -> None:
    """By its name each time: who is forked may have closed all that was open."""
    target = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(target, json.dumps(told).encode() + b"\n")
    finally:
        os.close(target)


def _opened(arguments: tuple[Any, ...]) -> Iterator[Event]:
    path, _, flags = arguments
    if isinstance(path, str | bytes | os.PathLike):
        yield WRITTEN if flags & WRITING else READ, _source(os.fsdecode(path))


def _source(path: str) -> str:
    """The source of a module whose bytecode is read."""
    return importlib.util.source_from_cache(path) if path.endswith(".pyc") and "__pycache__" in path else path


def _listed(arguments: tuple[Any, ...]) -> Iterator[Event]:
    path = "." if arguments[0] is None else arguments[0]
    if isinstance(path, str | bytes | os.PathLike) and not _looks_for_modules():
        yield LISTED, os.fsdecode(path)


def _looks_for_modules() -> bool:
    caller = sys._getframe(3).f_code.co_filename  # of the hook, which calls `_listed`
    return any(part in caller for part in LOOKING)


def _connected(arguments: tuple[Any, ...]) -> Iterator[Event]:
    yield from ((READ, path) for path in _files([arguments[0]]))


def _started(arguments: tuple[Any, ...]) -> Iterator[Event]:
    """Files that another program is given."""
    command = arguments[1] if len(arguments) > 1 else arguments[0]
    yield from ((READ, path) for path in _files([command] if isinstance(command, str | bytes) else command))


def _files(words: Iterable[Any]) -> Iterator[str]:
    for word in words:
        text = os.fsdecode(word)
        yield from (part for part in dict.fromkeys((text, *_split(text))) if Path(part).is_file())


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


EVENTS: dict[str, Callable[[tuple[Any, ...]], Iterator[Event]]] = {
    "open": _opened,
    "os.listdir": _listed,
    "os.scandir": _listed,
    "sqlite3.connect": _connected,
    "subprocess.Popen": _started,
    "os.system": _started,
    "os.exec": _started,
    "os.posix_spawn": _started,
    "ctypes.dlopen": _connected,
}


def main(words: list[str]) -> None:
    """Run a module as `python -m MODULE` does, watched."""
    file, module, *arguments = words
    if Path(sys.path[0]) == Path(__file__).parent:  # not so with -P
        sys.path[0] = str(Path.cwd())
    sys.argv = [module, *arguments]
    watch(Path(file))
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
