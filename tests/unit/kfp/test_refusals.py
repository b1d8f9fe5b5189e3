"""What Kubeflow Pipelines cannot run is refused when it is compiled."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kfp import dsl
from kfp.dsl import PipelineTask
from seaway.cli.compile import compile_pipeline
from seaway.errors import InvalidSpec
from seaway.kfp.compile import compiled
from seaway.kfp.refusals import require_runnable
from seaway.kfp.versions import objects


@dsl.component
def write(rows: dsl.Output[dsl.Dataset], more: dsl.Output[dsl.Dataset]) -> None:
    """Writes two."""


@dsl.component
def join(left: dsl.Input[dsl.Dataset], right: dsl.Input[dsl.Dataset]) -> None:
    """Reads two."""


@dsl.pipeline
def within(left: dsl.Input[dsl.Dataset], right: dsl.Input[dsl.Dataset]) -> None:
    join(left=left, right=right)


@dsl.pipeline
def twice() -> None:
    rows = write().outputs["rows"]
    join(left=rows, right=rows)


@dsl.pipeline
def twice_to_a_pipeline() -> None:
    rows = write().outputs["rows"]
    within(left=rows, right=rows)


@dsl.pipeline
def twice_in_a_branch(go: bool) -> None:
    rows = write().outputs["rows"]
    with dsl.If(go == True, name="going"):  # noqa: E712 - builds a condition
        join(left=rows, right=rows)


@dsl.pipeline
def two() -> None:
    written = write()
    join(left=written.outputs["rows"], right=written.outputs["more"])


@pytest.mark.parametrize(("pipeline", "step"), [
    (twice, "join in twice"), (twice_to_a_pipeline, "within in twice-to-a-pipeline"),
    (twice_in_a_branch, "join in comp-condition-1"),
])  # fmt: skip
def test_one_artifact_for_two_inputs_is_refused(pipeline: object, step: str) -> None:
    with pytest.raises(InvalidSpec, match=f"{step}.* by left and right"):
        require_runnable(compiled(pipeline).spec)
    with pytest.raises(InvalidSpec, match="twice"):
        objects(compiled(pipeline), "")


def test_two_artifacts_are_not() -> None:
    require_runnable(compiled(two).spec)


@dsl.component
def tell(word: str = "") -> str:
    """Says something."""
    return word


def always(after: PipelineTask) -> PipelineTask:
    return tell(word="end").after(after).ignore_upstream_failure()


@dsl.pipeline
def two_ends() -> None:
    first = tell()
    always(first)
    always(first)


@dsl.pipeline
def end_of_a_loop() -> None:
    with dsl.ParallelFor([1, 2], name="each"):
        tell()


@dsl.pipeline
def after_an_end() -> None:
    tell().after(always(tell()))


@dsl.pipeline
def within_itself() -> None:
    with dsl.ExitHandler(tell()):
        tell()


@dsl.pipeline
def an_end_for_each() -> None:
    first = tell()
    always(first)
    always(within_itself().after(first))


def looped() -> Any:
    """kfp's own compiler gives no task that ignores a loop's failures; files of others do."""
    spec = compiled(end_of_a_loop).spec
    [loop] = spec.root.dag.tasks
    spec.root.dag.tasks["end"].dependent_tasks.append(loop)
    spec.root.dag.tasks["end"].trigger_policy.strategy = 2
    return spec


@pytest.mark.parametrize(("spec", "told"), [
    (lambda: compiled(two_ends).spec, "only the last of tell-2 and tell-3 runs after tell in two-ends"),
    (lambda: compiled(after_an_end).spec, "tell waits for tell-3, which nothing can wait for, in after-an-end"),
    (looped, "end never runs after for-loop-., a loop, in end-of-a-loop"),
])  # fmt: skip
def test_an_exit_task_that_the_backend_would_lose_is_refused(spec: Callable[[], Any], told: str) -> None:
    with pytest.raises(InvalidSpec, match=told):
        require_runnable(spec())


def test_an_exit_task_for_each_part_is_not() -> None:
    require_runnable(compiled(an_end_for_each).spec)


def test_the_command_writes_nothing(tmp_path: Path) -> None:
    source = tmp_path / "doubled.py"
    source.write_text(
        "from kfp import dsl\n"
        "@dsl.component\ndef write(rows: dsl.Output[dsl.Dataset]): pass\n"
        "@dsl.component\ndef join(left: dsl.Input[dsl.Dataset], right: dsl.Input[dsl.Dataset]): pass\n"
        "@dsl.pipeline\ndef doubled():\n    rows = write().outputs['rows']\n    join(left=rows, right=rows)\n"
    )
    with pytest.raises(InvalidSpec, match="join in doubled by left and right"):
        compile_pipeline(str(source), tmp_path / "out.yaml", kubernetes_manifests=False)
    assert not (tmp_path / "out.yaml").exists()
