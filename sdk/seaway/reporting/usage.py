"""What a step asked for and used of a machine, and what that costs by a price list of the user's own."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from seaway.errors import InvalidSpec

HOUR_S, GIB = 3600.0, 1 << 30
CURRENCY = re.compile(r"\S{1,8}")
Spell = tuple["Usage | None", float | None]  # what something had of a machine, and for how many seconds


@dataclass(frozen=True)
class Usage:
    """Of one step, all its attempts together.

    Attributes:
        cpu_seconds: of processor time that was used; None where nobody knows.
        memory_gib: GiB at its peak; None where nobody knows.
        asked_cpu: cores that were asked for.
        asked_memory_gib: GiB that were asked for.
        asked_gpus: accelerators that were asked for.
    """

    cpu_seconds: float | None = None
    memory_gib: float | None = None
    asked_cpu: float = 0.0
    asked_memory_gib: float = 0.0
    asked_gpus: float = 0.0

    def more(self, cpu_seconds: float, memory_gib: float) -> "Usage":
        """With another attempt."""
        most = max(self.memory_gib or 0.0, memory_gib)
        return Usage(**{**asdict(self), "cpu_seconds": (self.cpu_seconds or 0.0) + cpu_seconds, "memory_gib": most})

    def plain(self) -> dict[str, float]:
        """As JSON, without what is not known or was not asked for."""
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> "Usage | None":
        """What `plain` made; None of nothing."""
        return cls(**plain) if plain else None


@dataclass(frozen=True)
class Prices:
    """What an hour costs; parts that are not named cost nothing.

    Raises:
        InvalidSpec: a price is no number or is negative, or there is none, or the currency is no short word.
    """

    currency: str
    cpu_hour: float = 0.0
    gib_hour: float = 0.0
    gpu_hour: float = 0.0

    def __post_init__(self) -> None:
        prices = {name: value for name, value in asdict(self).items() if name != "currency"}
        for name, value in prices.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
                raise InvalidSpec(f"prices: {name}={value!r} must be a number, zero or more.")
        if not any(prices.values()):
            raise InvalidSpec(f"prices: none of {', '.join(prices)} is given, so nothing would cost anything.")
        if not isinstance(self.currency, str) or not CURRENCY.fullmatch(self.currency):
            raise InvalidSpec(f"prices: currency={self.currency!r} must be a short word, such as EUR.")

    def cost(self, usage: Usage | None, seconds: float | None) -> float | None:
        """Of a step: what it asked for while it ran, or used where that is more; None where too little is known."""
        if usage is None or seconds is None:
            return None
        cpu = max(usage.asked_cpu * seconds, usage.cpu_seconds or 0.0)
        memory = max(usage.asked_memory_gib, usage.memory_gib or 0.0) * seconds
        spent = cpu * self.cpu_hour + memory * self.gib_hour + usage.asked_gpus * seconds * self.gpu_hour
        return spent / HOUR_S

    def total(self, spells: Iterable[Spell]) -> float:
        """Of those of whom it is known."""
        return sum(self.cost(usage, seconds) or 0.0 for usage, seconds in spells)

    def text(self, amount: float) -> str:
        """An amount with its currency; small ones keep two figures that say something."""
        digits = 2 if amount >= 1 or not amount else 4
        return f"{amount:,.{digits}f} {self.currency}"
