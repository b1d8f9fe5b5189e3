"""What is searched: named parameters with their ranges, some of them only where another has certain values.

As JSON, which is how a pipeline carries it:

    {"learning_rate": {"type": "float", "low": 1e-4, "high": 1e-1, "log": true},
     "hidden": {"type": "categorical", "choices": [[64, 32], [128, 64]]},
     "momentum": {"type": "float", "low": 0, "high": 0.99, "when": {"parameter": "optimizer", "values": ["sgd"]}}}
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from seaway.errors import InvalidSpec
from seaway.storage import as_json

STEPS = 1e-9  # of a range's size: how far a quantized value may be off for the rounding of floats


@dataclass(frozen=True)
class When:
    """A parameter is there only where the parameter named here has one of these values."""

    parameter: str
    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(self.values))
        if not self.values:
            raise InvalidSpec(f"when: name at least one value of {self.parameter!r} for which the parameter is there.")


@dataclass(frozen=True)
class Float:
    """A number from `low` to `high`, both included; `log` draws its logarithm evenly, `step` counts from `low`.

    Raises:
        InvalidSpec: the range is empty or not finite, `log` has numbers that are not above 0, or `step` is no length.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None
    when: When | None = None

    def __post_init__(self) -> None:
        for name in ("low", "high", "step"):
            object.__setattr__(self, name, _float(name, getattr(self, name)))
        _check_range(self.low, self.high, self.log)
        if self.step is not None and not 0 < self.step <= (self.high - self.low) * (1 + STEPS):
            raise InvalidSpec(f"step={self.step} is not above 0 and at most high - low = {self.high - self.low}.")

    def read(self, text: str) -> float:
        """The value that `write` wrote."""
        return float(text)

    def write(self, value: Any) -> str:
        """The value as text, as an environment variable carries it."""
        return repr(float(value))

    def holds(self, value: Any) -> bool:
        """Whether the value is in the range and on a step."""
        return _is_number(value) and self.low <= value <= self.high and self._on_step(value)

    def values(self) -> tuple[float, ...] | None:
        """All values in order; None where there is no step, as there is no end of them."""
        if self.step is None:
            return None
        count = math.floor((self.high - self.low) / self.step + STEPS) + 1
        low, step = Decimal(str(self.low)), Decimal(str(self.step))  # 0.1 + 2 * 0.1 is 0.3, as it was written
        return tuple(float(low + index * step) for index in range(count))

    def _on_step(self, value: float) -> bool:
        return self.step is None or abs(math.remainder(value - self.low, self.step)) <= STEPS * (self.high - self.low)


@dataclass(frozen=True)
class Int:
    """A whole number from `low` to `high`, both included; `log` draws its logarithm evenly, `step` counts from `low`.

    Raises:
        InvalidSpec: the range is empty, a number is no whole one, or `log` has numbers that are not above 0.
    """

    low: int
    high: int
    log: bool = False
    step: int = 1
    when: When | None = None

    def __post_init__(self) -> None:
        for name in ("low", "high", "step"):
            object.__setattr__(self, name, _int(name, getattr(self, name)))
        _check_range(self.low, self.high, self.log)
        if not 1 <= self.step <= self.high - self.low:
            raise InvalidSpec(f"step={self.step} is not from 1 to high - low = {self.high - self.low}.")

    def read(self, text: str) -> int:
        """The value that `write` wrote; 6.0 is 6, which is how some services write it."""
        return _int("value", float(text))

    def write(self, value: Any) -> str:
        """The value as text, as an environment variable carries it."""
        return str(int(value))

    def holds(self, value: Any) -> bool:
        """Whether the value is in the range and on a step."""
        return _is_number(value) and self.low <= value <= self.high and (value - self.low) % self.step == 0

    def values(self) -> tuple[int, ...]:
        """All values in order."""
        return tuple(range(self.low, self.high + 1, self.step))


