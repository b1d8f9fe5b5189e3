"""What the judge is asked to guard, and how sure it has to be."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from seaway.errors import InvalidSpec

DISTRIBUTION = "latency distribution"
MAX_RESTARTS = 8
TAIL = 0.95  # above this quantile a latency is one of the tail


@dataclass(frozen=True)
class Bounds:
    """How much worse the candidate may be: rolled back when worse than `tolerance`, promoted only if below `margin`.

    `share` is this criterion's part of the false-alarm budget, relative to the others'. `relative` bounds of errors are
    of stable's own odds of an error: 0.5 is half as many again, whatever the rate.
    """

    tolerance: float
    margin: float
    share: float = 1.0
    relative: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.tolerance < self.margin or self.share <= 0:
            raise InvalidSpec(
                f"Bounds need 0 <= tolerance < margin, share > 0; got {self.tolerance}, {self.margin}, {self.share}. "
                "The gap between tolerance and margin is what lets a harmless change be promoted in bounded time."
            )


@dataclass(frozen=True)
class LatencyBounds:
    """Relative worsening of each quantile and of the whole distribution: 0.25 is 25 % slower.

    `tail` is for quantiles above 0.95. They rest on few requests, which differ by more: with the same margin most
    rollouts would end undecided.
    """

    bounds: Bounds = Bounds(tolerance=0.25, margin=1.0)
    quantiles: tuple[float, ...] = (0.5, 0.9, 0.99)
    tail: Bounds = Bounds(tolerance=0.25, margin=4.0)

    def __post_init__(self) -> None:
        if not self.quantiles or not all(0 < quantile < 1 for quantile in self.quantiles):
            raise InvalidSpec(f"Latency quantiles are between 0 and 1, such as 0.5 and 0.9; got {self.quantiles}.")

    @property
    def named(self) -> dict[str, float]:
        """Quantiles by the names of their criteria."""
        return {f"latency p{100 * quantile:g}": quantile for quantile in self.quantiles}

    def bounds_of(self, quantile: float) -> Bounds:
        """The bounds of one quantile; all of them together have one half of the share of latency."""
        bounds = self.tail if quantile > TAIL else self.bounds
        return replace(bounds, share=self.bounds.share / 2 / len(self.quantiles))


@dataclass(frozen=True)
class Policy:
    """Criteria (None leaves one out) and error rates over all looks of a rollout together.

    `false_rollback` bounds the chance that a candidate within every tolerance is rolled back, `false_promotion` the
    chance that one outside some margin is promoted, `false_discovery` the expected share of such ones among all that
    are promoted in a year. `budget` is in requests of both arms; a look without usable
    metrics is blind, and a rollout is ended by `max_missing` of them in a row, or in all if they are also more than
    `max_missing_share` of its looks, or by `max_blind` in all. `max_error_rate` is promoted in no comparison.
    `restarts` is the number of changes of the weights after which the evidence starts anew beside the old one.
    Errors are a difference of proportions, quality one of mean losses in [0, 1].
    """

    errors: Bounds | None = Bounds(tolerance=0.0, margin=0.01, share=3.0)
    latency: LatencyBounds | None = LatencyBounds()
    quality: Bounds | None = Bounds(tolerance=0.0, margin=0.01)
    false_rollback: float = 0.05
    false_promotion: float = 0.05
    false_discovery: float = 0.1
    budget: int = 6_000
    min_requests: int = 100
    max_age_s: float = 30.0
    max_missing: int = 5
    max_missing_share: float = 0.2
    max_blind: int = 20
    max_error_rate: float = 0.2
    restarts: int = 3

    def __post_init__(self) -> None:
        if self.errors is None:
            raise InvalidSpec("A rollout always guards errors: give Policy.errors bounds.")
        if self.quality and self.quality.relative:
            raise InvalidSpec(
                "The bounds of quality are differences of mean losses; only those of errors are relative."
            )
        if any(bounds.margin >= 1 and not bounds.relative for bounds in (self.errors, self.quality) if bounds):
            raise InvalidSpec("Margins of errors and quality are differences of figures in [0, 1]: give one below 1.")
        if not all(0 < chance < 1 for chance in (self.false_rollback, self.false_promotion, self.false_discovery)):
            raise InvalidSpec("false_rollback, false_promotion and false_discovery are probabilities, such as 0.05.")
        if self.budget < 1 or self.min_requests < 1 or self.max_age_s <= 0 or self.max_missing < 1:
            raise InvalidSpec("budget, min_requests, max_age_s and max_missing are positive.")
        if not (0 <= self.max_missing_share < 1 and self.max_blind >= self.max_missing and 0 < self.max_error_rate < 1):
            raise InvalidSpec(
                "max_missing_share is a share below 1, max_blind at least max_missing, and max_error_rate a rate "
                f"between 0 and 1; got {self.max_missing_share}, {self.max_blind}, {self.max_error_rate}."
            )
        if not 0 <= self.restarts <= MAX_RESTARTS:
            raise InvalidSpec(f"restarts is {self.restarts}: evidence can start anew {MAX_RESTARTS} times at most.")

    @classmethod
    def of(cls, errors: float, latency: float, quality: float, false_rollback: float, budget: int) -> "Policy":
        """A policy from margins: no rise of errors is tolerated, of latency and quality a quarter of the margin is.

        The latency of quantiles above 0.95 may rise by four times the margin before it keeps a candidate back.

        A latency or quality margin of 0 leaves the criterion out.
        """
        return cls(
            errors=Bounds(0.0, errors, share=3.0),
            latency=LatencyBounds(Bounds(latency / 4, latency), tail=Bounds(latency / 4, 4 * latency))
            if latency
            else None,
            quality=Bounds(quality / 4, quality) if quality else None,
            false_rollback=false_rollback,
            budget=budget,
        )

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Policy":
        """Of `dataclasses.asdict`, whose tuples JSON has made lists. Raises: InvalidSpec, TypeError."""
        latency = value["latency"]
        latencies = latency and LatencyBounds(
            Bounds(**latency["bounds"]), tuple(latency["quantiles"]), Bounds(**latency["tail"])
        )
        named = {name: value[name] and Bounds(**value[name]) for name in ("errors", "quality")}
        return cls(**{**value, **named, "latency": latencies})

    @property
    def criteria(self) -> dict[str, Bounds]:
        (
            """Bounds of the criteria in force, by name.

        Each latency quantile is a criterion of its own; together they have one half of latency's share, and the whole
        distribution has the other.
        """
            ""
        )
        named = {"errors": self.errors, "quality": self.quality}
        found = {name: bounds for name, bounds in named.items() if bounds}
        if self.latency is None:
            return found
        quantiles = {name: self.latency.bounds_of(quantile) for name, quantile in self.latency.named.items()}
        whole = replace(self.latency.bounds, share=self.latency.bounds.share / 2)
        return {**found, **quantiles, DISTRIBUTION: whole}

    def significance(self, criterion: str) -> float:
        """The criterion's share of `false_rollback`."""
        shares = {name: bounds.share for name, bounds in self.criteria.items()}
        return self.false_rollback * shares[criterion] / sum(shares.values())
