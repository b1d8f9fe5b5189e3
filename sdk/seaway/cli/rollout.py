"""`seaway rollout plan`: what a rollout's budget can decide, before the first request."""

from collections.abc import Sequence
from dataclasses import asdict

import typer

from seaway.cli.output import print_json, print_table
from seaway.rollout.forecast import Load, Outcome, forecast, worst_safe
from seaway.rollout.policy import Bounds, Policy

DECIDED = 0.9  # share of rollouts that are to be decided


def plan(error_rate: float, error_margin: float, relative: bool, budget: int, shadow: float, as_json: bool) -> None:
    """Print how rollouts of an equal candidate, and of worse ones, will end."""
    policy = Policy(errors=Bounds(0.0, error_margin, share=3.0, relative=relative), budget=budget)
    margin = worst_safe(policy, error_rate)
    twice = min(2 * margin - error_rate, 1.0)
    outcomes = forecast(policy, Load(error_rate, shadow=shadow), (error_rate, margin, twice))
    if as_json:
        print_json([{**asdict(outcome), "undecided": outcome.undecided} for outcome in outcomes])
    else:
        _print(outcomes)


def _print(outcomes: Sequence[Outcome]) -> None:
    names = ("equal", "at the margin", "twice as far")
    rows = [
        (
            f"{name}: {outcome.error_rate:.2%} errors",
            f"{outcome.promoted:.0%}",
            f"{outcome.rolled_back:.0%}",
            f"{outcome.undecided:.0%}",
            f"{outcome.requests:,}",
        )
        for name, outcome in zip(names, outcomes, strict=True)
    ]
    print_table(("candidate", "promoted", "rolled back", "undecided", "requests, median"), rows)
    if outcomes[0].promoted < DECIDED:
        typer.echo(
            "This budget does not decide this margin: an equal candidate often ends undecided, on stable. "
            "Give a larger budget or margin, or a relative one (--relative)."
        )
