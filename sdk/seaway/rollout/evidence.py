"""What a rollout states under its signature: which packages, by whose leave, on which looks, with what decision.

Three stages, each before it acts: `start` (weights below 100 %), `decision` (full traffic), `end`.
docs/design/evidence.md has the whole of it.
"""

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from seaway.errors import InvalidSpec
from seaway.models.attestation import ALGORITHM, Statement, attest, evidence_uri
from seaway.rollout.judge.verdict import Decision, Verdict
from seaway.rollout.observations import Observation
from seaway.rollout.plan import FULL, RolloutPlan
from seaway.rollout.policy import Policy
from seaway.rollout.state import as_values
from seaway.rollout.warrant import Warrant
from seaway.serving import Arm, DeployedEndpoint
from seaway.storage import storage_for
from seaway.version import VERSION

PREDICATE_TYPE = "https://seaway.dev/rollout/v1"
START, DECISION, END = "start", "decision", "end"  # stages
STATEMENT_FILE, LOOKS_FILE = "statement.json", "looks.json"
SHOWN = ("criterion", "finding", "estimate", "log_e_harm", "log_e_safety", "n")  # of a criterion's evidence


@dataclass(frozen=True)
class Notary:
    """Signs what a rollout states by the private key, and keeps it with the looks in the folder at `uri`."""

    key: Path
    uri: str

    @classmethod
    def beside(cls, endpoint: DeployedEndpoint, key: Path) -> "Notary":
        """One that keeps what it signs beside the candidate's package."""
        arms = endpoint.arms
        return cls(key, evidence_uri(arms.get("candidate", arms["stable"]).package))

    def certify(self, statement: Statement, looks: Sequence[Observation]) -> Warrant:
        """Sign and keep, whole or not at all.

        Raises:
            PackageRefused: the key cannot sign.
            StorageUnavailable, DataUnreadable: the statement cannot be kept.
        """
        envelope = attest(statement, self.key)
        with tempfile.TemporaryDirectory(prefix="seaway-evidence-") as folder:
            (Path(folder) / STATEMENT_FILE).write_text(envelope, encoding="utf-8")
            (Path(folder) / LOOKS_FILE).write_bytes(looks_json(looks))
            storage_for(self.uri).upload(Path(folder), self.uri)
        return warrant_of(envelope, statement)


def warrant_of(envelope: str, statement: Statement) -> Warrant:
    """What a signed statement of a rollout allows."""
    said = statement.predicate
    return Warrant(envelope, said["rollout"]["run"], said["packages"]["candidate"]["sha256"], said["allows"])


def looks_json(looks: Sequence[Observation]) -> bytes:
    """The looks as they are kept and hashed."""
    return json.dumps(as_values(looks), allow_nan=False, sort_keys=True, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Judged:
    """What the judge is asked with and said: the looks, the policy in force, the noise known before, the verdict."""

    looks: Sequence[Observation]
    policy: Policy
    noise: Mapping[str, Sequence[float]]
    verdict: Verdict


def opening(plan: RolloutPlan, policy: Policy, noise: Mapping[str, Sequence[float]]) -> Statement:
    """Before the first weight: what is to happen."""
    largest = max(step.weight for step in plan.steps if step.weight < FULL)
    return _statement(plan, START, largest, Judged((), policy, noise, Verdict(Decision.CONTINUE, "")))


def deciding(plan: RolloutPlan, judged: Judged) -> Statement:
    """Before full traffic: why."""
    return _statement(plan, DECISION, FULL, judged)


def ending(plan: RolloutPlan, judged: Judged, decision: Decision, reason: str) -> Statement:
    """Before the end is recorded: how it ended, which is not always as the judge said."""
    ended = replace(judged, verdict=replace(judged.verdict, decision=decision, reason=reason))
    return _statement(plan, END, FULL if decision is Decision.PROMOTE else 0, ended)


def _statement(plan: RolloutPlan, stage: str, allows: int, judged: Judged) -> Statement:
    endpoint, verdict = plan.endpoint, judged.verdict
    packages = {name: _sha256(arm, endpoint) for name, arm in sorted(endpoint.arms.items())}
    predicate = {
        "stage": stage,
        "allows": allows,
        "rollout": {"endpoint": endpoint.name, "run": endpoint.run, "plan": plan.fingerprint},
        "model": plan.model,
        "packages": {name: {ALGORITHM: digest} for name, digest in packages.items()},
        "steps": [asdict(step) for step in plan.steps],
        "policy": asdict(judged.policy),
        "noise": dict(judged.noise),
        "approver": plan.approver,
        "looks": {"count": len(judged.looks), ALGORITHM: hashlib.sha256(looks_json(judged.looks)).hexdigest()},
        "decision": verdict.decision,
        "reason": verdict.reason,
        "evidence": [{key: getattr(item, key) for key in SHOWN} for item in verdict.evidence],
        "seaway": VERSION,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return Statement({plan.model or endpoint.name: packages["candidate"]}, PREDICATE_TYPE, predicate)


def _sha256(arm: Arm, endpoint: DeployedEndpoint) -> str:
    """Raises: InvalidSpec: nobody knows it."""
    if not arm.sha256:
        raise InvalidSpec(
            f"Endpoint {endpoint.name} does not say which package version {arm.version} is: an earlier edition of "
            "Seaway deployed it. Deploy it again."
        )
    return arm.sha256