@dataclass(frozen=True)
class Categorical:
    """One of some JSON values, also lists and objects.

    Raises:
        InvalidSpec: there are no choices, two have the same text, or one is no JSON.
    """

    choices: tuple[Any, ...]
    when: When | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "choices", tuple(_plain(choice) for choice in self.choices))
        if not self.choices:
            raise InvalidSpec("A categorical parameter needs choices; it has none.")
        if len(set(self.texts)) < len(self.choices):
            raise InvalidSpec(f"The choices {list(self.choices)} do not differ, or not when written as text.")

    @property
    def texts(self) -> tuple[str, ...]:
        """What stands for each choice where only text can: the text itself, or JSON."""
        return tuple(self.write(choice) for choice in self.choices)

    def read(self, text: str) -> Any:
        """The choice that `write` wrote.

        Raises:
            InvalidSpec: there is no such choice.
        """
        if text not in self.texts:
            raise InvalidSpec(f"{text!r} is none of the choices {', '.join(self.texts)}.")
        return self.choices[self.texts.index(text)]

    def write(self, value: Any) -> str:
        """The choice as text."""
        return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))

    def holds(self, value: Any) -> bool:
        """Whether the value is one of the choices."""
        return self.write(_plain(value)) in self.texts

    def values(self) -> tuple[Any, ...]:
        """All choices in order."""
        return self.choices


Parameter = Float | Int | Categorical
TYPES: dict[str, type[Parameter]] = {"float": Float, "int": Int, "categorical": Categorical}


