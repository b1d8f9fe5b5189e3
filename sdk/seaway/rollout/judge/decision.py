"""The canary judge: observations in, a decision with its evidence out. Pure, and right at every look."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from seaway.rollout.judge import autocorrelation
from seaway.rollout.judge.autocorrelation import Floats, Prior, prior_of_residuals, standardized
from seaway.rollout.judge.bets import Bets
from seaway.rollout.judge.ceiling import ceiling_bets, failing_share
from seaway.rollout.judge.criteria import Comparison, comparisons
from seaway.rollout.judge.split import split_bets
from seaway.rollout.judge.verdict import Decision, Evidence, Finding, Hypothesis, Verdict
from seaway.rollout.judge.wanted import wanted
from seaway.rollout.observations import Observation, faults
from seaway.rollout.policy import Bounds, Policy

Weighing = Callable[["Question"], Evidence]

HALVINGS = 12  # of a span of 2: intervals are right to 0.0005
FULL = 100  # percent
BROKEN = 1e-3  # chance that the split of the traffic, or the ceiling of errors, wrongly ends a rollout


@dataclass(frozen=True)
class Question:
    """What is asked of one criterion: harm on all that was seen, safety on what the metrics confirm.

    `changes` are the places, among the looks of harm, where the weights changed.
    """

    name: str
    harm: Comparison
    safety: Comparison
    bounds: Bounds
    harm_level: float
    safety_level: float
    changes: Sequence[int] = ()
    restarts: int = 0


def judge(observations: Sequence[Observation], policy: Policy, priors: Mapping[str, Prior] | None = None) -> Verdict:
    """Decide on all looks of a rollout so far, the oldest first.

    ROLLBACK as soon as one criterion is HARMFUL, by what the metrics tell or the client saw itself, or the candidate
    fails more often than any may; PROMOTE once all are SAFE, both arms had `min_requests`, errors are below
    `max_error_rate` at the present weights, and neither the last look nor too many of all were blind; INCONCLUSIVE when
    the budget is spent, too many looks were blind or had requests astray, or the traffic does not follow its weights;
    else CONTINUE. Over all looks together a candidate within every tolerance is rolled back with probability at most
    `policy.false_rollback`, and one outside some margin is promoted with at most `policy.false_promotion`.

    Args:
        priors: the noise of earlier rollouts by criterion, as `known_noise` has it.
    """
    return _verdict(observations, policy, priors, evidence_with_interval)


def judge_fast(
    observations: Sequence[Observation], policy: Policy, priors: Mapping[str, Prior] | None = None
) -> Verdict:
    """As `judge`, without the confidence sequences: they decide nothing and take nine tenths of its time."""
    return _verdict(observations, policy, priors, evidence_of)


def known_noise(rollouts: Sequence[Sequence[Observation]], policy: Policy) -> Mapping[str, Prior]:
    """What earlier rollouts of an endpoint, or looks at two arms of one model, say about each criterion's noise."""
    each = [residuals(usable_looks(observations, policy), policy) for observations in rollouts]
    return {name: prior_of_residuals([known[name] for known in each]) for name in policy.criteria}


def residuals(looks: Sequence[Observation], policy: Policy) -> Mapping[str, Floats]:
    """How far each usable look's difference is from the mean of all, by criterion, as `standardized` has it."""
    compared = comparisons(looks, policy)
    return {name: standardized(compared[name].bets(Hypothesis.HARM, 0.0)[0].noise) for name in policy.criteria}


def usable_looks(observations: Sequence[Observation], policy: Policy) -> list[Observation]:
    """The looks that may tell that all is well."""
    found = faults(observations, policy.max_age_s)
    return [observation for observation, fault in zip(observations, found, strict=True) if not fault]


def _verdict(
    observations: Sequence[Observation], policy: Policy, priors: Mapping[str, Prior] | None, weighing: Weighing
) -> Verdict:
    found = faults(observations, policy.max_age_s)
    pairs = list(zip(observations, found, strict=True))
    usable = [observation for observation, fault in pairs if not fault]
    witnessed = [observation for observation, fault in pairs if not fault or observation.testifies()]
    evidence = tuple(weighing(question) for question in _questions(usable, witnessed, policy, priors))
    lacking = " ".join(_lacking(usable, found, policy))
    broken = _astray(usable, policy) or _unseen(found, observations, policy)
    spent = sum(observation.stable.requests + observation.candidate.requests for observation in usable) >= policy.budget
    told = (
        f"The budget of {policy.budget:,} requests is spent. {wanted(evidence, policy.false_promotion)}"
        if spent
        else ""
    )
    decision, reason = _decide(evidence, _failing(witnessed, policy), lacking, broken, told.strip())
    return Verdict(decision, reason, evidence, lacking)


