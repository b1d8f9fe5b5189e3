"""`seaway run --watch`: run again when code beside the pipeline has changed.

Each run is a process of its own, so that it reads the modules as they are now. What counts is a change of contents: an
event of the file system only says when to look, and so does a run's end, for what was saved while it ran.
"""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from rich.console import Console

from seaway.errors import InvalidSpec
from seaway.kfp.pipeline_file import split
from seaway.platforms.home import home

CODE = {".py", ".ipynb", ".yaml", ".yml", ".toml", ".sql"}
MADE = {"__pycache__", "node_modules"}
PROGRAM = (sys.executable, "-c", "from seaway.cli import main; main()")
SETTLED_MS = 200  # within which further saves belong to the same change
LOOK_MS = 5000  # after which files are looked at without an event: not every file system sends them
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SIGNAL_EXIT = 128  # a shell's convention: 128 + the signal's number
Contents = Mapping[Path, str]  # file -> hash


class _Runs:
    """Runs one after another, each in a process group of its own, so that it hears of a signal once.

    Attributes:
        ended: the signal that ends them, 0 until it arrives.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.ended = 0
        self._command = [*PROGRAM, *words]
        self._process: subprocess.Popen[bytes] | None = None
        self._busy = False

    def run(self) -> None:
        """One run, to its end, whatever that is: the next save may mend it. Raises: KeyboardInterrupt."""
        self._busy = True
        self._process = subprocess.Popen(self._command, process_group=0)
        if self.ended:  # while it was started
            self._process.send_signal(self.ended)
        self._process.wait()
        self._process, self._busy = None, False
        if self.ended:
            raise KeyboardInterrupt

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Pass signals on to the run, and end the block once that has ended; what is ignored stays so."""
        before = {number: signal.getsignal(number) for number in SIGNALS}
        heard = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
        for number in heard:
            signal.signal(number, self._handle)
        try:
            yield
        finally:
            for number in heard:
                signal.signal(number, before[number])

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.ended = number
        if not self._busy:
            raise KeyboardInterrupt
        if self._process:
            self._process.send_signal(number)


def run_and_watch(pipeline: str, words: Sequence[str]) -> int:
    """Run by the command line's `words`, and again at each change, until a signal; gives the exit code.

    Raises:
        InvalidSpec: the pipeline is no file, so that nothing of it can be saved.
    """
    file = split(pipeline)[0]
    if not file.is_file():
        raise InvalidSpec(f"--watch follows a pipeline's file or a project's folder, and {pipeline} is neither.")
    folder, shown = file.absolute().parent, Console(stderr=True, soft_wrap=True, markup=False, highlight=False)
    runs = _Runs(words)
    try:
        with runs.signals():
            while True:
                known = contents(folder)
                runs.run()
                shown.print(f"Watching {folder}; Ctrl-C ends it.")
                shown.print(f"Changed: {', '.join(wait_for_change(folder, known))}.")
    except KeyboardInterrupt:
        return SIGNAL_EXIT + runs.ended


def wait_for_change(folder: Path, known: Contents) -> list[str]:
    """Wait until the code of a folder is not what was known; gives the names of the files that are other, or gone."""
    from watchfiles import watch

    if changed := _differing(folder, known):
        return changed
    for _ in watch(
        folder, watch_filter=lambda _, path: is_code(folder, Path(path)), debounce=SETTLED_MS, rust_timeout=LOOK_MS,
        yield_on_timeout=True,
    ):  # fmt: skip
        if changed := _differing(folder, known):
            return changed
    raise AssertionError("it watches until it is interrupted")


def _differing(folder: Path, known: Contents) -> list[str]:
    now = contents(folder)
    return sorted(str(file.relative_to(folder)) for file in {*known, *now} if known.get(file) != now.get(file))


def contents(folder: Path) -> dict[Path, str]:
    """The code of a folder and what is below it."""
    return {file: _hash(file) for file in _files(folder)}


def _files(folder: Path) -> Iterator[Path]:
    for name, folders, files in os.walk(folder):
        folders[:] = [one for one in folders if _is_followed(folder, Path(name, one))]
        yield from (Path(name, one) for one in files if is_code(folder, Path(name, one)))


def _hash(file: Path) -> str:
    """Of what is there; nothing of a file that an editor is about to put in its place."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""


def is_code(folder: Path, file: Path) -> bool:
    """Whether it is a file of code as people write it: not hidden, and not what runs and tools make."""
    return file.suffix in CODE and _is_followed(folder, file)


def _is_followed(folder: Path, place: Path) -> bool:
    parts = place.relative_to(folder).parts
    hidden = any(part.startswith(".") or part in MADE for part in parts)
    return not hidden and not place.is_relative_to(home().absolute())