@dataclass(frozen=True)
class SearchSpace:
    """Parameters by name; a dotted name reaches into nested params: `optimizer.momentum`.

    Raises:
        InvalidSpec: there is none, a condition names what is no parameter or a value that it never has, or conditions
            wait for each other.
    """

    parameters: Mapping[str, Parameter]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", dict(self.parameters))
        if not self.parameters:
            raise InvalidSpec("The search space has no parameter; name at least one.")
        for name, parameter in self.parameters.items():
            if not all(name.split(".")):
                raise InvalidSpec(f"Parameter name {name!r} is empty between its dots.")
            if inside := [other for other in self.parameters if other.startswith(f"{name}.")]:
                raise InvalidSpec(f"Parameter {inside[0]!r} lies inside {name!r}; only one of them can be set.")
            if parameter.when is not None:
                self._check_condition(name, parameter.when)
        object.__setattr__(self, "parameters", {name: self.parameters[name] for name in self._in_order()})

    @classmethod
    def parse(cls, fields: Mapping[str, Mapping[str, Any]]) -> "SearchSpace":
        """A space from JSON values, see the head of this file.

        Raises:
            InvalidSpec: a type or field is unknown, or a value is out of range; the message names the parameter.
        """
        return cls({name: _parameter(name, one) for name, one in fields.items()})

    def as_json(self) -> dict[str, dict[str, Any]]:
        """What `parse` reads."""
        return {name: _fields(parameter) for name, parameter in self.parameters.items()}

    def active(self, values: Mapping[str, Any], name: str) -> bool:
        """Whether the parameter is there, given the values of those that it depends on."""
        when = self.parameters[name].when
        if when is None:
            return True
        return when.parameter in values and _among(values[when.parameter], when.values)

    def check(self, values: Mapping[str, Any]) -> None:
        """Whether the values are a point of this space.

        Raises:
            InvalidSpec: one is missing, too many, or out of its range.
        """
        wanted = [name for name in self.parameters if self.active(values, name)]
        if odd := sorted(set(values) ^ set(wanted)):
            raise InvalidSpec(f"{', '.join(odd)} is missing from, or has no place in, the point {dict(values)}.")
        if outside := [name for name in wanted if not self.parameters[name].holds(values[name])]:
            raise InvalidSpec(f"{', '.join(outside)} is out of its range in the point {dict(values)}.")

    def points(self) -> Iterator[dict[str, Any]]:
        """All points, the last parameter changing fastest; each parameter without an end of values counts as none.

        Raises:
            InvalidSpec: a float has no step.
        """
        if endless := [name for name, one in self.parameters.items() if one.values() is None]:
            raise InvalidSpec(f"A grid needs a step for {', '.join(endless)}; give one, or choices, or no grid.")
        return self._extended({}, list(self.parameters))

    def size(self) -> int:
        """How many points there are. Raises: InvalidSpec: a float has no step."""
        return sum(1 for _ in self.points())

    def value_in(self, params: Mapping[str, Any], name: str) -> Any:
        """The value that params have for a parameter, None where they have none."""
        found: Any = params
        for key in name.split("."):
            found = found.get(key) if isinstance(found, Mapping) else None
        return found

    def merged(self, params: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
        """The params with a point's values set; neither argument is changed.

        Raises:
            InvalidSpec: a dotted name leads into what is no object.
        """
        merged: dict[str, Any] = json.loads(json.dumps(dict(params)))
        for name, value in values.items():
            *path, last = name.split(".")
            target = merged
            for key in path:
                target = target.setdefault(key, {})
                if not isinstance(target, dict):
                    raise InvalidSpec(f"Parameter {name!r} leads into {key!r}, which is {target!r} and no object.")
            target[last] = value
        return merged

    def _extended(self, values: dict[str, Any], names: list[str]) -> Iterator[dict[str, Any]]:
        if not names:
            yield values
            return
        name, *rest = names
        if not self.active(values, name):
            yield from self._extended(values, rest)
            return
        for value in self.parameters[name].values() or ():
            yield from self._extended({**values, name: value}, rest)

    def _check_condition(self, name: str, when: When) -> None:
        if when.parameter not in self.parameters:
            raise InvalidSpec(f"{name!r} depends on {when.parameter!r}, which is no parameter of this space.")
        if strange := [value for value in when.values if not self.parameters[when.parameter].holds(value)]:
            raise InvalidSpec(f"{name!r} depends on {when.parameter!r} being {strange[0]!r}, which it never is.")

    def _in_order(self) -> list[str]:
        """Names, each after the one that it depends on."""
        ordered: list[str] = []
        waiting = dict(self.parameters)
        while ready := [name for name, one in waiting.items() if one.when is None or one.when.parameter in ordered]:
            ordered += ready
            waiting = {name: one for name, one in waiting.items() if name not in ready}
        if waiting:
            raise InvalidSpec(f"The conditions of {', '.join(waiting)} wait for each other.")
        return ordered


def _parameter(name: str, fields: Mapping[str, Any]) -> Parameter:
    given = dict(fields)
    kind = given.pop("type", None)
    if kind not in TYPES:
        raise InvalidSpec(f"Parameter {name!r} is of type {kind!r}; there are: {', '.join(TYPES)}.")
    try:
        if given.get("when") is not None:
            given["when"] = When(**given["when"])
        return TYPES[kind](**given)
    except (TypeError, InvalidSpec) as error:
        raise InvalidSpec(f"Parameter {name!r}: {error}") from error


def _fields(parameter: Parameter) -> dict[str, Any]:
    kind = next(name for name, one in TYPES.items() if isinstance(parameter, one))
    fields: dict[str, Any] = json.loads(json.dumps(asdict(parameter)))
    return {"type": kind, **{name: value for name, value in fields.items() if value is not None}}


def _check_range(low: float, high: float, log: bool) -> None:
    if not low < high:
        raise InvalidSpec(f"low={low} is not below high={high}.")
    if log and not low > 0:
        raise InvalidSpec(f"low={low} has no logarithm; with log=True give a number above 0.")


def _float(name: str, value: Any) -> float | None:
    """The number; a cluster's objects have some as text."""
    if value is None and name == "step":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise InvalidSpec(f"{name}={value!r} is no number.") from error
    if not math.isfinite(number):
        raise InvalidSpec(f"{name}={value!r} is not finite.")
    return number


def _int(name: str, value: Any) -> int:
    number = _float(name, value)
    if number is None or not number.is_integer():
        raise InvalidSpec(f"{name}={value!r} is no whole number.")
    return int(number)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(value: Any) -> Any:
    return as_json(value, repr(value))


def _among(value: Any, values: tuple[Any, ...]) -> bool:
    """Equality as JSON has it: 1 is 1.0 and not true."""
    return any(json.dumps(_plain(value)) == json.dumps(_plain(one)) for one in values)