def _questions(
    usable: Sequence[Observation],
    witnessed: Sequence[Observation],
    policy: Policy,
    priors: Mapping[str, Prior] | None,
) -> list[Question]:
    safety = comparisons(usable, policy, priors)
    controlled = with_control(witnessed)
    harm = safety if controlled == list(usable) else comparisons(controlled, policy, priors)
    changes = changes_of(witnessed)
    return [
        Question(
            name,
            harm[name],
            safety[name],
            bounds,
            policy.significance(name),
            policy.false_promotion,
            changes,
            policy.restarts,
        )
        for name, bounds in policy.criteria.items()
    ]


def with_control(observations: Sequence[Observation]) -> list[Observation]:
    """At full traffic, where nothing is asked of stable, its last looks before stand in for it.

    Somebody else's route may not heed which arm is asked for. What both arms share is then no longer taken off.
    """
    before = [observation.stable for observation in observations if observation.stable.requests]
    alone = [place for place, observation in enumerate(observations) if _uncontrolled(observation)]
    found = list(observations)
    for age, place in enumerate(alone if before else ()):
        found[place] = replace(found[place], stable=before[-1 - age % len(before)])
    return found


def _uncontrolled(observation: Observation) -> bool:
    return observation.weight == FULL and not observation.stable.requests


def changes_of(observations: Sequence[Observation]) -> list[int]:
    """Where the candidate's share of the traffic is another than at the look before."""
    weights = [observation.weight for observation in observations]
    return [place for place in range(1, len(weights)) if weights[place] != weights[place - 1]]


def _decide(
    evidence: Sequence[Evidence], failing: Sequence[str], lacking: str, broken: str, spent: str
) -> tuple[Decision, str]:
    harmful = [*failing, *(item.sentence for item in evidence if item.finding is Finding.HARMFUL)]
    if harmful:
        return Decision.ROLLBACK, " ".join(harmful)
    if broken:
        return Decision.INCONCLUSIVE, broken
    undecided = [item.sentence for item in evidence if item.finding is not Finding.SAFE]
    open_questions = " ".join(part for part in (lacking, *undecided) if part)
    if not open_questions:
        return Decision.PROMOTE, " ".join(item.sentence for item in evidence)
    if spent:
        return Decision.INCONCLUSIVE, f"{spent} {open_questions}"
    return Decision.CONTINUE, open_questions


def _failing(witnessed: Sequence[Observation], policy: Policy) -> list[str]:
    """That the candidate fails more often than any may, whatever stable does."""
    bets = ceiling_bets(witnessed, policy.max_error_rate)
    if _strongest(bets, changes_of(witnessed), policy.restarts) < enough(BROKEN):
        return []
    return [
        f"Errors: the candidate fails {_failing_now(witnessed):.1%} of its requests, and with more than "
        f"{policy.max_error_rate:.0%} none is promoted, whatever stable does."
    ]


def _astray(usable: Sequence[Observation], policy: Policy) -> str:
    """That the arms do not get what the weights give them; empty if they do."""
    astray = _strongest(split_bets(usable), changes_of(usable), policy.restarts) >= enough(BROKEN)
    return f"The traffic does not follow its weights: {_shares(usable)}." if astray else ""


def _shares(usable: Sequence[Observation]) -> str:
    """Who got what at the latest weights."""
    weight = usable[-1].weight
    routed = [observation.routed for observation in usable if observation.weight == weight and observation.routed]
    stable, candidate = (sum(counts[arm] for counts in routed) for arm in range(2))
    return f"at a weight of {weight} % the candidate got {candidate:,} of {stable + candidate:,} requests"


def _unseen(found: Sequence[str], observations: Sequence[Observation], policy: Policy) -> str:
    """Why too little was seen; empty if it was enough."""
    missing, blind = _trailing(found), sum(map(bool, found))
    if missing >= policy.max_missing:
        return f"The last {missing} looks saw nothing: {found[-1]}."
    unattributed = sum(observation.unattributed > 0 for observation in observations)
    if unattributed >= policy.max_missing:
        return f"In {unattributed} looks requests got no answer, and which arm had them is unknown."
    too_many = blind >= policy.max_missing and blind > policy.max_missing_share * len(found)
    if too_many or blind >= policy.max_blind:
        return (
            f"{blind} of {len(found)} looks saw nothing, the last of them: {[fault for fault in found if fault][-1]}."
        )
    return ""


