"""Where questions stand, and are decided."""

from typing import Protocol

from seaway.approvals.approval import Decision, Question


class Approvals(Protocol):
    """Keeps questions of runs and the decisions about them, once each."""

    def ask(self, question: Question) -> None:
        """Put it where people find it; one that stands there already stays as it is.

        Raises:
            NotApproved: a decision here could be anybody's.
        """
        ...

    def heard(self, run: str, gate: str) -> Decision | None:
        """The decision; None until there is one, or where nothing is asked."""
        ...

    def pending(self, run: str = "") -> list[Question]:
        """Questions without a decision, the oldest first; those of one run, where it is named."""
        ...

    def decide(self, question: Question, *, approved: bool, why: str) -> Decision:
        """Decide it, as whoever this process runs as.

        Raises:
            NameTaken: it was decided before.
            ObjectDeleted: it is asked no longer.
            Forbidden, AdmissionRefused: this one may not.
        """
        ...
