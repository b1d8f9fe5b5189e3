"""Does a test fall for each line that is wrong? `python -m tools.mutants [WORD ...]` (`make mutants`).

Each mutation of `tools.mutations` is made alone, in a copy of the project, and the tests that it names are run there,
two mutations at a time. A mutant that lives is a test that is missing. Words choose mutations by file and reason.
"""

import itertools
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

from rich.console import Console

from tools.mutations import MUTATIONS, Mutation

ROOT = Path(__file__).parents[1]
AT_ONCE = 2
LATER = itertools.count(2)  # seconds
TEST_S = 120  # a mutant that hangs is noticed, too
OPTIONS = (
    "-q", "-rfE", "-p", "no:cacheprovider", "-p", "no:faker", "-p", "no:xdist", "--hypothesis-profile=unshrunk",
    "-o", "addopts=--strict-markers --import-mode=importlib", "-o", f"timeout={TEST_S}",
)  # fmt: skip
FELL = re.compile(r"^(?:FAILED|ERROR) \S*?(\w+\.py::\w+)", re.MULTILINE)  # no file that cannot be imported
PASSED = 0  # pytest's exit code
NONE_SKIPPED = re.compile(r"^\d+ passed(?!.*skipped)", re.MULTILINE)
CAUGHT = "caught"


@dataclass(frozen=True)
class Verdict:
    """What became of a mutation; `said` is the test that fell, or why none could."""

    mutation: Mutation
    outcome: str
    said: str
    seconds: float


@dataclass(frozen=True)
class Tree:
    """A copy of the project, whose code its tests import."""

    root: Path

    def test(self, *arguments: str) -> tuple[int, str]:
        """Exit code and output of pytest."""
        environment = {**os.environ, "PYTHONPATH": str(self.root / "sdk")}
        command = [sys.executable, "-m", "pytest", *OPTIONS, *arguments]
        done = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    @contextmanager
    def mutated(self, mutation: Mutation) -> Iterator[None]:
        """With the one line wrong, at a time of its own: bytecode is known by second and size."""
        file = self.root / mutation.file
        source, times = file.read_text(encoding="utf-8"), file.stat()
        file.write_text(source.replace(mutation.old, mutation.new), encoding="utf-8")
        os.utime(file, (times.st_atime, times.st_mtime + next(LATER)))
        try:
            yield
        finally:
            file.write_text(source, encoding="utf-8")
            os.utime(file, (times.st_atime, times.st_mtime))

    def judge(self, mutation: Mutation) -> Verdict:
        began = time.monotonic()
        with self.mutated(mutation):
            code, output = self.test("-x", *mutation.tests)
        fell = FELL.findall(output)
        if fell:
            outcome, said = CAUGHT, fell[0]
        elif code == PASSED:
            outcome, said = "ALIVE", " ".join(mutation.tests)
        else:
            outcome, said = "BROKEN", output[-600:]
        return Verdict(mutation, outcome, said, time.monotonic() - began)


@contextmanager
def trees(count: int) -> Iterator["SimpleQueue[Tree]"]:
    """Copies of what git knows of, with what is not committed yet."""
    git = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(git, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    free = SimpleQueue[Tree]()
    with TemporaryDirectory(prefix="seaway-mutants-") as folder:
        for number in range(count):
            root = Path(folder) / str(number)
            for name in filter(lambda name: name and (ROOT / name).is_file(), listed):
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, root / name)
            free.put(Tree(root))
        yield free


def misplaced(mutations: Sequence[Mutation]) -> list[str]:
    """Mutations of no line, or of several."""
    counts = [(one, (ROOT / one.file).read_text(encoding="utf-8").count(one.old)) for one in mutations]
    return [f"{one.file} has {one.old!r} {count} times, not once" for one, count in counts if count != 1]


def unsound(mutations: Sequence[Mutation], free: "SimpleQueue[Tree]") -> list[str]:
    """What is said by tests that fail, or are skipped, where nothing is wrong."""
    named = {test for one in mutations for test in one.tests}
    layers = [sorted(test for test in named if test.split("/")[1] == layer) for layer in ("unit", "apiserver", "local")]

    def run(tests: list[str]) -> str:
        tree = free.get()
        code, output = tree.test("-rs", *tests)
        free.put(tree)
        return "" if code == PASSED and NONE_SKIPPED.search(output) else output[-3000:]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [said for said in pool.map(run, filter(None, layers)) if said]


def judged(mutations: Sequence[Mutation], free: "SimpleQueue[Tree]") -> Iterator[Verdict]:
    def one(mutation: Mutation) -> Verdict:
        tree = free.get()
        try:
            return tree.judge(mutation)
        finally:
            free.put(tree)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(one, mutations)


def row(*cells: object) -> str:
    """A line of the table."""
    return "{:<9}{:>5}  {:<44}{:<58}{}".format(*cells)


def main(words: Sequence[str]) -> int:
    """The number of mutants that no test has caught."""
    show = partial(Console().print, markup=False, highlight=False, soft_wrap=True)
    chosen = [one for one in MUTATIONS if not words or any(word in f"{one.file} {one.why}" for word in words)]
    alive = 0
    with trees(AT_ONCE) as free:
        if faults := misplaced(chosen) or unsound(chosen, free):
            show("The mutants cannot be judged:", *faults, sep="\n")
            return len(faults)
        show(row("", "s", "file", "what is wrong", "the test that falls"))
        for one in judged(chosen, free):
            alive += one.outcome != CAUGHT
            file = one.mutation.file.removeprefix("sdk/seaway/").removeprefix("platforms/")
            show(row(one.outcome, f"{one.seconds:.0f}", file, one.mutation.why, one.said))
    show(f"{len(chosen) - alive} of {len(chosen)} mutants are caught")
    return alive


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
