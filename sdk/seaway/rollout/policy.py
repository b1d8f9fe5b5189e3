"""What the judge is asked to guard, and how sure it has to be."""

from dataclasses import dataclass, replace

from seaway.errors import InvalidSpec


@dataclass(frozen=True)
class Bounds:
    """How much worse the candidate may be: rolled back when worse than `tolerance`, promoted only if below `margin`.

    `share` is this criterion's part of the false-alarm budget, relative to the others'.
    """

    tolerance: float
    margin: float
    share: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.tolerance < self.margin or self.share <= 0:
            raise InvalidSpec(
                f"Bounds need 0 <= tolerance < margin, share > 0; got {self.tolerance}, {self.margin}, {self.share}. "
                "The gap between tolerance and margin is what lets a harmless change be promoted in bounded time."
            )


@dataclass(frozen=True)
class LatencyBounds:
    """Relative worsening of each quantile: 0.25 is 25 % slower."""

    bounds: Bounds = Bounds(tolerance=0.25, margin=1.0)
    quantiles: tuple[float, ...] = (0.5, 0.9)

    def __post_init__(self) -> None:
        if not self.quantiles or not all(0 < quantile < 1 for quantile in self.quantiles):
            raise InvalidSpec(f"Latency quantiles are between 0 and 1, such as 0.5 and 0.9; got {self.quantiles}.")


@dataclass(frozen=True)
class Policy:
    """Criteria (None leaves one out) and error rates over all looks of a rollout together.

    `false_rollback` bounds the chance that a candidate within every tolerance is rolled back, `false_promotion` the
    chance that one outside some margin is promoted. `budget` is in requests of both arms; a look without usable
    metrics is blind. Errors are a difference of proportions, quality one of mean losses in [0, 1].
    """

    errors: Bounds | None = Bounds(tolerance=0.0, margin=0.01, share=3.0)
    latency: LatencyBounds | None = LatencyBounds()
    quality: Bounds | None = Bounds(tolerance=0.0, margin=0.01)
    false_rollback: float = 0.05
    false_promotion: float = 0.05
    budget: int = 6_000
    min_requests: int = 100
    max_age_s: float = 30.0
    max_missing: int = 5

    def __post_init__(self) -> None:
        if self.errors is None:
            raise InvalidSpec("A rollout always guards errors: give Policy.errors bounds.")
        if any(bounds.margin >= 1 for bounds in (self.errors, self.quality) if bounds):
            raise InvalidSpec("Margins of errors and quality are differences of figures in [0, 1]: give one below 1.")
        if not (0 < self.false_rollback < 1 and 0 < self.false_promotion < 1):
            raise InvalidSpec("false_rollback and false_promotion are probabilities, such as 0.05.")
        if self.budget < 1 or self.min_requests < 1 or self.max_age_s <= 0 or self.max_missing < 1:
            raise InvalidSpec("budget, min_requests, max_age_s and max_missing are positive.")

    @classmethod
    def of(cls, errors: float, latency: float, quality: float, false_rollback: float, budget: int) -> "Policy":
        """A policy from margins: no rise of errors is tolerated, of latency and quality a quarter of the margin is.

        A latency or quality margin of 0 leaves the criterion out.
        """
        return cls(
            errors=Bounds(0.0, errors, share=3.0),
            latency=LatencyBounds(Bounds(latency / 4, latency)) if latency else None,
            quality=Bounds(quality / 4, quality) if quality else None,
            false_rollback=false_rollback,
            budget=budget,
        )

    @property
    def criteria(self) -> dict[str, Bounds]:
        """Bounds of the criteria in force, by name; each latency quantile is a criterion of its own."""
        named = {"errors": self.errors, "quality": self.quality}
        found = {name: bounds for name, bounds in named.items() if bounds}
        if self.latency is None:
            return found
        bounds = self.latency.bounds
        part = replace(bounds, share=bounds.share / len(self.latency.quantiles))
        return {**found, **{f"latency p{100 * quantile:g}": part for quantile in self.latency.quantiles}}

    def significance(self, criterion: str) -> float:
        """The criterion's share of `false_rollback`."""
        shares = {name: bounds.share for name, bounds in self.criteria.items()}
        return self.false_rollback * shares[criterion] / sum(shares.values())
