"""What a check is made of."""

from collections.abc import Callable

from seaway.errors import InvalidSpec
from seaway.serving.conformance.target import Answer, Target

Check = Callable[[Target], None]
OK = 200


class Lacking(Exception):
    """The server does not claim what is checked."""


def require(holds: bool, why: str) -> None:
    """Raises: InvalidSpec: it does not hold."""
    if not holds:
        raise InvalidSpec(why)


def answered(answer: Answer) -> Answer:
    """The answer, which is one. Raises: InvalidSpec."""
    require(answer.status == OK, f"a right request is answered {answer.told}")
    return answer


def refused(answer: Answer, what: str) -> None:
    """Raises: InvalidSpec: the request was not refused, or the refusal does not say why."""
    require(answer.refused, f"{what} is answered {answer.told}")
    told = answer.json
    require(isinstance(told, dict) and bool(told.get("error")), f"{what} is refused without an 'error': {answer.told}")
