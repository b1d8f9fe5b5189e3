"""A step's line stays readable in a narrow terminal, and whole in a pipe."""

import io
import json
from pathlib import Path
from types import SimpleNamespace

import dev_pages
import pytest
from dev_pages import write_run
from rich.console import Console
from seaway.cli.app import app
from seaway.cli.progress import Progress, console, line
from seaway.kfp.local.records import seconds_by_place
from seaway.kfp.local.run_record import Step
from typer.testing import CliRunner

FIGURE = "1,458 airports, 51,955 flights, 2,823 planes, 4,236 weather, /home/somebody/a/long/path/to/a/file.json"


def step(**others: object) -> Step:
    return Step(14, "ingest-tables", "Get production model", Path("x.log"), **{"figure": FIGURE, **others})  # type: ignore[arg-type]


def printed(shown: Step, width: int) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=width).print(line(shown), highlight=False)
    return [text.rstrip() for text in stream.getvalue().splitlines()]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_long_figure_goes_on_below_its_beginning(width: int) -> None:
    first, *rest = printed(step(state="succeeded", seconds=13.9), width)
    column = first.index("1,458")
    assert all(text[:column].isspace() for text in rest)
    assert max(map(len, [first, *rest])) <= width
    assert "".join([first, *rest]).replace(" ", "").endswith(FIGURE.replace(" ", ""))


def test_the_reason_of_a_retry_is_whole() -> None:
    reason = "ConnectionError: " + "the registry did not answer " * 10
    lines = printed(step(state="retrying", attempts=2, reason=reason), 80)
    assert "".join(lines).replace(" ", "").endswith(f"attempt2:{reason}".replace(" ", ""))


def test_in_a_pipe_a_step_is_one_line_when_it_ends() -> None:
    stream = io.StringIO()
    progress = Progress(console(stream))
    with progress.showing():
        progress(step())
        progress(step(state="cached", seconds=0.1))
    (text,) = stream.getvalue().splitlines()
    assert text.split()[:4] == ["14", "cached", "0.1", "s"]
    assert text.rstrip().endswith(FIGURE)


def test_what_looks_like_markup_is_shown_as_it_is() -> None:
    stream = io.StringIO()
    progress = Progress(console(stream))
    progress(Step(1, "a", "[/x] [b]title", Path("x.log"), "succeeded", figure=":smile: [red]1[/red]"))
    progress.console.print("/data/[a]/steps", soft_wrap=True, highlight=False)
    shown = " ".join(stream.getvalue().split())
    assert "[/x] [b]title :smile: [red]1[/red]" in shown
    assert "/data/[a]/steps" in shown


@pytest.mark.parametrize(
    ("text", "told"),
    [("a\nb\n\nc", "a (and 3 more lines)"), ("\n a\r\nb\n", "a (and 1 more line)"), ("a\n", "a"), ("\n", "")],
)
def test_an_output_of_several_lines_is_told_in_one(text: str, told: str) -> None:
    (shown,) = printed(step(state="succeeded", figure=text), 200)
    assert shown.partition("Get production model")[2].strip() == told


def test_a_very_long_output_is_told_by_its_beginning() -> None:
    shown = Step(1, "a", "a", Path("x.log"))
    shown.finish("succeeded", {"Output": "x" * 1_000_000})
    assert shown.outputs["Output"] == "x" * 1_000_000
    assert shown.figure == "x" * 1000 + "..."


@pytest.mark.parametrize("state", ["succeeded", "retrying"])
def test_what_a_step_says_does_not_steer_the_terminal(state: str) -> None:
    text = "a\x1b[31mred\x1b]0;title\x07\0b\rover\u202eturned"
    told = step(state=state, figure=text, reason=text)
    told.title = "b\x1b[2J"
    (first, *rest) = printed(told, 200)
    assert not set("\x1b\x07\0\r\u202e") & set("".join([first, *rest]))
    assert "a\\x1b[31mred\\x1b]0;title\\x07\\x00b\\rover\\u202eturned" in first
    assert "b\\x1b[2J" in first


def test_what_is_left_is_told_by_an_earlier_run(monkeypatch: pytest.MonkeyPatch) -> None:
    progress = Progress(console(io.StringIO()), expected={"a": 20.0, "b": 30.0})
    first = Step(1, "make", "Make", Path("x.log"), place="a")
    progress(first)
    monkeypatch.setattr("seaway.cli.progress.time", SimpleNamespace(monotonic=lambda: first.started + 5))
    assert str(progress.__rich__().text) == "Make 5 s, about 45 s left"  # type: ignore[union-attr]
    monkeypatch.setattr("seaway.cli.progress.time", SimpleNamespace(monotonic=lambda: first.started + 60))
    assert progress.seconds_left() == 30  # of a step that is longer than then, nothing is left
    first.state = "succeeded"
    progress(first)
    assert progress.left == {"b": 30.0}


def test_an_earlier_run_of_the_same_pipeline_says_how_long_steps_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path))
    a, b = (dev_pages.step(number, name, seconds=number * 10.0) for number, name in enumerate("ab", 1))
    write_run(tmp_path, "20260101-1", a, b)
    write_run(tmp_path, "20260102-1", {**a, "state": "cached", "seconds": 0.1}, {**b, "seconds": 25.0})
    write_run(tmp_path, "20260103-1", {**a, "seconds": 99.0}, source="other.py")
    write_run(tmp_path, "20260104-1", {**a, "state": "failed", "seconds": 1.0}, state="failed")
    assert seconds_by_place("sample.py") == {"a": 10.0, "b": 25.0}
    assert seconds_by_place("new.py") == {}


@pytest.mark.parametrize(("typed", "found"), [("-p r", ["rows="]), ("-p ", ["rows=", "epochs="]), ("-p x", [])])
def test_the_shell_completes_the_parameters_of_what_has_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, found: list[str]
) -> None:
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path))
    root = {"inputDefinitions": {"parameters": {"rows": {}, "epochs": {}}}}
    ran = write_run(tmp_path, "20260101-1", source=str(Path("mine.py").absolute()))
    (ran / "pipeline.yaml").write_text(json.dumps({"root": root}))
    (tmp_path / "same.yaml").write_text(json.dumps({"root": root}))
    for pipeline in ("mine.py", str(tmp_path / "same.yaml")):
        words = f"seaway run --no-cache {pipeline} {typed}"
        asked = {"_SEAWAY_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": "5"}
        shown = CliRunner().invoke(app, prog_name="seaway", env=asked).output.split()
        assert shown == found
