"""Driving a rollout: set the weight, wait till the traffic follows, observe, decide, and go on or back."""

import logging
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from seaway.errors import ObjectChanged, TrafficFailed
from seaway.monitoring import Callers, ServiceGraph, TrafficMetrics
from seaway.rollout import evidence
from seaway.rollout.evidence import Judged, Notary
from seaway.rollout.history import History, PastRollout
from seaway.rollout.judge.decision import judge, judge_fast
from seaway.rollout.judge.verdict import Decision, Verdict
from seaway.rollout.judge.wanted import wanted
from seaway.rollout.ledger import Ledger
from seaway.rollout.observations import ArmObservation, faults
from seaway.rollout.observer import Observer
from seaway.rollout.plan import FULL, RolloutPlan
from seaway.rollout.policy import Policy
from seaway.rollout.requests import Requests
from seaway.rollout.state import Journal, RolloutStore
from seaway.rollout.traffic import ALL_STABLE, Traffic
from seaway.rollout.warrant import Warrant
from seaway.serving import ARMS, DeployedEndpoint
from seaway.signals import sigterm_raises
from seaway.storage import write_json

CONTROL = 0.3  # least share of requests asked of both arms at full traffic: what the candidate is compared with
BACK = (Decision.ROLLBACK, Decision.INCONCLUSIVE)  # decisions that leave all traffic on stable
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rollout:
    """How a rollout ended, with one tick for each look.

    `known` is what the endpoint's history gave it: the level by which the ledger let it promote, its bound on the share
    of false promotions, the ledger with this release, and the noise of each criterion: looks and variance ratio.
    `evidence` is the URI of what was stated under a signature. `levels` are what decides, by criterion and hypothesis:
    natural logarithms of e-values. `back_s` are seconds from the look that decided to all traffic on stable, None where
    no look sent it back.
    """

    decision: Decision
    reason: str
    endpoint: DeployedEndpoint
    steps: tuple[Mapping[str, int], ...]
    ticks: tuple[Mapping[str, Any], ...]
    callers: Callers = field(default_factory=Callers)
    known: Mapping[str, Any] = field(default_factory=dict)
    evidence: str = ""
    levels: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    back_s: float | None = None

    @property
    def promoted(self) -> bool:
        return self.decision is Decision.PROMOTE

    @property
    def summary(self) -> str:
        """One line for a progress display."""
        if self.decision is Decision.UNCHANGED:
            return "unchanged: this model is in production"
        if self.promoted and not self.ticks:
            return "promoted: the first in production"
        requests = sum(sum(tick["requests"].values()) for tick in self.ticks)
        return f"{self.decision.lower()}, {requests:,} requests, {len(self.ticks)} looks"

    @property
    def metrics(self) -> dict[str, float]:
        """Looks, requests, the last estimate of each criterion, and how long the way back to stable took."""
        evidence = self.ticks[-1]["evidence"] if self.ticks else ()
        estimates = {item["criterion"].replace(" ", "_"): item["estimate"] for item in evidence}
        totals = {f"{arm}_requests": float(sum(tick["requests"][arm] for tick in self.ticks)) for arm in ARMS}
        known = {f"{name}_worsening": value for name, value in estimates.items() if value is not None}
        back = {} if self.back_s is None else {"seconds_to_stable": self.back_s}
        return {"looks": float(len(self.ticks)), **totals, **known, **back}

    def with_callers(self, mesh: ServiceGraph) -> "Rollout":
        """The same, with who called the endpoint meanwhile: read before an arm is ended."""
        if not self.ticks:
            return self
        seconds = math.ceil(time.time() - self.ticks[0]["time"])
        return replace(self, callers=mesh.read(self.endpoint, seconds))

    def write(self, file: Path) -> None:
        """Write `rollout.json`."""
        arms = {name: arm.version for name, arm in self.endpoint.arms.items()}
        value = {
            "decision": self.decision,
            "reason": self.reason,
            "endpoint": self.endpoint.name,
            "run": self.endpoint.run,
            "evidence": self.evidence,
            "levels": dict(self.levels),
            "back_s": self.back_s,
            "callers": self.callers.to_json(),
            "known": dict(self.known),
        }
        write_json(file, {**value, "arms": arms, "steps": list(self.steps), "ticks": list(self.ticks)})


