"""Parameters of every type and value, absent ones, placeholders, and dicts that a pipeline fills."""

from typing import Dict, List, NamedTuple, Optional
from kfp import dsl
from steps import double, fraction, number, pair, repeat, say, step, tell


@step
def typed(whole: int, part: float, fast: bool, text: str, items: list, fields: dict) -> str:
    return repr((whole, part, fast, text, items, sorted(fields.items())))


@step
def absent(
    whole: Optional[int] = None, text: Optional[str] = None, items: Optional[List[int]] = None, kept: int = 5
) -> str:
    return repr((whole, text, items, kept))


@step
def placed(job: str, resource: str, run: str, task: str, root: str, created: str) -> str:
    import os

    told = (job, resource, run, task, root, created)
    return (
        f"{task} {job.startswith('placeholders-')} {os.path.isdir(root)} {any('{{' in one or not one for one in told)}"
    )


@step
def big() -> int:
    return 2**53 + 1


@step
def nothing_there() -> float:
    return float("inf")


@step
def with_null() -> Dict[str, list]:
    return {"a": [None, 1]}


@step
def large(size: int) -> str:
    return "x" * size


@step
def length(text: str) -> int:
    return len(text)


@step
def variables() -> str:
    import os

    return f"{os.environ['GREETING']} {os.environ.get('SEAWAY_RUN_ID', '') != ''}"


@dsl.pipeline
def every_type(
    whole: int = 3,
    part: float = 2.0,
    fast: bool = False,
    text: str = "x",
    items: list = [1, 2.5],
    fields: dict = {"a": True},
):
    typed(whole=whole, part=part, fast=fast, text=text, items=items, fields=fields)


@dsl.pipeline
def constants():
    typed(whole=-1, part=1e-3, fast=True, text='"q" \u00e9\n', items=[[], "it's"], fields={"b": {"c": [1]}})


@dsl.pipeline
def optional(whole: Optional[int] = None, text: Optional[str] = None, kept: Optional[int] = None):
    absent(whole=whole, text=text, kept=kept)


@dsl.pipeline
def optional_inside(whole: Optional[int] = None, text: Optional[str] = "d") -> str:
    return absent(whole=whole, text=text).output


@dsl.pipeline
def optional_of_a_nested_pipeline(whole: Optional[int] = None):
    optional_inside()
    optional_inside(whole=whole)
    optional_inside(whole=4, text="t")


@dsl.pipeline
def dict_that_is_filled(
    whole: int = 6,
    part: float = 6.0,
    fast: bool = True,
    text: str = 'it\'s "q" \\',
    items: list = ["a", 1],
    fields: dict = {"x": 1},
):
    filled = {"whole": whole, "part": part, "fast": fast, "text": text, "items": items, "fields": fields}
    tell(what={**filled, "in": [whole, {"deep": text}], "beside": f"<{text}|{whole}>", "task": number(value=8).output})
    repeat(what=[whole, text, items])


@dsl.pipeline
def text_that_is_filled(text: str = "a \"b\" {{$.inputs.parameters['text']}}", whole: int = 2):
    say(text=f"<{text}|{whole}|{double(value=whole).output}>")


@dsl.pipeline
def placeholders():
    placed(
        job=dsl.PIPELINE_JOB_NAME_PLACEHOLDER,
        resource=dsl.PIPELINE_JOB_RESOURCE_NAME_PLACEHOLDER,
        run=dsl.PIPELINE_JOB_ID_PLACEHOLDER,
        task=dsl.PIPELINE_TASK_NAME_PLACEHOLDER,
        root=dsl.PIPELINE_ROOT_PLACEHOLDER,
        created=dsl.PIPELINE_JOB_CREATE_TIME_UTC_PLACEHOLDER,
    )


@dsl.pipeline
def named_outputs():
    made = pair(value=5)
    double(value=made.outputs["less"])
    double(value=made.outputs["more"])


@dsl.pipeline
def output_that_cannot_travel():
    number(value=big().output)


@dsl.pipeline
def infinite_output():
    fraction(value=nothing_there().output)


@dsl.pipeline
def null_in_an_output():
    tell(what=with_null().output)


@dsl.pipeline
def large_text(size: int = 20000):
    length(text=large(size=size).output)


@dsl.pipeline
def too_large_text():
    length(text=large(size=300000).output)


@dsl.pipeline
def cached_or_not(value: int = 1):
    double(value=value)
    number(value=value).set_caching_options(False)


@dsl.pipeline
def variable_of_its_own():
    variables().set_env_variable("GREETING", "it's here").set_cpu_limit("1").set_memory_limit("1G").set_display_name(
        "Say it"
    )


@dsl.pipeline
def inner(value: int, text: str = "d") -> NamedTuple("Both", [("twice", int), ("said", str)]):
    from collections import namedtuple

    return namedtuple("Both", ["twice", "said"])(double(value=value).output, say(text=text).output)


@dsl.pipeline
def nested() -> int:
    made = inner(value=3)
    return number(value=double(value=made.outputs["twice"]).output).output


@dsl.pipeline
def nested_twice():
    nested()
    inner(value=nested().output, text="again")
