"""A pipeline's arguments: words become typed values, and mistakes are told before anything starts."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from kfp.pipeline_spec import pipeline_spec_pb2

from seaway.errors import InvalidSpec
from seaway.kfp.carried import MOST, hindrance, parsed, rounded, shown

Parameters = Mapping[str, Any]  # name -> kfp's ParameterSpec message
TRUE = {"true", "yes", "on", "1"}
FALSE = {"false", "no", "off", "0"}


def bind(pipeline: pipeline_spec_pb2.PipelineSpec, given: Mapping[str, object]) -> dict[str, object]:
    """The given values, converted to the types that the pipeline declares; null, for one without a default, is none.

    Raises:
        InvalidSpec: an unknown or missing parameter, a value of another type, or one that Kubeflow's parameters cannot
            carry; the message lists the parameters.
    """
    parameters = pipeline.root.input_definitions.parameters
    listing = f"Parameters of {pipeline.pipeline_info.name}: {describe(parameters) or 'none'}."
    if artifacts := sorted(pipeline.root.input_definitions.artifacts):
        raise InvalidSpec(
            f"{pipeline.pipeline_info.name} takes artifacts ({', '.join(artifacts)}); run it in a pipeline."
        )
    if unknown := sorted(set(given) - set(parameters)):
        raise InvalidSpec(f"Unknown parameter {', '.join(unknown)}. {listing}")
    if missing := [name for name, spec in parameters.items() if not _optional(spec) and name not in given]:
        raise InvalidSpec(f"Missing parameter {', '.join(missing)}. {listing}")
    bound = {name: _convert(name, parameters[name], value, listing) for name, value in given.items()}
    return {name: value for name, value in bound.items() if value is not None}


def describe(parameters: Parameters) -> str:
    """`name: type = default, ...` in the order of names."""
    return ", ".join(
        f"{name}: {type_name(spec)}" + (f" = {json.dumps(default(spec), sort_keys=True)}" if _optional(spec) else "")
        for name, spec in sorted(parameters.items())
    )


def type_name(parameter: Any) -> str:
    """The Python name of a parameter's type."""
    return TYPES[_kind(parameter)][0]


def default(parameter: Any) -> Any:
    """The default value, None where there is none."""
    return typed(parameter, plain_value(parameter.default_value))


def typed(parameter: Any, value: Any) -> Any:
    """A value of a message as the parameter says: a message has one kind of number."""
    if isinstance(value, float) and type_name(parameter) == "int" and value.is_integer():
        return int(value)
    return value


def plain_value(value: Any) -> Any:
    """A message's value as Python has it, None where it is null or not set.

    A number of its own is a float; inside a list or a dict one without a fraction is whole, as JSON writes it.
    """
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return {name: whole(plain_value(item)) for name, item in value.struct_value.fields.items()}
    if kind == "list_value":
        return [whole(plain_value(item)) for item in value.list_value.values]
    return None if kind in (None, "null_value") else getattr(value, kind)


def whole(value: Any) -> Any:
    """A number without a fraction as a whole one, up to where doubles tell each from the next."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) <= MOST else value


def mistyped(parameter: Any, value: Any) -> str:
    """The type that a value has not; empty where it is of the declared one, or none is declared."""
    if parameter.parameter_type == 0:
        return ""
    label, types, _ = TYPES[_kind(parameter)]
    fits = isinstance(value, types) and (bool in types or not isinstance(value, bool))
    return "" if fits else label


def _optional(parameter: Any) -> bool:
    """Whether a pipeline runs without it; what only an exit task is told has no value elsewhere."""
    told = _kind(parameter) == "TASK_FINAL_STATUS"
    return (bool(parameter.is_optional) and not told) or parameter.HasField("default_value")


def _kind(parameter: Any) -> str:
    return str(pipeline_spec_pb2.ParameterType.ParameterTypeEnum.Name(parameter.parameter_type))


def _convert(name: str, parameter: Any, value: object, listing: str) -> object:
    type_label, _, parse = TYPES[_kind(parameter)]
    if _absent(parameter, value):
        return None
    try:
        converted = parse(value) if isinstance(value, str) else value
        converted = float(converted) if type_label == "float" and type(converted) is int else converted
    except (ValueError, OverflowError) as error:
        raise InvalidSpec(f"Parameter {name} is {shown(value)}, which is no {type_label}. {listing}") from error
    if mistyped(parameter, converted):
        raise InvalidSpec(f"Parameter {name} is {shown(value)}, which is no {type_label}. {listing}")
    if why := hindrance(converted) or rounded(value, converted):
        raise InvalidSpec(f"Parameter {name} is {shown(value)}, which cannot travel: {why}. {listing}")
    return converted


def _absent(parameter: Any, value: object) -> bool:
    """Whether an `Optional` parameter without a default is given no value; of text, `null` is a text like others."""
    if not parameter.is_optional or parameter.HasField("default_value"):
        return False
    return value is None or (value in ("null", "None") and _kind(parameter) != "STRING")


def _boolean(word: str) -> bool:
    if word.lower() in TRUE | FALSE:
        return word.lower() in TRUE
    raise ValueError(word)


TYPES: dict[str, tuple[str, tuple[type, ...], Callable[[str], object]]] = {
    "NUMBER_INTEGER": ("int", (int,), int),
    "NUMBER_DOUBLE": ("float", (float, int), float),
    "BOOLEAN": ("bool", (bool,), _boolean),
    "STRING": ("str", (str,), str),
    "LIST": ("list", (list,), parsed),
    "STRUCT": ("dict", (dict,), parsed),
    "TASK_FINAL_STATUS": ("PipelineTaskFinalStatus", (dict,), parsed),
    "TASK_CONFIG": ("TaskConfig", (dict,), parsed),
}
