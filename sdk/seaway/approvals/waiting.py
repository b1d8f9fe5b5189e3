"""Waiting for somebody to decide."""

import logging
import time

from seaway.approvals.approval import Decision, Question
from seaway.approvals.port import Approvals
from seaway.errors import NotApproved, ServerGone

POLL_S = 3.0
log = logging.getLogger(__name__)


def await_decision(approvals: Approvals, question: Question, timeout_s: float, poll_s: float = POLL_S) -> Decision:
    """Ask, and wait for the approval.

    Raises:
        NotApproved: it was refused, `timeout_s` seconds are over, or nobody's word can be trusted here.
    """
    approvals.ask(question)
    log.warning("%s Approve or refuse: %s", question.text, question.command)
    deadline = time.monotonic() + timeout_s
    while (decision := _heard(approvals, question)) is None:
        if time.monotonic() > deadline:
            raise NotApproved(
                f"Nobody decided about gate {question.gate} of run {question.run} within {timeout_s / 3600:g} hours, "
                "so it stays closed. Ask those who may approve, and run it again."
            )
        time.sleep(poll_s)
    if not decision.approved:
        raise NotApproved(f"Gate {question.gate} of run {question.run} was refused by {decision.told}.")
    return decision


def _heard(approvals: Approvals, question: Question) -> Decision | None:
    """The decision; while the place does not answer, none."""
    try:
        return approvals.heard(question.run, question.gate)
    except ServerGone as error:
        log.warning("Whether it is decided cannot be asked now: %s", error)
        return None
