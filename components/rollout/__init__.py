"""Traffic shifted to a candidate, and what came of it."""

from seaway_components.rollout.await_approval.component import await_approval
from seaway_components.rollout.confirm_promotion.component import confirm_promotion
from seaway_components.rollout.roll_out.component import roll_out

__all__ = ["await_approval", "confirm_promotion", "roll_out"]
