"""What steps of a run ask people, told where the run is shown: nobody looks into the log of a step that goes on."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rich.console import Console
from rich.text import Text

from seaway import platforms
from seaway.approvals import Approvals, Question
from seaway.errors import SeawayError

POLL_S = 1.0


@contextmanager
def told(console: Console) -> Iterator[None]:
    """Print each question that comes up on this machine during the block, once.

    A state folder that cannot be read is the run's own to tell.
    """
    known = _known() if platforms.is_local(Approvals.__name__) else None
    if known is None:
        yield
        return
    over = threading.Event()
    teller = threading.Thread(target=_tell, args=(console, over, known), daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


def _known() -> set[tuple[str, str]] | None:
    """What was asked before; None where nobody can say."""
    with suppress(SeawayError):
        return {_name(question) for question in platforms.current(Approvals).pending()}
    return None


def _tell(console: Console, over: threading.Event, known: set[tuple[str, str]]) -> None:
    with suppress(SeawayError):
        while not over.wait(POLL_S):
            new = [one for one in platforms.current(Approvals).pending() if _name(one) not in known]
            known.update(map(_name, new))
            for question in new:
                console.print(_line(question), soft_wrap=True, highlight=False)


def _name(question: Question) -> tuple[str, str]:
    return question.run, question.gate


def _line(question: Question) -> Text:
    """`asks  May it be released?  seaway approve RUN --gate release`, as wide as a step's line."""
    return Text.assemble("     ", ("asks", "yellow"), f"      {question.text}  ", (question.command, "bold"))
