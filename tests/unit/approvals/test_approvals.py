"""A run waits for a person's word, and goes on with nothing less."""

import getpass
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from seaway.approvals import Decision, Question, await_decision, is_by
from seaway.cli.app import app
from seaway.errors import InvalidSpec, NameTaken, NotApproved, ObjectDeleted, ServerGone
from seaway.platforms.local.approvals import FileApprovals
from seaway.rollout.verification import Asked, EvidenceRefused
from typer.testing import CliRunner

QUESTION = Question(
    "run-1", "release", "May it be rolled out?", ("report: AUC 0.81 /r.html",), "2026-01-01T00:00:00+00:00"
)
POLL_S, LONG_S = 0.01, 60.0


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SEAWAY_PLATFORM", raising=False)
    return tmp_path / "home"


def meanwhile(act: Callable[[], object]) -> Decision:
    """What the waiting step hears when this is done once the question stands."""
    approvals = FileApprovals()

    def once_asked() -> None:
        while not approvals.pending():
            pass
        act()

    other = threading.Thread(target=once_asked)
    other.start()
    try:
        return await_decision(approvals, QUESTION, LONG_S, POLL_S)
    finally:
        other.join()


def invoked(*command: str) -> str:
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_step_goes_on_with_who_approved_when_and_why() -> None:
    decision = meanwhile(lambda: invoked("approve", "run-1", "--why", "tested by hand"))
    assert decision.approved
    assert is_by(decision.told, getpass.getuser())
    assert decision.told.endswith(": tested by hand)")
    assert FileApprovals().pending() == []


def test_a_refusal_ends_the_step_with_who_and_why() -> None:
    with pytest.raises(NotApproved, match=rf"refused by {getpass.getuser()} .*two slices are worse"):
        meanwhile(lambda: invoked("approve", "run-1", "--gate", "release", "--refuse", "--why", "two slices are worse"))


def test_without_an_answer_it_is_closed() -> None:
    with pytest.raises(NotApproved, match="Nobody decided about gate release of run run-1"):
        await_decision(FileApprovals(), QUESTION, 0.0, POLL_S)


def test_a_step_that_is_tried_again_finds_the_answer() -> None:
    approvals = FileApprovals()
    approvals.ask(QUESTION)
    given = approvals.decide(QUESTION, approved=True, why="")
    again = Question("run-1", "release", "Asked in other words", (), "later")
    assert await_decision(FileApprovals(), again, 0.0, POLL_S) == given


def test_a_place_that_is_away_for_a_while_is_no_answer() -> None:
    class Away(FileApprovals):
        times = 3

        def heard(self, run: str, gate: str) -> Decision | None:
            self.times -= 1
            if self.times:
                raise ServerGone("the server does not answer")
            return Decision(approved=True, who="Ada", when="2026-01-01T00:00:00+00:00")

    assert await_decision(Away(), QUESTION, LONG_S, POLL_S).who == "Ada"


def test_what_is_decided_stays() -> None:
    approvals = FileApprovals()
    approvals.ask(QUESTION)
    approvals.decide(QUESTION, approved=False, why="no")
    with pytest.raises(NameTaken, match="decided before"):
        approvals.decide(QUESTION, approved=True, why="yes")
    heard = approvals.heard("run-1", "release")
    assert heard is not None
    assert not heard.approved


def test_what_nobody_asks_cannot_be_decided() -> None:
    with pytest.raises(ObjectDeleted, match="asks nothing"):
        FileApprovals().decide(QUESTION, approved=True, why="")


@pytest.mark.parametrize("gate", ["", "..", "a/b", "Release", "-a", "a-", "a" * 41, "ä", "a\n"])
def test_a_gate_is_named_as_files_and_objects_can_be(gate: str) -> None:
    with pytest.raises(InvalidSpec, match="no name of a gate"):
        Question("run-1", gate, "?")


def test_the_command_lists_what_is_asked_and_asks_which_where_there_are_two() -> None:
    assert "No run asks anything" in invoked("approve")
    for gate in ("data", "release"):
        FileApprovals().ask(Question("run-1", gate, "May it?", ("rows: 12",), gate))
    assert [one["gate"] for one in json.loads(invoked("approve", "-o", "json"))] == ["data", "release"]
    listed = invoked("approve")
    assert all(word in listed for word in ("run-1", "release", "May it?", "rows: 12"))
    with pytest.raises(InvalidSpec, match="at gates data, release: say which"):
        invoked("approve", "run-1")
    with pytest.raises(InvalidSpec, match=r"asks nothing at gate other .*seaway approve"):
        invoked("approve", "run-1", "--gate", "other")


def test_to_look_for_questions_leaves_nothing_behind(home: Path) -> None:
    assert FileApprovals().pending() == []
    assert not home.exists()


@pytest.mark.parametrize("words", [["--gate", "release"], ["--refuse"], ["--why", "so"]])
def test_a_decision_without_a_run_is_a_wrong_argument(words: list[str]) -> None:
    assert CliRunner().invoke(app, ["approve", *words]).exit_code == 2


@pytest.mark.parametrize(
    ("told", "holds"),
    [
        ("Ada", True),
        ("Ada (2026-01-01T00:00:00+00:00: ok)", True),
        ("Ada Lovelace", False),
        ("Bob (2026-01-01T00:00:00+00:00)", False),
        ("Ada (boss)", False),
    ],
)
def test_a_statement_is_by_whose_name_its_approval_begins_with(told: str, holds: bool) -> None:
    said = {"approver": told, "time": "2026-01-01T00:00:00+00:00"}
    if holds:
        Asked("Ada").require(said)
    else:
        with pytest.raises(EvidenceRefused, match="not Ada"):
            Asked("Ada").require(said)