def run(
    plan: RolloutPlan,
    traffic: Traffic,
    requests: Requests,
    metrics: TrafficMetrics,
    state: RolloutStore,
    notary: Notary,
) -> Rollout:
    """Roll the candidate out, or back.

    An endpoint without a candidate is UNCHANGED: nothing is sent. An interrupted rollout of the same plan goes on from
    `state`; one that has ended is told again. Unless the candidate is promoted all traffic is on stable when this
    returns or raises; SIGTERM counts as an exception.

    Args:
        state: is written after every look.
        notary: signs and keeps what is stated before the first weight, before full traffic, and at the end.

    Raises:
        PackageRefused, StorageUnavailable: a statement cannot be signed or kept.
        TrafficFailed: the traffic does not follow the weights, or somebody else has changed them.
        ObjectChanged: another process drives this rollout; the weights are left to it.
    """
    if "candidate" not in plan.endpoint.arms:
        return _unchanged(plan)
    history = History.of(state.history(plan.endpoint.name))
    journal = Journal.open(state.read(plan.endpoint), plan, history, time.time())
    if journal.decision is None:
        if journal.position is not None:
            requests.resume(journal.position)
        with sigterm_raises(), _back_to_stable(plan.endpoint, traffic):
            _drive(plan, traffic, requests, metrics, journal, state, notary)
    state.remember(plan.endpoint.name, lambda kept: _remembered(plan, journal, History.of(kept)).to_json())
    return Rollout(
        Decision(journal.decision or ""),
        journal.reason,
        plan.endpoint,
        _steps(plan),
        tuple(journal.ticks),
        known=_known(plan, journal, History.of(state.history(plan.endpoint.name))),
        evidence=notary.uri,
        levels=_levels(_policy(plan, journal)),
        back_s=journal.back_s,
    )


def _remembered(plan: RolloutPlan, journal: Journal, history: History) -> History:
    """The endpoint's history with this rollout; it changes nothing where it is in it already."""
    ended = journal.observations[-1].time if journal.observations else time.time()
    decision = Decision(journal.decision or "")
    past = PastRollout.of(journal.fingerprint, ended, decision, journal.observations, plan.policy)
    ledger = Ledger.of(history.ledger, journal.begun).ended(
        past.key, journal.begun, journal.level, journal.log_e_safety, decision is Decision.PROMOTE
    )
    return history.with_rollout(past, ledger)


def _known(plan: RolloutPlan, journal: Journal, history: History) -> Mapping[str, Any]:
    """For the report."""
    ledger = {name: value for name, value in (history.ledger or {}).items() if name != "keys"}
    bound = plan.policy.false_discovery
    return {"level": journal.level, "bound": bound, "ledger": ledger, "noise": journal.noise}


def _levels(policy: Policy) -> dict[str, dict[str, float]]:
    safety = math.log(1 / policy.false_promotion)
    return {name: {"harm": math.log(1 / policy.significance(name)), "safety": safety} for name in policy.criteria}


def _unchanged(plan: RolloutPlan) -> Rollout:
    known = " ".join((plan.model, plan.endpoint.arms["stable"].version)).strip()
    reason = (
        f"The new model is the one in production ({known}): the same graph, weights and signature. "
        "There is nothing to roll out, and no request was sent."
    )
    return Rollout(Decision.UNCHANGED, reason, plan.endpoint, _steps(plan), ())


def _steps(plan: RolloutPlan) -> tuple[Mapping[str, int], ...]:
    return tuple({"weight": step.weight, "requests": step.requests} for step in plan.steps)


