"""What Kubeflow Pipelines cannot run is refused when it is compiled."""

from pathlib import Path

import pytest
from kfp import dsl
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
