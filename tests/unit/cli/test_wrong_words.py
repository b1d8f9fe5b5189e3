"""No words that are given to any command end in a traceback, nor take longer than a look at them."""

import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import kfp  # noqa: F401 - whole, before a command imports the part of it that it needs
import pytest
import typed_commands
import typer.main
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from seaway.cli import FAULT, main

FILES = {
    "bad.py": b"1/0\n", "binary": b"\xff\x00PAR1\xfe", "empty": b"", "table.csv": b"a,b\n1,2\n", "half.json": b"[1,{",
    "list.json": b"[]", "deep.json": b"[" * 5000, "pod.yaml": b"kind: Pod\n", "list.yaml": b"- 1\n",
    "root.yaml": b"pipelineInfo: {name: x}\nroot: 3\n",
    "lost.yaml": b"pipelineInfo: {name: x}\nroot: {dag: {tasks: {a: {componentRef: {name: no}}}}}\n"
    b"components: {}\ndeploymentSpec: {}\nschemaVersion: 2.1.0\n",
}  # fmt: skip
WORDS = [
    *FILES, "", "x", "-", "--", "=", "a=b", "a=", "=b", "..", "/dev/null", "folder", "folder/link", "bad.py:x", "loop",
    "no.yaml", "no.py", "a:b:c", "http://", "http://[", "https://127.0.0.1:1", "s3://", "s3://x/y", "file://x",
    "postgresql://", "sqlite:///no", "sqlite:///binary", "x" * 5000, "\udcff", "ü\n", "%s{}", "[/x]", "0", "-1",
    "1e999", "nan", "null", "{}", '{"a": [[1]]}', "[[[", "\x1b[31m", "a b", "9" * 400,
]  # fmt: skip
DONE = {
    ("manifests",),
    ("dev",),
}  # writes all pipelines, serves for ever: a word more than they take keeps them from it


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        if not hasattr(command, "commands") or command.invoke_without_command:
            yield (*path, name), command


COMMANDS = dict(commands(typed_commands.root()))


@pytest.fixture
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of odd files, where no cluster can be reached."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(typer.main, "get_command", lambda _: typed_commands.root())  # made once: it takes the most time
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KUBECONFIG", "/nonexistent")
    monkeypatch.setenv("SEAWAY_PLATFORM", "local")  # restored, whatever a command sets
    for name, content in FILES.items():
        Path(name).write_bytes(content)
    Path("folder").mkdir()
    Path("folder/link").symlink_to("/proc/1/cwd")
    Path("loop").symlink_to("loop")


def words(path: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    """Arguments and some options of a command, each with any of the words."""
    word, parts = st.sampled_from(WORDS), []
    for one in COMMANDS[path].params:
        if one.param_type_name == "argument":
            parts.append(st.one_of(word.map(lambda text: [text]), st.just([])))
        elif one.name != "help":
            said = st.just([one.opts[0]]) if one.is_flag else st.tuples(st.just(one.opts[0]), word).map(list)
            parts.append(said if one.required else st.one_of(st.just([]), st.just([]), said))
    more = ["more"] if path in DONE else []
    return st.tuples(*parts).map(lambda found: [*chain.from_iterable(found), *more])


@pytest.mark.usefixtures("_here")
@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_they_are_told_in_a_paragraph(path: tuple[str, ...], capfd: pytest.CaptureFixture[str]) -> None:
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(words(path))
    def try_words(given_words: list[str]) -> None:
        sys.argv = ["seaway", *path, *given_words]
        with pytest.raises(SystemExit) as ended:
            main()
        told = capfd.readouterr()
        assert ended.value.code in (0, 1, 2)
        assert ended.value.code == 0 or (told.err + told.out).strip()
        assert "Traceback" not in told.out + told.err
        assert FAULT not in told.err

    before = sys.argv
    try:
        try_words()
    finally:
        sys.argv = before
