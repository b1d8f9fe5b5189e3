"""What is left of kfp 2.17: time limits, chosen images, venvs, curves, keys of the cache, and components of version 1."""

from kfp import components, dsl, kubernetes
from kfp.dsl import ClassificationMetrics, Input, Output, SlicedClassificationMetrics
from steps import add, double, fail, last, number, say, step, upto


@step
def sleep(seconds: float) -> str:
    import time

    time.sleep(seconds)
    return "slept"


@step
def curves(plain: Output[ClassificationMetrics], sliced: Output[SlicedClassificationMetrics]):
    plain.log_roc_curve([0.0, 1.0], [0.0, 1.0], [1.0, 0.0])
    sliced.metadata["north"] = [[1, 2], [3, 4]]


@step
def read_curves(plain: Input[ClassificationMetrics], sliced: Input[SlicedClassificationMetrics]) -> str:
    return f"{len(plain.metadata['confidenceMetrics'])} {sorted(sliced.metadata)}"


@dsl.component(base_image="python:3.11", install_kfp_package=False, use_venv=True)
def in_a_venv() -> bool:
    import sys

    return sys.prefix != sys.base_prefix


@dsl.pipeline
def image_of_a_parameter(image: str = "python:3.11"):
    say(text="x").set_container_image(image)


@dsl.pipeline
def longer_than_its_time():
    with dsl.ExitHandler(last()):
        kubernetes.set_timeout(sleep(seconds=60.0), 1)


@dsl.pipeline
def within_its_time():
    kubernetes.set_timeout(sleep(seconds=0.0), 60)


@dsl.pipeline(pipeline_config=dsl.PipelineConfig(active_deadline_seconds=2))
def longer_than_the_run():
    with dsl.ExitHandler(last()):
        sleep(seconds=60.0)


@dsl.pipeline(pipeline_config=dsl.PipelineConfig(active_deadline_seconds=600, ttl_seconds_after_finished=60))
def within_the_run():
    say(text="x")


@dsl.pipeline
def venv_of_a_step():
    in_a_venv()


@dsl.pipeline
def more_metrics():
    made = curves()
    read_curves(plain=made.outputs["plain"], sliced=made.outputs["sliced"])


@dsl.pipeline
def key_of_its_own(value: int = 1):
    double(value=value).set_caching_options(True, cache_key="mine")


@dsl.pipeline
def pause():
    say(text="x").set_debug_pause(before=True)


@dsl.pipeline
def loops_in_an_exit_handler():
    with dsl.ParallelFor([1, 2]) as outer:
        number(value=outer)
    with dsl.ExitHandler(last()):
        with dsl.ParallelFor(upto(count=1).output) as item:
            with dsl.If(item == 0):
                with dsl.ParallelFor(["a"]) as word:
                    say(text=word)


@dsl.pipeline
def one_iteration() -> int:
    with dsl.ParallelFor(upto(count=1).output) as item:
        made = double(value=item)
    return add(values=dsl.Collected(made.output)).output


@dsl.pipeline
def guarded():
    with dsl.ExitHandler(last()):
        fail(text="inner")


@dsl.pipeline
def exit_handlers_within():
    with dsl.ExitHandler(say(text="outer end")):
        guarded()


from_text = components.load_component_from_text(
    """
name: Twice
inputs: [{name: Value, type: Integer}]
outputs: [{name: Result, type: Integer}]
implementation:
  container:
    image: alpine:3.20
    command: [sh, -c, 'mkdir -p "$(dirname "$1")"; echo $(($0 * 2)) > "$1"', {inputValue: Value}, {outputPath: Result}]
"""
)


@dsl.pipeline
def component_of_version_one():
    double(value=from_text(value=3).outputs["result"])
