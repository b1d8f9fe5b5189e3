"""A person's leave in the middle of a run: what is asked, who decided, when and why."""

from seaway.approvals.approval import Decision, Question, decided_before, is_by, not_asked
from seaway.approvals.port import Approvals
from seaway.approvals.waiting import await_decision

__all__ = ["Approvals", "Decision", "Question", "await_decision", "decided_before", "is_by", "not_asked"]
