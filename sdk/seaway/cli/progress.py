"""One line a step: a live line in a terminal, a plain line at each end of a step in a pipe."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO, cast

from rich.console import Console, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from seaway.cli.streams import Heard
from seaway.cli.visible import visible
from seaway.kfp.local.run_record import Step

STYLES = {"succeeded": "green", "cached": "cyan", "failed": "bold red", "interrupted": "yellow", "retrying": "yellow"}
WORDS = {"succeeded": "done", "interrupted": "ended"}
STATE_WIDTH = 8  # "retrying"
TITLE_WIDTH = 22  # leaves 33 of 80 columns for the figure
PIPE_WIDTH = 10_000  # a line in a pipe or a file is never wrapped


def console(file: TextIO) -> Console:
    """Where progress is printed; as wide as the terminal, or without end. A path may look like markup: it is none."""
    return Console(
        file=cast("TextIO", Heard(file)), width=None if file.isatty() else PIPE_WIDTH, markup=False, emoji=False
    )


class Progress:
    """Shows the steps of one run."""

    def __init__(self, console: Console, explaining: bool = False, expected: Mapping[str, float] | None = None) -> None:
        """`expected` is the seconds of each step, by its place, as an earlier run took them."""
        self.console, self.explaining = console, explaining
        self.left = dict(expected or {})
        self.live: Live | None = None
        self.running: dict[int, Step] = {}

    @contextmanager
    def showing(self) -> Iterator[None]:
        """Keep a live line at the bottom while the run lasts, where there is a terminal."""
        if not self.console.is_terminal:
            yield
            return
        with Live(self, console=self.console, refresh_per_second=8, transient=True, redirect_stdout=False) as self.live:
            yield

    def __rich__(self) -> RenderableType:
        """The live line: every step that is running, with its seconds, and what is left of all."""
        texts = [f"{visible(step.title)} {time.monotonic() - step.started:.0f} s" for step in self.running.values()]
        told = f", about {self.seconds_left():.0f} s left" if self.left else ""
        return Spinner("dots", text=" · ".join(texts) + told) if texts else Text()

    def seconds_left(self) -> float:
        """By an earlier run, as if steps came one after the other: an upper bound where some run at a time."""
        now = time.monotonic()
        under_way = {step.place: now - step.started for step in self.running.values()}
        return sum(max(0.0, seconds - under_way.get(place, 0.0)) for place, seconds in self.left.items())

    def __call__(self, step: Step) -> None:
        """Take a step's change: print its line when it has ended or is tried again."""
        if step.state in {"running", "retrying"}:
            self.running[step.number] = step
        else:
            self.running.pop(step.number, None)
            self.left.pop(step.place, None)
        if step.state != "running":
            self.console.print(line(step), highlight=False)
        if self.explaining and step.state in {"succeeded", "cached", "failed"} and step.why:
            verb = "reused" if step.state == "cached" else "ran"
            self.console.print(Text(visible(f"     {verb}: {step.why}"), "dim"), soft_wrap=True, highlight=False)


def line(step: Step) -> Table:
    """`3  done  2.1 s  Ingest tables  336,776 rows`; what is long goes on below its own beginning.

    A failed step has no reason here: it comes once, whole, with the error that ends the run.
    """
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", width=3)
    table.add_column(width=STATE_WIDTH, style=STYLES[step.state])
    table.add_column(justify="right", width=8)
    table.add_column(width=TITLE_WIDTH, style="bold")
    table.add_column(overflow="fold")
    figure = Text(visible(in_a_line(step.figure)))
    if step.state == "retrying":
        figure = Text(visible(f"attempt {step.attempts}: {step.reason}"), "red")
    state, took, title = WORDS.get(step.state, step.state), f"{step.seconds:.1f} s", visible(step.title)
    table.add_row(str(step.number), state, took, title, figure)
    return table


def in_a_line(text: str) -> str:
    """A text of several lines by the first of them, and how many follow: an output may be a whole document."""
    first, *others = text.strip().split("\n")
    return f"{first.rstrip()} (and {len(others)} more {'line' if len(others) == 1 else 'lines'})" if others else first
