"""What is written for other orchestrators, without them: order, names, losses, files that stand alone."""

import ast
import base64
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import exported_pipeline
import pytest
import yaml
from botocore.model import ServiceModel
from botocore.session import get_session
from botocore.validate import ParamValidator
from hera.events.models import EventSource, Sensor, WebhookContext
from hera.workflows.models import Workflow
from kfp import dsl
from seaway import registry
from seaway.errors import InvalidSpec
from seaway.exports.exporter import Export, exported
from seaway.exports.units import Unit, units
from seaway.kfp import catalog
from seaway.kfp.compile import Compiled, compiled, load_file
from seaway.kfp.local.part import Part

TARGETS = tuple(registry.backends("Exporter"))
PIPELINES = tuple(entry.name for entry in catalog.pipelines())


@pytest.fixture(scope="module")
def pipeline() -> Compiled:
    return compiled(exported_pipeline.exported)


@cache
def real(name: str) -> Compiled:
    """One of the catalog's, from the file that is kept with its source."""
    return load_file(catalog.pipeline(name).compiled)


def export(target: str, pipeline: Compiled, folder: Path) -> tuple[str, Export]:
    made = exported(target, pipeline, folder / "file", image="lab/seaway:1")
    return made.files[folder / "file"], made


def test_groups_are_opened_loops_are_one_piece_and_exit_tasks_come_after_all_that_they_follow(
    pipeline: Compiled,
) -> None:
    found = {unit.place: unit for unit in units(pipeline.spec)}
    group = "exit-handler-1"
    assert found[f"{group}/flaky"].after == (f"{group}--make",)
    assert found[f"{group}/for-loop-6"] == Unit(
        f"{group}--for-loop-6", f"{group}/for-loop-6", found[f"{group}/for-loop-6"].title,
        (f"{group}--flaky",), always=False, loop=True,
    )  # fmt: skip
    many, few = (f"{group}/condition-branches-2/condition-{name}" for name in ("3/note", "4/note-2"))
    assert found[many].after == found[few].after == (f"{group}--flaky", f"{group}--make")
    assert found["tidy"].always
    assert set(found["tidy"].after) == {unit.name for unit in found.values()} - {"tidy"}


@pytest.mark.parametrize("name", PIPELINES)
def test_units_of_real_pipelines_have_names_of_their_own_come_in_order_and_are_places(name: str) -> None:
    pipeline = real(name)
    seen: set[str] = set()
    labels = set[str]()
    for unit in units(pipeline.spec):
        assert seen.issuperset(unit.after)
        assert unit.name not in seen
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", unit.name)
        seen.add(unit.name)
        labels |= Part("run", unit.place, Path()).labels(pipeline.spec)
    assert labels == set(pipeline.spec.deployment_spec["executors"].keys())


@pytest.mark.parametrize("target", ["airflow", "luigi"])
def test_a_file_of_python_needs_nothing_of_seaway(target: str, pipeline: Compiled, tmp_path: Path) -> None:
    text, _ = export(target, pipeline, tmp_path)
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(text))
        for name in (
            [one.name for one in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        )
    }  # fmt: skip
    assert imported <= {"airflow", "luigi", *sys.stdlib_module_names}


@pytest.mark.parametrize("target", ["make", "slurm"])
def test_the_shell_and_make_can_read_what_is_for_them(target: str, pipeline: Compiled, tmp_path: Path) -> None:
    text, _ = export(target, pipeline, tmp_path)
    (tmp_path / "file").write_text(text)
    reads = {"make": ["make", "-n", "-f", "file", "RUN=a", "steps"], "slurm": ["sh", "-n", "file"]}
    subprocess.run(reads[target], cwd=tmp_path, check=True, capture_output=True)


def test_argos_workflow_has_the_whole_pipeline_and_starts_exit_tasks_after_every_end(
    pipeline: Compiled, tmp_path: Path
) -> None:
    text, _ = export("argo", pipeline, tmp_path)
    spec = yaml.safe_load(text)["spec"]
    dag, step = (template for template in spec["templates"])
    tasks = {task["name"]: task for task in dag["dag"]["tasks"]}
    assert tasks["exit-handler-1--flaky"]["depends"] == "exit-handler-1--make.Succeeded"
    assert "(exit-handler-1--make.Succeeded || exit-handler-1--make.Failed || " in tasks["tidy"]["depends"]
    raw = step["inputs"]["artifacts"][0]["raw"]["data"]
    assert base64.b64decode(raw).decode() == pipeline.text
    assert not re.search(r"\{\{(?!inputs\.parameters\.place|workflow\.)", text), "Argo would fill it"


@pytest.mark.parametrize("name", PIPELINES)
def test_argos_own_models_take_each_field_of_a_workflow(name: str, tmp_path: Path) -> None:
    workflow = yaml.safe_load(export("argo", real(name), tmp_path)[0])
    read = Workflow.model_validate(workflow)
    assert read.model_dump(mode="json", by_alias=True, exclude_none=True) == workflow, "a field is none of Argo's"