def _lacking(usable: Sequence[Observation], found: Sequence[str], policy: Policy) -> list[str]:
    """What a promotion needs beside safe criteria and was not seen yet."""
    totals = {arm: sum(getattr(observation, arm).requests for observation in usable) for arm in ("stable", "candidate")}
    short = [f"{arm} answered {total:,}" for arm, total in totals.items() if total < policy.min_requests]
    told = [f"Each arm must answer {policy.min_requests:,} requests; {', '.join(short)}."] if short else []
    blind = sum(map(bool, found))
    if found and found[-1]:
        told.append(f"The last look saw nothing: {found[-1]}.")
    if blind > policy.max_missing_share * len(found):
        told.append(f"{blind} of {len(found)} looks saw nothing; at most {policy.max_missing_share:.0%} may.")
    if (failing := _failing_now(usable)) > policy.max_error_rate:
        told.append(f"The candidate fails {failing:.1%} of its requests, above {policy.max_error_rate:.0%}.")
    return told


def _failing_now(observations: Sequence[Observation]) -> float:
    """The candidate's error rate, over all looks or at the present weights, whichever is larger."""
    present = observations[max(changes_of(observations), default=0) :]
    return max(failing_share(observations), failing_share(present))


def enough(level: float) -> float:
    """The log e-value that evidence of this significance has to reach (Ville's inequality)."""
    return math.log(1 / level)


def _trailing(found: Sequence[str]) -> int:
    return next((age for age, fault in enumerate(reversed(found)) if not fault), len(found))


def evidence_of(question: Question) -> Evidence:
    """Evidence of one criterion, without its confidence sequence."""
    staked = question.harm.bets(Hypothesis.HARM, question.bounds.tolerance)
    log_e_harm = min(_strongest(bets, question.changes, question.restarts) for bets in staked)
    log_e_safety = safety(question.safety, question.bounds.margin)
    harmful = log_e_harm >= enough(question.harm_level)
    finding = _finding(harmful, log_e_safety >= enough(question.safety_level))
    comparison = question.harm
    return Evidence(
        criterion=question.name,
        finding=finding,
        estimate=comparison.estimate,
        lower=None,
        upper=None,
        unit=comparison.unit,
        log_e_harm=log_e_harm,
        log_e_safety=log_e_safety,
        inflation=float(staked[0].noise.inflation),
        n=comparison.n,
        sentence=_sentence(question, finding),
    )


def evidence_with_interval(question: Question) -> Evidence:
    """Evidence of one criterion, its confidence sequence included.

    The interval's lower end is the largest worsening whose null hypothesis harm evidence rejects at its level, the
    upper end the smallest that safety evidence rejects at its own; each end is valid on its own. What is shown of the
    bound holds beyond it as well, so an end is never on the other side of a bound that is decided.
    """
    found, span = evidence_of(question), question.harm.span
    if found.estimate is None or span is None:
        return found
    enough_harm, enough_safety = enough(question.harm_level), enough(question.safety_level)
    bounds = question.bounds
    least = bounds.tolerance if found.finding is Finding.HARMFUL else span[0]
    most = bounds.margin if found.log_e_safety >= enough_safety else span[1]
    lower = _crossing(lambda bound: _harm(question, bound) >= enough_harm, least, span[1])
    upper = _crossing(lambda bound: safety(question.safety, bound) < enough_safety, span[0], most)
    between = f" (between {lower:+.3g} and {upper:+.3g} at all looks)"
    return replace(found, lower=lower, upper=upper, sentence=_sentence(question, found.finding, between))


def _harm(question: Question, bound: float) -> float:
    return harm(question.harm, bound, question.changes, question.restarts)


def harm(comparison: Comparison, bound: float, changes: Sequence[int] = (), restarts: int = 0) -> float:
    """Log e-value against "the worsening is at most `bound`"."""
    return min(_strongest(bets, changes, restarts) for bets in comparison.bets(Hypothesis.HARM, bound))


def safety(comparison: Comparison, bound: float) -> float:
    """Log e-value against "the worsening is at least `bound`"."""
    return min(
        float(autocorrelation.whole(bets.log_e, bets.noise, bets.prior))
        for bets in comparison.bets(Hypothesis.SAFETY, bound)
    )


def _strongest(bets: Bets, changes: Sequence[int], restarts: int) -> float:
    return float(autocorrelation.strongest(bets.log_e, bets.noise, bets.prior, changes, restarts))


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


def _sentence(question: Question, finding: Finding, between: str = "") -> str:
    name, comparison, bounds = question.name.capitalize(), question.harm, question.bounds
    if comparison.estimate is None:
        return f"{name}: nothing to compare yet."
    verdicts = {
        Finding.HARMFUL: f"worse than the tolerated {bounds.tolerance:g}",
        Finding.SAFE: f"within the margin of {bounds.margin:g}",
        Finding.UNDECIDED: f"neither shown worse than {bounds.tolerance:g} nor shown within {bounds.margin:g}",
    }
    stable, candidate = comparison.n
    return (
        f"{name}: {comparison.unit} {comparison.estimate:+.3g}{between} after {stable:,} stable and "
        f"{candidate:,} candidate observations: {verdicts[finding]}."
    )
