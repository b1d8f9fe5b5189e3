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
    """Print each question that comes up on this machine during the block, once."""
    if not platforms.is_local(Approvals.__name__):
        yield
        return
    over = threading.Event()
    teller = threading.Thread(target=_tell, args=(console, over), daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


def _tell(console: Console, over: threading.Event) -> None:
    """Until the block is over; a state folder that cannot be read is the run's own to tell."""
    with suppress(SeawayError):
        _tell_new(console, over, platforms.current(Approvals))


def _tell_new(console: Console, over: threading.Event, approvals: Approvals) -> None:
    known = {_name(question) for question in approvals.pending()}
    while not over.wait(POLL_S):
        for question in approvals.pending():
            if _name(question) not in known:
                known.add(_name(question))
                console.print(_line(question), soft_wrap=True, highlight=False)


def _name(question: Question) -> tuple[str, str]:
    return question.run, question.gate


def _line(question: Question) -> Text:
    """`asks  May it be released?  seaway approve RUN --gate release`, as wide as a step's line."""
    command = f"seaway approve {question.run} --gate {question.gate}"
    return Text.assemble("     ", ("asks", "yellow"), f"      {question.text}  ", (command, "bold"))