def _drive(
    plan: RolloutPlan,
    traffic: Traffic,
    requests: Requests,
    metrics: TrafficMetrics,
    journal: Journal,
    state: RolloutStore,
    notary: Notary,
) -> None:
    """Look after look until there is a decision."""
    step = -1
    journal.levels = _levels(_policy(plan, journal))
    _open(plan, traffic, journal, notary)
    observer = Observer(metrics, plan.endpoint, plan.policy.max_age_s)
    while journal.decision is None:
        weights = _weights(plan, journal)
        if step != journal.step:
            _move(plan.endpoint, traffic, weights)
            step = journal.step
        answers = requests.send(plan.requests_per_look, CONTROL if weights["candidate"] == FULL else 0.0)
        exhausted = answers.sent == 0
        if not exhausted:  # else there is nothing to see
            _require_unchanged(plan.endpoint, traffic, weights)
            journal.observations.append(observer.observe(answers, weights["candidate"]))
            journal.sent += answers.sent
        fast = judge_fast(journal.observations, _policy(plan, journal), journal.priors)
        if exhausted or fast.decision in BACK:  # at once: the intervals take longer than the decision
            traffic.set_weights(plan.endpoint, ALL_STABLE)
        if fast.decision in BACK and not exhausted:
            journal.back_s = time.time() - journal.observations[-1].time
            log.info("all traffic is on stable, %.2f s after the look that decided", journal.back_s)
        verdict = _verdict(plan, journal, fast, exhausted)
        if not exhausted:
            journal.ticks.append(_tick(journal, weights, verdict))
        journal.position = requests.position()
        _advance(plan, journal, verdict, exhausted)
        _testify(plan, traffic, journal, notary, verdict, step)
        state.write(plan.endpoint, journal.to_json())


def _open(plan: RolloutPlan, traffic: Traffic, journal: Journal, notary: Notary) -> None:
    """Show what allows the weights to come: what was stated last, or what is to happen."""
    if not journal.warrants:
        warrant = notary.certify(evidence.opening(plan, _policy(plan, journal), journal.noise), ())
        journal.warrants.append(asdict(warrant))
    traffic.present(plan.endpoint, Warrant(**journal.warrants[-1]))


def _testify(
    plan: RolloutPlan, traffic: Traffic, journal: Journal, notary: Notary, verdict: Verdict, step: int
) -> None:
    """State under a signature, before the journal says so, how the rollout ends, or why it goes on to full traffic."""
    judged = Judged(journal.observations, _policy(plan, journal), journal.noise, verdict)
    if journal.decision:
        notary.certify(evidence.ending(plan, judged, journal.decision, journal.reason), judged.looks)
    elif journal.step != step and _weights(plan, journal)["candidate"] == FULL:
        warrant = notary.certify(evidence.deciding(plan, judged), judged.looks)
        journal.warrants.append(asdict(warrant))
        traffic.present(plan.endpoint, warrant)


def _move(endpoint: DeployedEndpoint, traffic: Traffic, weights: Mapping[str, int]) -> None:
    """By these weights; a candidate of weight 0 gets copies of the requests."""
    if weights["candidate"]:
        log.info("%d %% of the traffic to the candidate of %s", weights["candidate"], endpoint.name)
        traffic.set_weights(endpoint, weights)
    else:
        log.info("the candidate of %s is a shadow: it gets a copy of each request", endpoint.name)
        traffic.mirror(endpoint, FULL)


def _require_unchanged(endpoint: DeployedEndpoint, traffic: Traffic, weights: Mapping[str, int]) -> None:
    """Refuse answers to other weights than those that were set; weights that cannot be read now prove nothing."""
    try:
        now = traffic.weights(endpoint)
    except TrafficFailed as error:
        log.warning("the weights of %s cannot be read: %s", endpoint.name, error)
        return
    if now != weights:
        raise TrafficFailed(
            f"Somebody else has changed the weights of endpoint {endpoint.name}: they are {dict(now)}, this rollout "
            f"had set {dict(weights)}. Find out who moves its traffic, then run the rollout again."
        )


