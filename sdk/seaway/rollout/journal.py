"""A rollout's memory: written whole after every look, so that a restarted step goes on where the last look ended."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from seaway.errors import DataUnreadable
from seaway.rollout.evidence import Decision
from seaway.rollout.looks import ArmLook, Look
from seaway.rollout.plan import RolloutPlan
from seaway.storage import atomic_path, read_json


@dataclass
class Journal:
    """What a rollout has seen and decided so far; `ticks` are the report's timeline, one for each look."""

    file: Path
    fingerprint: str
    step: int = 0
    sent: int = 0
    looks: list[Look] = field(default_factory=list)
    ticks: list[dict[str, Any]] = field(default_factory=list)
    position: Any = None
    decision: Decision | None = None
    reason: str = ""

    @classmethod
    def open(cls, file: Path, plan: RolloutPlan) -> "Journal":
        """The journal that an interrupted rollout of the same plan left, else a new one."""
        try:
            value = read_json(file)
        except DataUnreadable:
            return cls(file, plan.fingerprint)
        if value["fingerprint"] != plan.fingerprint:
            return cls(file, plan.fingerprint)
        decision = Decision(value["decision"]) if value["decision"] else None
        looks = [_look(look) for look in value["looks"]]
        return cls(**{**value, "file": file, "decision": decision, "looks": looks})

    def save(self) -> None:
        """Write everything, atomically."""
        value = {key: item for key, item in vars(self).items() if key not in {"file", "looks"}}
        text = json.dumps({**value, "looks": [_plain(look) for look in self.looks]}, allow_nan=False)
        with atomic_path(self.file) as draft:
            draft.write_text(text, encoding="utf-8")


def _plain(look: Look) -> dict[str, Any]:
    arms = {name: _fields(getattr(look, name)) for name in ("stable", "candidate")}
    return {**_fields(look), **arms}


def _fields(value: Look | ArmLook) -> dict[str, Any]:
    """As `dataclasses.asdict`, which would copy each number."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _look(value: Mapping[str, Any]) -> Look:
    arms = {name: ArmLook(**_frozen(value[name])) for name in ("stable", "candidate")}
    return Look(**_frozen({**value, **arms}))


def _frozen(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(item) if isinstance(item, list) else item for key, item in value.items()}
