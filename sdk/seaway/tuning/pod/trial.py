"""A trial that another system chooses: its point comes as texts, in environment variables of the pod that trains it.

Such a system draws numbers evenly between two bounds, or evenly in their logarithm, and texts from a list. What a space
wants beyond that is written so that an even draw is what is wanted, and read back here, by the pod as by the step.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from seaway.errors import InvalidSpec
from seaway.training.fingerprint import with_params
from seaway.training.pod.job import RemoteTraining
from seaway.tuning.space import Categorical, Float, Int, Parameter, SearchSpace

VARIABLE = "SEAWAY_TRIAL"  # holds one of these
NAME = "SEAWAY_TRIAL_NAME"
POINT = "SEAWAY_TRIAL_POINT_{}"  # the text of each parameter, by its place in the space


class Scale(StrEnum):
    """How a text stands for a value."""

    VALUE = "value"  # the value itself, as the parameter writes it
    LOGARITHM = "logarithm"  # an even draw of it is a logarithmic draw of the value
    EXPONENTIAL = "exponential"  # exp of the share of the range: a logarithmic draw of it is an even draw of the value
    INDEX = "index"  # of the choice
    TEXT = "text"  # the text is the value, whatever it is


@dataclass(frozen=True)
class RemoteTrial:
    """What a pod needs to know to carry out any trial of a study.

    Args:
        space: Where the point lies.
        scales: How each parameter's text is to be read.
        metric: Of the objective; a trial without a finite value of it fails.
        file: Where figures are written for a collector; empty for the standard output.
        format: Of that file, `TEXT` or `JSON`.
    """

    space: SearchSpace
    scales: Mapping[str, Scale]
    metric: str
    file: str = ""
    format: str = "TEXT"

    @property
    def text(self) -> str:
        """As JSON; the parameters keep their order, by which the variables of their texts are numbered."""
        return json.dumps({**asdict(self), "space": self.space.as_json()}, separators=(",", ":"))

    @classmethod
    def parse(cls, text: str) -> "RemoteTrial":
        """Read what `text` wrote."""
        try:
            fields = json.loads(text)
            space, scales = SearchSpace.parse(fields.pop("space")), fields.pop("scales")
            return cls(space, {name: Scale(scale) for name, scale in scales.items()}, **fields)
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidSpec(f"{VARIABLE} holds no trial: {error}.") from error

    def point(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """The values that texts stand for, each in its range and on its step.

        Raises:
            InvalidSpec: a text is missing or stands for nothing.
        """
        try:
            return {name: read(one, self.scales[name], texts[name]) for name, one in self.space.parameters.items()}
        except (KeyError, ValueError, IndexError) as error:
            raise InvalidSpec(f"{dict(texts)} is no point of the space: {error}.") from error

    def training(self, template: RemoteTraining, point: Mapping[str, Any], name: str) -> RemoteTraining:
        """The training of one trial, its model under the trial's name below the study's folder."""
        wanted = replace(template, params=self.space.merged(template.params, point)).local(Path())
        fingerprint = with_params(template.fingerprint, wanted.entrypoint, wanted.params, wanted.seed)
        checkpoints = template.checkpoints.rpartition("/")[0]
        return replace(
            template,
            params=wanted.params,
            fingerprint=fingerprint,
            output=f"{folder(template, name)}/model",
            checkpoints=f"{checkpoints}/{fingerprint['run'][:16]}",
        )


def folder(template: RemoteTraining, name: str) -> str:
    """The URI below which a trial leaves its history and its model."""
    return f"{template.output.rpartition('/')[0]}/trials/{name}"


def bounds(parameter: Float | Int, scale: Scale) -> tuple[str, str]:
    """Least and greatest number that stand for a value of the parameter."""
    if scale is Scale.LOGARITHM:
        return repr(math.log(parameter.low)), repr(math.log(parameter.high))
    if scale is Scale.EXPONENTIAL:
        return repr(1.0), repr(math.e)
    return parameter.write(parameter.low), parameter.write(parameter.high)


def read(parameter: Parameter, scale: Scale, text: str) -> Any:
    """The value that a text stands for; one that rounding has moved off its range or step is moved back."""
    if scale is Scale.TEXT:
        return text
    if isinstance(parameter, Categorical):
        return parameter.choices[int(text)] if scale is Scale.INDEX else parameter.read(text)
    number = float(text)
    if scale is Scale.LOGARITHM:
        number = math.exp(number)
    if scale is Scale.EXPONENTIAL:
        number = parameter.low + math.log(number) * (parameter.high - parameter.low)
    return nearest(parameter, number)


def nearest(parameter: Float | Int, number: float) -> float | int:
    """The value of the parameter that is nearest to a number."""
    step = parameter.step
    if step is not None:
        steps = math.floor((parameter.high - parameter.low) / step + 1e-9)
        number = parameter.low + min(max(round((number - parameter.low) / step), 0), steps) * step
    number = min(max(number, parameter.low), parameter.high)
    return round(number) if isinstance(parameter, Int) else number
