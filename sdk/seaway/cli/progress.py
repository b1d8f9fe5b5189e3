"""One line a step: a live line in a terminal, a plain line at each end of a step in a pipe."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from seaway.kfp.recording import Step

STYLES = {"succeeded": "green", "cached": "cyan", "failed": "bold red", "interrupted": "yellow", "retrying": "yellow"}
SHOWN = 100  # characters of a reason
WORDS = {"succeeded": "done"}


class Progress:
    """Shows the steps of one run."""

    def __init__(self, console: Console) -> None:
        self.console = console
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
        """The live line: every step that is running, with its seconds."""
        texts = [f"{step.title} {time.monotonic() - step.started:.0f} s" for step in self.running.values()]
        return Spinner("dots", text=" · ".join(texts)) if texts else Text()

    def __call__(self, step: Step) -> None:
        """Take a step's change: print its line when it has ended or is tried again."""
        if step.state in {"running", "retrying"}:
            self.running[step.number] = step
        else:
            self.running.pop(step.number, None)
        if step.state != "running":
            self.console.print(line(step), soft_wrap=True, highlight=False)


def line(step: Step) -> Text:
    """`3  done  2.1 s  Ingest tables  336,776 rows`."""
    word = WORDS.get(step.state, step.state)
    text = Text(f"{step.number:>3}  ")
    text.append(f"{word:<11}", STYLES[step.state])
    text.append(f"{step.seconds:>6.1f} s  ")
    text.append(f"{step.title:<28} ", "bold")
    text.append(step.figure)
    if step.state == "retrying":
        text.append(f"attempt {step.attempts}: ")
    if step.state in {"retrying", "failed"}:
        text.append(_shortened(step.reason), "red")
    return text


def _shortened(reason: str) -> str:
    """The beginning of a reason; all of it comes with the error at the end."""
    first = next(iter(reason.splitlines()), "")
    return first if len(first) <= SHOWN else first[: SHOWN - 1] + "…"
