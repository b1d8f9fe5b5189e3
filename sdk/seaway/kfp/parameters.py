"""A pipeline's arguments: words become typed values, and mistakes are told before anything starts."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from kfp.pipeline_spec import pipeline_spec_pb2

from seaway.errors import InvalidSpec

Parameters = Mapping[str, Any]  # name -> kfp's ParameterSpec message
TRUE = {"true", "yes", "on", "1"}
FALSE = {"false", "no", "off", "0"}


def bind(pipeline: pipeline_spec_pb2.PipelineSpec, given: Mapping[str, object]) -> dict[str, object]:
    """The given values, converted to the types that the pipeline declares.

    Raises:
        InvalidSpec: an unknown or missing parameter, or a value of another type; the message lists the parameters.
    """
    parameters = pipeline.root.input_definitions.parameters
    listing = f"Parameters of {pipeline.pipeline_info.name}: {describe(parameters)}."
    if artifacts := sorted(pipeline.root.input_definitions.artifacts):
        raise InvalidSpec(
            f"{pipeline.pipeline_info.name} takes artifacts ({', '.join(artifacts)}); run it in a pipeline."
        )
    if unknown := sorted(set(given) - set(parameters)):
        raise InvalidSpec(f"Unknown parameter {', '.join(unknown)}. {listing}")
    if missing := [name for name, spec in parameters.items() if not _optional(spec) and name not in given]:
        raise InvalidSpec(f"Missing parameter {', '.join(missing)}. {listing}")
    return {name: _convert(name, parameters[name], value, listing) for name, value in given.items()}


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
    from kfp.local.executor_output_utils import pb2_value_to_python

    value = pb2_value_to_python(parameter.default_value)
    return int(value) if type_name(parameter) == "int" and value is not None else value


def _optional(parameter: Any) -> bool:
    return bool(parameter.is_optional) or parameter.HasField("default_value")


def _kind(parameter: Any) -> str:
    return str(pipeline_spec_pb2.ParameterType.ParameterTypeEnum.Name(parameter.parameter_type))


def _convert(name: str, parameter: Any, value: object, listing: str) -> object:
    type_label, types, parse = TYPES[_kind(parameter)]
    try:
        converted = parse(value) if isinstance(value, str) else value
    except ValueError as error:
        raise InvalidSpec(f"Parameter {name} is {value!r}, which is no {type_label}. {listing}") from error
    if not isinstance(converted, types) or (isinstance(converted, bool) and bool not in types):
        raise InvalidSpec(f"Parameter {name} is {value!r}, which is no {type_label}. {listing}")
    return converted


def _boolean(word: str) -> bool:
    if word.lower() in TRUE | FALSE:
        return word.lower() in TRUE
    raise ValueError(word)


TYPES: dict[str, tuple[str, tuple[type, ...], Callable[[str], object]]] = {
    "NUMBER_INTEGER": ("int", (int,), int),
    "NUMBER_DOUBLE": ("float", (float, int), float),
    "BOOLEAN": ("bool", (bool,), _boolean),
    "STRING": ("str", (str,), str),
    "LIST": ("list", (list,), json.loads),
    "STRUCT": ("dict", (dict,), json.loads),
}
