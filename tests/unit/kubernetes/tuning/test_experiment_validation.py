"""Each rule by which Katib refuses an Experiment, broken once, and what is taken."""

import copy
import json
from typing import Any

import pytest
from experiments import SUGGESTION, TAKEN, WEBHOOK, Break, both, put, valid
from seaway.errors import InvalidSpec
from seaway.platforms.kubernetes.tuning import experiment_validation
from seaway.platforms.kubernetes.tuning.experiment import preflight


def broken(change: Break) -> dict[str, Any]:
    manifest = copy.deepcopy(valid())
    change(manifest)
    return manifest


@pytest.mark.parametrize("rule", WEBHOOK)
def test_the_webhooks_rule(rule: str) -> None:
    change, field = WEBHOOK[rule]
    with pytest.raises(InvalidSpec) as refusal:
        preflight(broken(change))
    assert f"{field}: " in str(refusal.value)


@pytest.mark.parametrize("rule", SUGGESTION)
def test_the_suggestion_services_rule(rule: str) -> None:
    change, words = SUGGESTION[rule]
    with pytest.raises(InvalidSpec) as refusal:
        preflight(broken(change))
    assert words in str(refusal.value)


@pytest.mark.parametrize("what", TAKEN)
def test_taken(what: str) -> None:
    preflight(broken(TAKEN[what]))


def ended(reason: str, policy: str = "LongRunning", kind: str = "Succeeded") -> dict[str, Any]:
    old = broken(put("resumePolicy", policy))
    return {**old, "status": {"trials": 6, "conditions": [{"type": kind, "status": "True", "reason": reason}]}}


MORE = put("maxTrialCount", 9)
REACHED = "ExperimentMaxTrialsReached"
UPDATES = {
    "more trials of one that has reached its count": (ended(REACHED), MORE, ""),
    "more trials of one that runs": (broken(put("resumePolicy", "Never")), MORE, ""),
    "a change of nothing": (ended("ExperimentFailed", "Never", "Failed"), both(), ""),
    "one that has ended and never resumes": (ended(REACHED, "Never"), MORE, "spec.resumePolicy"),
    "one that has reached its goal": (ended("ExperimentGoalReached"), MORE, "spec.resumePolicy"),
    "one that has failed": (ended("ExperimentFailed", kind="Failed"), MORE, "spec.resumePolicy"),
    "no more trials than it has had": (ended(REACHED), put("parallelTrialCount", 1), "spec.maxTrialCount"),
    "another objective": (broken(both()), put("objective.type", "minimize"), "spec"),
}


@pytest.mark.parametrize("what", UPDATES)
def test_an_update(what: str) -> None:
    old, change, field = UPDATES[what]
    new = json.loads(json.dumps(old))
    change(new)
    assert [problem.field for problem in experiment_validation.update_rules(old, new)] == ([field] if field else [])
