"""How much so many rows can tell of a candidate: the steps of the canary, and what they can decide."""

import math
from dataclasses import dataclass

FRACTIONS = (0.6, 0.15, 0.125, 0.125)  # train, validation, test, replay
FEWEST, MOST = 36, 0.3  # rows that a canary decides by, and the share of few rows that they may be
REQUESTS = 4_000  # that show errors of 1 % and a doubled latency beyond doubt; fewer rows are sent more than once
STEPS = ((5, 0.1), (25, 0.12), (50, 0.2), (100, 0.2))  # per cent of the traffic, share of the requests
MARGIN_ROWS = 1.5  # rises of the loss that n paired rows can tell are about this over the root of n
FEW = 5  # rows: so much more, in proportion, is what few rows tell, since they come in few looks
MARGINS = (0.02, 0.3)


@dataclass(frozen=True)
class Canary:
    """The plan of a rollout that is judged by a share of so many labelled rows."""

    rows: int

    @property
    def fractions(self) -> tuple[float, ...]:
        """Shares of train, validation, test and replay: of few rows more are held out, for else nothing is decided."""
        replay = max(FRACTIONS[3], min(MOST, FEWEST / self.rows))
        others = [round(share * (1 - replay) / (1 - FRACTIONS[3]), 3) for share in FRACTIONS[:3]]
        return *others, round(1 - sum(others), 3)

    @property
    def held_out(self) -> int:
        """Rows that it can be judged by."""
        return max(1, int(self.rows * self.fractions[3]))

    @property
    def passes(self) -> int:
        return max(1, math.ceil(REQUESTS / self.held_out))

    @property
    def weights(self) -> list[int]:
        return [weight for weight, _ in STEPS]

    @property
    def requests(self) -> list[int]:
        """At each weight; two thirds of what there is, so that the judge may take longer."""
        total = self.held_out * self.passes
        return [max(1, round(share * total)) for _, share in STEPS]

    @property
    def margin(self) -> float:
        """The least rise of the loss that so many rows can tell."""
        low, high = MARGINS
        return min(high, max(low, round(self._tellable, 2)))

    @property
    def _tellable(self) -> float:
        return MARGIN_ROWS / math.sqrt(self.held_out) * (1 + FEW / self.held_out)

    @property
    def told(self) -> str:
        """What it can decide, in a sentence or two."""
        shown = f"The canary is judged by {self.held_out:,} held-out rows"
        sent = f", each sent {self.passes} times" if self.passes > 1 else ""
        if self._tellable > MARGINS[1]:
            return (
                f"{shown}{sent}: too few to tell a rise of the loss by {MARGINS[1]:g}, so it may end INCONCLUSIVE. "
                f"About {rows_for(MARGINS[1]):,} rows in all would do."
            )
        finer = f"; {rows_for(MARGINS[0]):,} rows would tell one of {MARGINS[0]:g}" if self.margin > MARGINS[0] else ""
        return f"{shown}{sent}: enough to tell a rise of the loss (0 to 1) by {self.margin:g}{finer}."


def rows_for(margin: float) -> int:
    """About how many rows of all splits together can tell a rise of the loss by `margin`."""
    wanted = (MARGIN_ROWS / margin) ** 2 + 2 * FEW
    return int(float(f"{wanted / (MOST if wanted <= FEWEST else FRACTIONS[3]):.2g}"))
