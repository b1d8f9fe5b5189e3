"""Questions of this folder's runs, a file each: `<home>/runs/<run>/approvals/<gate>.json`."""

import getpass
import json
from datetime import UTC, datetime
from glob import escape
from pathlib import Path
from typing import Any

from seaway.approvals import Decision, Question, decided_before, not_asked
from seaway.platforms.home import home, home_path
from seaway.storage import atomic_path, locked, read_json

FOLDER = "approvals"


class FileApprovals:
    """Whoever may write the folder may decide, under the name that the operating system knows them by."""

    def ask(self, question: Question) -> None:
        file = _file(question.run, question.gate)
        file.parent.mkdir(parents=True, exist_ok=True)
        with locked(file.with_suffix(".lock")):
            if not file.exists():
                _write(file, {"question": question.to_json()})

    def heard(self, run: str, gate: str) -> Decision | None:
        file = _file(run, gate)
        decided = read_json(file).get("decision") if file.exists() else None
        return Decision(**decided) if decided else None

    def pending(self, run: str = "") -> list[Question]:
        kept = [read_json(file) for file in home_path().glob(f"runs/{escape(run) or '*'}/{FOLDER}/*.json")]
        asked = [Question.of(one["question"]) for one in kept if "decision" not in one]
        return sorted(asked, key=lambda question: question.asked)

    def decide(self, question: Question, *, approved: bool, why: str) -> Decision:
        file = _file(question.run, question.gate)
        if not file.exists():
            raise not_asked(question)
        with locked(file.with_suffix(".lock")):
            if before := self.heard(question.run, question.gate):
                raise decided_before(question, before)
            now = datetime.now(UTC).isoformat(timespec="seconds")
            decision = Decision(approved, getpass.getuser(), now, why)
            _write(file, {**read_json(file), "decision": decision.to_json()})
        return decision


def _file(run: str, gate: str) -> Path:
    return home() / "runs" / run / FOLDER / f"{gate}.json"


def _write(file: Path, content: dict[str, Any]) -> None:
    with atomic_path(file) as draft:
        draft.write_text(json.dumps(content), encoding="utf-8")
