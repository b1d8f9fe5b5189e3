"""The canary judge: observations in, one of four decisions with its evidence out.

`from seaway.rollout.judge import judge` imports scipy, so it is looked up when it is asked for.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seaway.rollout.judge.decision import judge, judge_fast

__all__ = ["judge", "judge_fast"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from seaway.rollout.judge import decision

    return getattr(decision, name)
