"""The canary judge and the rollout that it steers."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from seaway.rollout.evidence import Decision, Evidence, Finding, Verdict
from seaway.rollout.journal import State
from seaway.rollout.looks import ArmLook, Look
from seaway.rollout.plan import STEPS, RolloutPlan, Step
from seaway.rollout.policy import Bounds, LatencyBounds, Policy
from seaway.rollout.requests import Answers, Requests
from seaway.rollout.traffic import ALL_STABLE, Traffic

if TYPE_CHECKING:
    from seaway.rollout.concluding import conclude, confirm
    from seaway.rollout.driving import Rollout, run
    from seaway.rollout.judging import judge
    from seaway.rollout.replay import Replay

__all__ = [
    "ALL_STABLE",
    "STEPS",
    "Answers",
    "ArmLook",
    "Bounds",
    "Decision",
    "Evidence",
    "Finding",
    "LatencyBounds",
    "Look",
    "Policy",
    "Replay",
    "Requests",
    "Rollout",
    "RolloutPlan",
    "State",
    "Step",
    "Traffic",
    "Verdict",
    "conclude",
    "confirm",
    "judge",
    "run",
]

HEAVY = {  # imported at first use: scipy, pyarrow
    "Replay": "replay",
    "Rollout": "driving",
    "conclude": "concluding",
    "confirm": "concluding",
    "judge": "judging",
    "run": "driving",
}


def __getattr__(name: str) -> Any:
    if name not in HEAVY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{HEAVY[name]}"), name)
