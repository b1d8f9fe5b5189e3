"""Traffic shifted to a candidate, and what came of it."""

from seaway_components.rollout.confirm_promotion.component import confirm_promotion
from seaway_components.rollout.roll_out.component import roll_out

__all__ = ["confirm_promotion", "roll_out"]
