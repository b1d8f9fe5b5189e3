"""How much a study may cost."""

from dataclasses import dataclass

from seaway.errors import InvalidSpec


@dataclass(frozen=True)
class Budget:
    """Bounds of a study; the first that is reached ends it, and running trials with it.

    Args:
        trials: Trials that are started; 0 leaves the training's params as they are.
        seconds: Wall-clock time.
        epochs: Epochs, summed over all trials, the pruned and failed ones included.
        max_failed: Failed trials that are put up with; one more ends the study as failed.
    Raises:
        InvalidSpec: a bound is out of range.
    """

    trials: int
    seconds: float | None = None
    epochs: int | None = None
    max_failed: int = 3

    def __post_init__(self) -> None:
        if self.trials < 0 or self.max_failed < 0:
            raise InvalidSpec(f"trials={self.trials}, max_failed={self.max_failed}: neither can be below 0.")
        for name in ("seconds", "epochs"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InvalidSpec(f"{name}={value}: give a number above 0, or none for no bound.")
