"""`seaway rollout plan`: what a rollout's budget can decide, before the first request."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import typer

from seaway import platforms
from seaway.cli.output import print_json, print_table
from seaway.rollout.forecast import Load, Outcome, candidates, forecast
from seaway.rollout.history import History
from seaway.rollout.ledger import Ledger
from seaway.rollout.policy import Bounds, Policy
from seaway.rollout.state import RolloutStore

DECIDED = 0.9  # share of rollouts that are to be decided


@dataclass(frozen=True)
class Assumed:
    """What stands in for a history: stable's error rate, and standard deviations of log latencies and of losses'
    differences."""

    error_rate: float | None
    latency_spread: float
    loss_spread: float


def policy_of(errors: float, relative: bool, latency: float, quality: float, budget: int) -> Policy:
    """As `roll_out` has it, from margins."""
    policy = Policy.of(errors, latency, quality, false_rollback=0.05, budget=budget)
    return replace(policy, errors=Bounds(0.0, errors, share=3.0, relative=relative)) if relative else policy


def plan(policy: Policy, endpoint: str, assumed: Assumed, shadow: float, as_json: bool) -> None:
    """Print how rollouts of an equal candidate, and of worse ones, will end."""
    history = _history(endpoint)
    if assumed.error_rate is None and not history.usual.requests:
        raise typer.BadParameter(
            f"no rollouts of {endpoint or 'an endpoint'} tell stable's usual error rate: give --error-rate"
        )
    load = Load.of(history.usual, assumed.latency_spread, assumed.loss_spread, shadow)
    if assumed.error_rate is not None:
        load = replace(load, error_rate=assumed.error_rate)
    level = Ledger.of(history.ledger, time.time()).level(policy) if endpoint else policy.false_promotion
    outcomes = forecast(
        replace(policy, false_promotion=level), load, candidates(policy, load.error_rate), history.noise
    )
    if as_json:
        print_json([{**asdict(one.candidate), **_figures(one)} for one in outcomes])
    else:
        _print(outcomes, history, load)


def _history(endpoint: str) -> History:
    return History.of(platforms.current(RolloutStore).history(endpoint)) if endpoint else History()


def _figures(outcome: Outcome) -> dict[str, float]:
    figures = {name: value for name, value in asdict(outcome).items() if name != "candidate"}
    return {**figures, "undecided": outcome.undecided}


def _print(outcomes: Sequence[Outcome], history: History, load: Load) -> None:
    rows = [
        (
            outcome.candidate.name,
            f"{outcome.promoted:.0%}",
            f"{outcome.rolled_back:.0%}",
            f"{outcome.undecided:.0%}",
            f"{outcome.requests:,}",
            f"{outcome.hours:.2g}" if outcome.hours else "",
        )
        for outcome in outcomes
    ]
    print_table(("candidate", "promoted", "rolled back", "undecided", "requests, median", "hours"), rows)
    looks = sum(rollout.looks for rollout in history.rollouts)
    typer.echo(
        f"Stable fails {load.error_rate:.2%} of its requests. "
        + (f"From {len(history.rollouts)} rollouts with {looks} looks of noise." if looks else "No history was used.")
    )
    if outcomes[0].promoted < DECIDED:
        typer.echo(
            "This budget does not decide these margins: an equal candidate often ends undecided, on stable. "
            "Give a larger budget or margin, or a relative one (--relative)."
        )