@pytest.mark.parametrize("name", PIPELINES)
def test_argos_own_models_take_each_field_of_what_starts_a_workflow(name: str, tmp_path: Path) -> None:
    pipeline = real(name)
    text, made = export("argo-events", pipeline, tmp_path)
    source, sensor = yaml.safe_load_all(text)
    [webhook] = source["spec"]["webhook"].values()  # which the models have one level deeper than Argo's own YAML
    around = {"metadata": source["metadata"], "spec": {"service": source["spec"]["service"]}}
    [trigger] = sensor["spec"]["triggers"]
    submitted = trigger["template"]["argoWorkflow"]
    assert submitted["source"]["resource"] == yaml.safe_load(export("argo", pipeline, tmp_path)[0])
    workflow, submitted["source"]["resource"] = submitted["source"]["resource"], {}  # any object, of no model
    started = {key: sensor[key] for key in ("metadata", "spec")}
    for model, given in ((EventSource, around), (WebhookContext, webhook), (Sensor, started)):
        read = model.model_validate(given).model_dump(mode="json", by_alias=True, exclude_none=True)
        assert read == given, "a field is none of Argo's"
    [told] = submitted["parameters"]
    assert workflow["spec"]["arguments"]["parameters"][0]["value"] == told["src"]["value"]
    [dependency] = sensor["spec"]["dependencies"]
    assert dependency["eventSourceName"] == source["metadata"]["name"]
    assert dependency["eventName"] in source["spec"]["webhook"]
    assert webhook["authSecret"], "anybody could start a run"
    assert "{}" in made.advice


@pytest.mark.parametrize("target", ["argo", "argo-events", "sagemaker"])
def test_a_target_that_runs_images_asks_for_one(target: str, pipeline: Compiled, tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match="--image"):
        exported(target, pipeline, tmp_path / "file")


@pytest.mark.parametrize("name", PIPELINES)
def test_vertex_gets_one_document_that_is_the_pipeline(name: str, tmp_path: Path) -> None:
    pipeline = real(name)
    text, made = export("vertex", pipeline, tmp_path)
    assert len(list(yaml.safe_load_all(text))) == 1
    file = tmp_path / "pipeline.yaml"
    file.write_text(text)
    assert load_file(file).spec == pipeline.spec
    assert any("Kubernetes" in loss for loss in made.losses)


def filled(value: object) -> object:
    """A definition's JSON as SageMaker fills it for a run."""
    given = {"FileSystem": "fs-0123456789abcdef0", "Role": "arn:aws:iam::012345678901:role/pipelines"}
    if isinstance(value, dict) and set(value) == {"Get"}:
        return given.get(value["Get"].removeprefix("Parameters."), "text")
    if isinstance(value, dict):
        return {name: filled(one) for name, one in value.items()}
    return [filled(one) for one in value] if isinstance(value, list) else value


def problems(model: ServiceModel, operation: str, request: object) -> str:
    """What Amazon's own description of a request has against one."""
    shape = model.operation_model(operation).input_shape
    return str(ParamValidator().validate(request, shape).generate_report())


@pytest.fixture(scope="module")
def amazon() -> ServiceModel:
    """Of SageMaker."""
    return get_session().get_service_model("sagemaker")


@pytest.mark.parametrize("name", PIPELINES)
def test_sagemaker_takes_the_definition_and_the_request_of_each_step(
    name: str, amazon: ServiceModel, tmp_path: Path
) -> None:
    pipeline = real(name)
    text, _ = export("sagemaker", pipeline, tmp_path)
    order = {"PipelineName": pipeline.name, "PipelineDefinition": text, "ClientRequestToken": "0" * 32,
             "RoleArn": "arn:aws:iam::012345678901:role/pipelines"}  # fmt: skip
    assert not problems(amazon, "CreatePipeline", order)
    steps = json.loads(text)["Steps"]
    told = {parameter["Name"] for parameter in json.loads(text)["Parameters"]}
    assert set(re.findall(r'"Parameters\.(\w+)"', text)) == told, "each is asked for, and each is there"
    for step in steps:
        request = {"TrainingJobName": "job", **step["Arguments"]}
        assert not problems(amazon, "CreateTrainingJob", filled(request))
    assert "Missing required parameter" in problems(amazon, "CreateTrainingJob", {})
    names = [step["Name"] for step in steps]
    assert len(set(names)) == len(names) == len(units(pipeline.spec))
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", one) for one in names)
    for place, step in enumerate(steps):
        assert set(step.get("DependsOn", ())) <= set(names[:place])


def test_sagemaker_s_steps_come_after_others_and_are_carried_out_by_their_place(
    pipeline: Compiled, tmp_path: Path
) -> None:
    text, made = export("sagemaker", pipeline, tmp_path)
    steps = {step["Name"]: step for step in json.loads(text)["Steps"]}
    assert steps["exit-handler-1--flaky"]["DependsOn"] == ["exit-handler-1--make"]
    words = steps["exit-handler-1--flaky"]["Arguments"]["AlgorithmSpecification"]["ContainerArguments"]
    assert words[0].endswith(f"/{pipeline.name}.pipeline.yaml")
    assert words[1] == "exit-handler-1/flaky"
    assert any("exit tasks after a failure" in loss for loss in made.losses)


@dsl.container_component
def foreign():
    """Another image, with a need of its own."""
    return dsl.ContainerSpec(image="alpine:3", command=["true"])


@dsl.pipeline(name="losing")
def losing():
    """A pipeline that asks for what only pods have."""
    foreign().set_memory_limit("1G")


@pytest.mark.parametrize("target", [target for target in TARGETS if target not in ("argo", "argo-events", "vertex")])
def test_what_is_lost_is_named_with_its_steps(target: str, pipeline: Compiled, tmp_path: Path) -> None:
    _, made = export(target, compiled(losing), tmp_path)
    losses = ". ".join(made.losses)
    assert "foreign (alpine:3)" in losses
    assert "processors, memory and accelerators of pods, which no worker gives by itself: foreign" in losses
    assert "a loop is one task" not in losses
    assert "exit-handler-1/for-loop-6" in ". ".join(export(target, pipeline, tmp_path)[1].losses)


def test_an_unknown_target_is_told_with_those_that_there_are(pipeline: Compiled, tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match="airflow, argo"):
        exported("oozie", pipeline, tmp_path / "file")