def _verdict(plan: RolloutPlan, journal: Journal, fast: Verdict, exhausted: bool) -> Verdict:
    """The judge's word on all looks; with confidence sequences where the rollout may end or go on to its next step."""
    settles = exhausted or fast.decision in BACK or journal.sent >= plan.steps[journal.step].requests
    return judge(journal.observations, _policy(plan, journal), journal.priors) if settles else fast


def _policy(plan: RolloutPlan, journal: Journal) -> Policy:
    """The plan's, at the ledger's level."""
    return replace(plan.judged_by, false_promotion=min(journal.level, plan.policy.false_promotion))


def _weights(plan: RolloutPlan, journal: Journal) -> dict[str, int]:
    candidate = plan.steps[journal.step].weight
    return {"stable": FULL - candidate, "candidate": candidate}


def _advance(plan: RolloutPlan, journal: Journal, verdict: Verdict, exhausted: bool) -> None:
    """End the rollout, or move to the next step once this one has had its requests.

    Full traffic needs the judge's PROMOTE. It is confirmed when the requests of that last step were seen, in as many
    looks as the plan has it, and show no harm: evidence that has once rejected "worse than the margin" stays valid
    (Ville's inequality).
    """
    if verdict.decision in BACK:
        journal.decision, journal.reason = verdict.decision, verdict.reason
    elif exhausted:
        total = sum(
            observation.stable.requests + observation.candidate.requests for observation in journal.observations
        )
        short = f"There are no more requests: the examples ended after {total:,}, before the judge was sure. "
        more = wanted(verdict.evidence, plan.policy.false_promotion)
        hint = "Give more held-out examples, ask more of them of both arms (shadow), or widen a margin."
        journal.decision, journal.reason = Decision.INCONCLUSIVE, f"{short}{more} {hint} {verdict.reason}"
    elif journal.sent >= plan.steps[journal.step].requests:
        last = journal.step == len(plan.steps) - 1
        promoted = verdict.decision is Decision.PROMOTE
        if last and not verdict.lacking and _confirmed(plan, journal):
            journal.decision = Decision.PROMOTE
        elif not last and (promoted or plan.steps[journal.step + 1].weight < FULL):
            journal.step, journal.sent, journal.reason = journal.step + 1, 0, verdict.reason


def _confirmed(plan: RolloutPlan, journal: Journal) -> bool:
    """Whether full traffic was seen often enough."""
    found = faults(journal.observations, plan.policy.max_age_s)
    seen = [observation.weight for observation, fault in zip(journal.observations, found, strict=True) if not fault]
    return seen.count(FULL) >= plan.confirming_looks


def _tick(journal: Journal, weights: Mapping[str, int], verdict: Verdict) -> dict[str, Any]:
    observation = journal.observations[-1]
    arms = {name: getattr(observation, name) for name in ARMS}
    return {
        "time": observation.time,
        "step": journal.step,
        "weights": dict(weights),
        "requests": {name: arm.requests for name, arm in arms.items()},
        "errors": {name: arm.errors for name, arm in arms.items()},
        "latency_p50_ms": {name: _median_ms(arm) for name, arm in arms.items()},
        "loss": {name: float(np.mean(arm.losses)) if arm.losses else None for name, arm in arms.items()},
        "pairs": len(observation.differences),
        "unseen": observation.unseen,
        **verdict.as_dict(),
    }


def _median_ms(arm: ArmObservation) -> float | None:
    return 1000 * float(np.median(arm.latencies_s)) if arm.latencies_s else None


@contextmanager
def _back_to_stable(endpoint: DeployedEndpoint, traffic: Traffic) -> Iterator[None]:
    try:
        yield
    except ObjectChanged:
        raise
    except BaseException:
        log.warning("the rollout of %s is interrupted; all traffic goes back to stable", endpoint.name)
        traffic.set_weights(endpoint, ALL_STABLE)
        raise
