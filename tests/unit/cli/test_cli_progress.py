"""A step's line stays readable in a narrow terminal, and whole in a pipe."""

import io
from pathlib import Path

import pytest
from rich.console import Console
from seaway.cli.progress import Progress, console, line
from seaway.kfp.local.run_record import Step

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
