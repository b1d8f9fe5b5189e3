"""Parameters as Optuna's distributions, and back."""

from collections.abc import Mapping
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from seaway.errors import InvalidSpec
from seaway.tuning.space import Categorical, Float, Int, Parameter, SearchSpace


def distribution(parameter: Parameter) -> BaseDistribution:
    """The parameter's range; choices are drawn by their texts, since Optuna takes no lists and objects."""
    if isinstance(parameter, Categorical):
        return CategoricalDistribution(parameter.texts)
    if isinstance(parameter, Int):
        last = parameter.low + (parameter.high - parameter.low) // parameter.step * parameter.step
        return IntDistribution(parameter.low, last, log=parameter.log, step=parameter.step)
    high = parameter.high if (steps := parameter.values()) is None else steps[-1]
    return FloatDistribution(parameter.low, high, log=parameter.log, step=parameter.step)


def parameter(drawn_from: BaseDistribution) -> Parameter:
    """What `distribution` was made of, without its condition; choices that only text can stand for are their texts.

    Raises:
        InvalidSpec: a distribution of another kind.
    """
    if isinstance(drawn_from, CategoricalDistribution):
        return Categorical(tuple(drawn_from.choices))
    if isinstance(drawn_from, IntDistribution):
        return Int(drawn_from.low, drawn_from.high, log=drawn_from.log, step=drawn_from.step)
    if isinstance(drawn_from, FloatDistribution):
        return Float(drawn_from.low, drawn_from.high, log=drawn_from.log, step=drawn_from.step)
    raise InvalidSpec(f"{drawn_from} is no float, int or categorical distribution.")


def as_drawn(space: SearchSpace, point: Mapping[str, Any]) -> dict[str, Any]:
    """A point of the space as Optuna holds it."""
    return {
        name: one.write(point[name]) if isinstance(one, Categorical) else point[name]
        for name, one in space.parameters.items()
        if name in point
    }


def as_read(space: SearchSpace, drawn: Mapping[str, Any]) -> dict[str, Any]:
    """The point that `as_drawn` was made of."""
    return {
        name: one.read(drawn[name]) if isinstance(one, Categorical) else drawn[name]
        for name, one in space.parameters.items()
        if name in drawn
    }
