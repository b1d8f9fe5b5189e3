"""The canary judge: observations in, a decision with its evidence out. Pure, and right at every look."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from seaway.rollout.judge import autocorrelation
from seaway.rollout.judge.criteria import Comparison, comparisons
from seaway.rollout.judge.verdict import Decision, Evidence, Finding, Hypothesis, Verdict
from seaway.rollout.observations import Observation
from seaway.rollout.policy import Bounds, Policy

Weighing = Callable[[str, Comparison, Bounds, float, float], Evidence]

HALVINGS = 12  # of a span of 2: intervals are right to 0.0005


def judge(observations: Sequence[Observation], policy: Policy) -> Verdict:
    """Decide on all looks of a rollout so far, the oldest first.

    ROLLBACK as soon as one criterion is HARMFUL; PROMOTE once all are SAFE, both arms had `min_requests`, and the
    last look was no blind one; INCONCLUSIVE when the budget is spent, the last `max_missing` looks were blind, or
    as many in all had requests astray; else CONTINUE. Over all looks together a candidate within every tolerance is
    rolled back with probability at most `policy.false_rollback`, and one outside some margin is promoted with at most
    `policy.false_promotion`.
    """
    return _verdict(observations, policy, evidence_with_interval)


def judge_fast(observations: Sequence[Observation], policy: Policy) -> Verdict:
    """As `judge`, without the confidence sequences: they decide nothing and take nine tenths of its time."""
    return _verdict(observations, policy, evidence_of)


def _verdict(observations: Sequence[Observation], policy: Policy, weighing: Weighing) -> Verdict:
    faults = [observation.fault(policy.max_age_s) for observation in observations]
    usable = [observation for observation, fault in zip(observations, faults, strict=True) if not fault]
    evidence = tuple(
        weighing(name, comparison, policy.criteria[name], policy.significance(name), policy.false_promotion)
        for name, comparison in comparisons(usable, policy).items()
    )
    unattributed = sum(observation.unattributed > 0 for observation in observations)
    decision, reason = _decide(evidence, usable, faults, unattributed, policy)
    return Verdict(decision, reason, evidence)


def _decide(
    evidence: Sequence[Evidence],
    usable: Sequence[Observation],
    faults: Sequence[str],
    unattributed: int,
    policy: Policy,
) -> tuple[Decision, str]:
    harmful = [item.sentence for item in evidence if item.finding is Finding.HARMFUL]
    undecided = [item.sentence for item in evidence if item.finding is Finding.UNDECIDED]
    lacking = _lacking(usable, policy)
    missing = _trailing(faults)
    if harmful:
        return Decision.ROLLBACK, " ".join(harmful)
    if missing >= policy.max_missing:
        return Decision.INCONCLUSIVE, f"The last {missing} looks saw nothing: {faults[-1]}."
    if unattributed >= policy.max_missing:
        return (
            Decision.INCONCLUSIVE,
            f"In {unattributed} looks requests got no answer, and which arm had them is unknown.",
        )
    if not undecided and not lacking and not missing:
        return Decision.PROMOTE, " ".join(item.sentence for item in evidence)
    unseen = f"The last look saw nothing: {faults[-1]}." if missing else ""
    open_questions = " ".join(part for part in (lacking, *undecided, unseen) if part)
    if sum(observation.stable.requests + observation.candidate.requests for observation in usable) >= policy.budget:
        return Decision.INCONCLUSIVE, f"The budget of {policy.budget:,} requests is spent. {open_questions}"
    return Decision.CONTINUE, open_questions


def _lacking(usable: Sequence[Observation], policy: Policy) -> str:
    totals = {arm: sum(getattr(observation, arm).requests for observation in usable) for arm in ("stable", "candidate")}
    short = [f"{arm} answered {total:,}" for arm, total in totals.items() if total < policy.min_requests]
    return f"Each arm must answer {policy.min_requests:,} requests; {', '.join(short)}." if short else ""


def _trailing(faults: Sequence[str]) -> int:
    return next((age for age, fault in enumerate(reversed(faults)) if not fault), len(faults))


def evidence_of(name: str, comparison: Comparison, bounds: Bounds, harm_level: float, safety_level: float) -> Evidence:
    """Evidence of one criterion, without its confidence sequence."""
    log_e_harm, log_e_safety = harm(comparison, bounds.tolerance), safety(comparison, bounds.margin)
    finding = _finding(log_e_harm >= math.log(1 / harm_level), log_e_safety >= math.log(1 / safety_level))
    return Evidence(
        criterion=name,
        finding=finding,
        estimate=comparison.estimate,
        lower=None,
        upper=None,
        unit=comparison.unit,
        log_e_harm=log_e_harm,
        log_e_safety=log_e_safety,
        inflation=float(comparison.noise(0.0).inflation),
        n=comparison.n,
        sentence=_sentence(name, finding, comparison, bounds),
    )


def evidence_with_interval(
    name: str, comparison: Comparison, bounds: Bounds, harm_level: float, safety_level: float
) -> Evidence:
    """Evidence of one criterion, its confidence sequence included.

    The interval's lower end is the largest worsening whose null hypothesis harm evidence rejects at `harm_level`, the
    upper end the smallest that safety evidence rejects at `safety_level`; each end is valid on its own.
    """
    found = evidence_of(name, comparison, bounds, harm_level, safety_level)
    if found.estimate is None:
        return found
    enough_harm, enough_safety = math.log(1 / harm_level), math.log(1 / safety_level)
    lower = _crossing(lambda bound: harm(comparison, bound) >= enough_harm, *comparison.span)
    upper = _crossing(lambda bound: safety(comparison, bound) < enough_safety, *comparison.span)
    between = f" (between {lower:+.3g} and {upper:+.3g} at all looks)"
    sentence = _sentence(name, found.finding, comparison, bounds, between)
    return replace(found, lower=lower, upper=upper, sentence=sentence)


def harm(comparison: Comparison, bound: float) -> float:
    """Log e-value against "the worsening is at most `bound`"."""
    return float(autocorrelation.strongest(comparison.log_bets(Hypothesis.HARM, bound), comparison.noise(bound)))


def safety(comparison: Comparison, bound: float) -> float:
    """Log e-value against "the worsening is at least `bound`"."""
    return float(autocorrelation.whole(comparison.log_bets(Hypothesis.SAFETY, bound), comparison.noise(bound)))


def _finding(harmful: bool, safe: bool) -> Finding:
    if harmful:
        return Finding.HARMFUL
    return Finding.SAFE if safe else Finding.UNDECIDED


def _crossing(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Where a condition that holds for small values stops holding; an end of the span where it never changes."""
    if not holds(low):
        return low
    if holds(high):
        return high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return (low + high) / 2


def _sentence(name: str, finding: Finding, comparison: Comparison, bounds: Bounds, between: str = "") -> str:
    if comparison.estimate is None:
        return f"{name.capitalize()}: nothing to compare yet."
    verdicts = {
        Finding.HARMFUL: f"worse than the tolerated {bounds.tolerance:g}",
        Finding.SAFE: f"within the margin of {bounds.margin:g}",
        Finding.UNDECIDED: f"neither shown worse than {bounds.tolerance:g} nor shown within {bounds.margin:g}",
    }
    stable, candidate = comparison.n
    return (
        f"{name.capitalize()}: {comparison.unit} {comparison.estimate:+.3g}{between} after {stable:,} stable and "
        f"{candidate:,} candidate observations: {verdicts[finding]}."
    )
