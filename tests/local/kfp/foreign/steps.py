"""Steps that the pipelines beside this file are made of, as somebody writes them who has never heard of Seaway."""

from typing import List, NamedTuple

from kfp import dsl

step = dsl.component(base_image="python:3.11", install_kfp_package=False)


@step
def say(text: str) -> str:
    return text


@step
def number(value: int) -> int:
    return value


@step
def double(value: int) -> int:
    return 2 * value


@step
def fraction(value: float) -> float:
    return value


@step
def add(values: List[int]) -> int:
    return sum(values)


@step
def join(texts: List[str]) -> str:
    return "+".join(texts)


@step
def upto(count: int) -> List[int]:
    return list(range(count))


@step
def tell(what: dict) -> str:
    import json

    return json.dumps(what, sort_keys=True)


@step
def repeat(what: list) -> list:
    return what


@step
def fail(text: str = "no licence") -> str:
    raise RuntimeError(text)


@step
def last(status: dsl.PipelineTaskFinalStatus) -> str:
    return f"{status.state} {status.pipeline_task_name} {status.error_message or 'well'}"


@step
def rows(count: int, table: dsl.Output[dsl.Dataset]):
    with open(table.path, "w") as file:
        file.write("row\n" * count)
    table.metadata["rows"] = count


@step
def count(table: dsl.Input[dsl.Dataset]) -> int:
    return len(open(table.path).readlines())


@step
def pair(value: int) -> NamedTuple("Pair", [("less", int), ("more", int)]):
    from collections import namedtuple

    return namedtuple("Pair", ["less", "more"])(value - 1, value + 1)
