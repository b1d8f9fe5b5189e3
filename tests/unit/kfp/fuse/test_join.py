"""The compiled pipeline whose steps share pods: what it gives, what its pods are given, and what stays apart."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from kfp import dsl, kubernetes
from kfp.components import load_component_from_text
from seaway.cli.compile import compile_pipeline, write_manifests
from seaway.errors import InvalidSpec
from seaway.kfp import component
from seaway.kfp.compile import Compiled, compiled, load, plain
from seaway.kfp.fuse.join import fused
from seaway.kfp.fuse.share import share_pod
from seaway.kfp.fuse.step import Step, decode, origin
from seaway.kfp.refusals import require_runnable
from seaway.kfp.versions import version_name

Task = dsl.PipelineTask
shipped = cache(load)  # a pipeline of ours, compiled


@component
def write(table: dsl.Output[dsl.Dataset], rows: int = 1) -> int:
    """Writes."""
    import seaway

    assert seaway
    return rows


@component
def read(table: dsl.Input[dsl.Dataset], page: dsl.Output[dsl.HTML], rows: int = 1) -> str:
    """Reads."""
    import seaway

    assert seaway
    return ""


@component
def sign(table: dsl.Input[dsl.Dataset], package: dsl.Output[dsl.Model]):
    """Signs."""
    from seaway.platforms.home import signing_keys

    signing_keys()


@component(packages_to_install=["numpy"])
def install(table: dsl.Input[dsl.Dataset], page: dsl.Output[dsl.HTML]) -> str:
    """Installs."""
    import seaway

    assert seaway
    return ""


@dsl.component
def foreign(table: dsl.Input[dsl.Dataset], page: dsl.Output[dsl.HTML], rows: int = 1) -> str:
    """A step of another image."""
    return ""


@component
def report(status: dsl.PipelineTaskFinalStatus):
    """Tells how it ended."""
    import seaway

    assert seaway


@cache
def shipped_fused(name: str) -> Compiled:
    """A pipeline of ours whose steps share pods."""
    return fused(shipped(name))


class Ran(NamedTuple):
    """A pod of a compiled pipeline."""

    task: Any
    component: Any
    container: Any

    @property
    def steps(self) -> list[Step]:
        words = self.container.get("args", [])
        return [decode(word) for flag, word in pairwise(words) if flag == "--step"]


def pods(pipeline: Compiled) -> dict[str, Ran]:
    """All pods by the names of their tasks, where no two DAGs have the same."""
    return {ran.task["name"]: ran for ran in every_pod(pipeline)}


def every_pod(pipeline: Compiled) -> Iterator[Ran]:
    """The pods of all DAGs."""
    spec = plain(pipeline.spec)
    for one in [spec["root"], *spec["components"].values()]:
        for name, task in one.get("dag", {}).get("tasks", {}).items():
            found = spec["components"][task["componentRef"]["name"]]
            if "executorLabel" in found:
                container = spec["deploymentSpec"]["executors"][found["executorLabel"]]["container"]
                yield Ran({**task, "name": name}, found, container)


def outputs(pipeline: Compiled) -> list[tuple[str, Any]]:
    """What all pods give, by step and output."""
    found = [
        (origin(ran.task["name"], key), definition)
        for ran in every_pod(pipeline)
        for side in ran.component.get("outputDefinitions", {}).values()
        for key, definition in side.items()
    ]
    return sorted(found, key=str)


def settings(pipeline: Compiled) -> dict[str, Any]:
    """What the platform is told of each executor."""
    found: dict[str, Any] = plain(pipeline.platform)["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    return found


def joined(first: Callable[[], Task], *others: Callable[[Task], Task]) -> Compiled:
    """A fused chain: each step is made of the one before."""

    @dsl.pipeline(name="chain")
    def pipeline() -> None:
        task = first()
        for other in others:
            task = other(task)

    return fused(compiled(pipeline))


def reading(task: Task) -> Task:
    """A step that reads what one before it wrote."""
    return read(table=task.outputs["table"], rows=task.outputs["Output"])


def test_flights_takes_half_the_pods_and_gives_all_it_gave() -> None:
    """12 of 23: what signs has a pod of its own, or another step would be given the key; a report follows each part."""
    before, after = shipped("flights"), shipped_fused("flights")
    assert len([*every_pod(after)]) <= math.ceil(len([*every_pod(before)]) / 2)
    assert outputs(after) == outputs(before)
    assert version_name(after) != version_name(before)
    require_runnable(after.spec)


@pytest.mark.parametrize("name", ["flights", "flights_monitoring", "flights_retraining"])
def test_no_step_of_ours_is_given_what_it_had_not(name: str) -> None:
    before, after = shipped(name), shipped_fused(name)
    had = defaultdict[str, list[Any]](list)
    for ran in every_pod(before):
        had[ran.task["name"]].append(settings(before).get(ran.component["executorLabel"], {}))
    shared = [pod for pod in every_pod(after) if pod.steps]
    for pod in shared:
        assert all(settings(after)[pod.component["executorLabel"]] in had[step.name] for step in pod.steps)
    assert shared or name == "flights_monitoring"


@pytest.mark.parametrize("name", ["flights", "flights_monitoring", "flights_retraining"])
def test_joining_again_joins_nothing_more_and_kfp_reads_the_file(name: str) -> None:
    once = shipped_fused(name)
    assert fused(once).text == once.text
    assert load_component_from_text(once.text).pipeline_spec == once.spec


def test_a_pod_has_the_most_that_one_of_its_steps_asks_for_and_is_reused_only_where_all_are() -> None:
    after = joined(
        lambda: share_pod(write().set_cpu_request("100m").set_memory_limit("2Gi"), "both"),
        lambda task: share_pod(reading(task).set_cpu_request("2").set_caching_options(False), "both"),
    )
    [pod] = pods(after).values()
    assert pod.container["resources"] == {
        "cpuRequest": 2.0, "resourceCpuRequest": "2", "memoryRequest": 2.147483648, "resourceMemoryRequest": "2Gi",
    }  # fmt: skip
    assert not pod.task["cachingOptions"]


def test_who_took_an_output_of_a_step_takes_it_of_the_pod() -> None:
    @dsl.pipeline
    def inner(table: dsl.Input[dsl.Dataset]) -> NamedTuple("Out", [("text", str), ("page", dsl.HTML)]):
        first = read(table=table)
        second = read(table=table).after(first)
        return NamedTuple("Out", [("text", str), ("page", dsl.HTML)])(second.outputs["Output"], first.outputs["page"])

    @dsl.pipeline(name="outer")
    def outer() -> None:
        written = write()
        within = inner(table=written.outputs["table"]).after(reading(written))
        with dsl.If(within.outputs["text"] == "", name="empty"):
            sign(table=written.outputs["table"])

    after = fused(compiled(outer))
    spec = plain(after.spec)
    [selected] = spec["components"]["comp-inner"]["dag"]["outputs"]["artifacts"]["page"]["artifactSelectors"]
    assert selected == {"outputArtifactKey": "read--page", "producerSubtask": "read-to-read-2"}
    text = spec["components"]["comp-inner"]["dag"]["outputs"]["parameters"]["text"]["valueFromParameter"]
    assert text == {"outputParameterKey": "read-2--Output", "producerSubtask": "read-to-read-2"}
    tasks = spec["root"]["dag"]["tasks"]
    assert tasks["inner"]["inputs"]["artifacts"]["table"]["taskOutputArtifact"] == {
        "outputArtifactKey": "write--table", "producerTask": "write-to-read",
    }  # fmt: skip
    assert tasks["inner"]["dependentTasks"] == ["write-to-read"]
    assert pods(after)["read-to-read-2"].task["inputs"]["artifacts"].keys() == {"read--table"}, "one artifact, once"


def test_what_a_step_is_given_from_outside_is_the_pods_by_the_steps_name() -> None:
    @dsl.pipeline(name="given")
    def given(rows: int, label: str) -> None:
        written = write(rows=rows).set_display_name("Write rows")
        read(table=written.outputs["table"], rows=written.outputs["Output"])

    [pod] = pods(fused(compiled(given))).values()
    assert pod.task["inputs"]["parameters"] == {"write--rows": {"componentInputParameter": "rows"}}
    assert pod.component["inputDefinitions"]["parameters"]["write--rows"]["parameterType"] == "NUMBER_INTEGER"
    assert pod.task["taskInfo"]["name"] == "Write rows + read"
    assert [step.parameters["rows"] for step in pod.steps] == [{"input": "write--rows"}, {"output": "write--Output"}]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (write, lambda task: install(table=task.outputs["table"])),
        (write, lambda task: foreign(table=task.outputs["table"])),
        (write, lambda task: sign(table=task.outputs["table"])),
        (write, lambda task: reading(task).set_retry(2)),
        (write, lambda task: reading(task).set_caching_options(False)),
        (write, lambda task: reading(task).set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(1)),
        (write, lambda task: reading(task).set_env_variable("A", "b")),
        (write, lambda task: kubernetes.add_node_selector(reading(task), "disk", "fast")),
        (write, lambda task: kubernetes.use_secret_as_env(reading(task), "own", {"key": "KEY"})),
        (write, lambda task: write(rows=task.outputs["Output"]).ignore_upstream_failure()),
        (write, lambda task: share_pod(reading(task), "own")),
        (lambda: share_pod(write(), "one"), lambda task: share_pod(reading(task), "other")),
    ],
)
def test_steps_that_differ_stay_apart(first: Callable[[], Task], second: Callable[[Task], Task]) -> None:
    assert len(pods(joined(first, second))) == 2


def test_what_a_step_waits_for_that_runs_anyway_keeps_its_own_end() -> None:
    anyway = joined(write, reading, lambda task: write(rows=1).after(task).ignore_upstream_failure())
    assert len(pods(anyway)) == 3


def test_what_a_mount_names_keeps_its_name() -> None:
    @dsl.pipeline(name="naming")
    def naming() -> None:
        read_first = reading(write())
        last = sign(table=write().after(read_first).outputs["table"])
        kubernetes.use_secret_as_volume(last, read_first.outputs["Output"], "/own")

    assert {"write", "read", "sign"} <= pods(fused(compiled(naming))).keys()


def test_steps_alike_are_joined_and_the_retries_that_they_share_are_the_pods() -> None:
    [pod] = pods(joined(lambda: write().set_retry(2), lambda task: reading(task).set_retry(2))).values()
    assert pod.task["retryPolicy"]["maxRetryCount"] == 2
    assert not any(step.retry for step in pod.steps)


def test_retries_that_differ_are_the_steps_own() -> None:
    pipeline = joined(lambda: share_pod(write().set_retry(2), "p"), lambda task: share_pod(reading(task), "p"))
    [pod] = pods(pipeline).values()
    assert "retryPolicy" not in pod.task
    assert [step.retry.get("maxRetryCount") for step in pod.steps] == [2, None]


def test_an_exit_task_and_what_it_is_told_of_stay_apart() -> None:
    @dsl.pipeline(name="ending")
    def ending() -> None:
        with dsl.ExitHandler(report()):
            reading(write())

    assert pods(fused(compiled(ending))).keys() == {"report", "write-to-read"}


def test_the_signing_key_is_never_shared_by_name_either() -> None:
    with pytest.raises(InvalidSpec, match="Steps sign, write cannot share pod p: their images, environments, mounts"):
        joined(lambda: share_pod(write(), "p"), lambda task: share_pod(sign(table=task.outputs["table"]), "p"))


def test_rewording_a_title_makes_no_other_version() -> None:
    told = joined(lambda: write().set_display_name("Write"), reading)
    retold = joined(lambda: write().set_display_name("Write rows"), reading)
    assert version_name(told) == version_name(retold)


@pytest.mark.parametrize("name", ["", "A", "a--b", "-a", "a" * 41, "a b"])
def test_a_pods_name_is_a_label(name: str) -> None:
    with pytest.raises(InvalidSpec, match="no lower-case DNS label"):
        joined(lambda: share_pod(write(), name))


def test_nothing_on_the_way_finds_a_placeholder_or_an_interpreter_in_a_pods_words() -> None:
    [pod] = pods(joined(write, reading)).values()
    words = [word for word in pod.container["args"] if word not in ("{{$}}", "--step", "--executor_input")]
    assert not any("{{$" in word or "python3" in word or "$(" in word for word in words)
    assert "{{$}}" in pod.steps[0].command
    assert "python3 -m kfp.dsl.executor_main" in pod.steps[0].command[2]


@pytest.mark.parametrize("kubernetes_manifests", [False, True])
def test_the_command_line_writes_the_fused_pipeline(tmp_path: Path, kubernetes_manifests: bool) -> None:
    file = compile_pipeline("flights", tmp_path / "flights.yaml", kubernetes_manifests, fuse=True)
    plain_file = compile_pipeline("flights", tmp_path / "alone.yaml", kubernetes_manifests)
    assert "seaway.kfp.fuse" in file.read_text()
    assert "seaway.kfp.fuse" not in plain_file.read_text()


def test_manifests_are_written_fused_and_the_same_again_writes_nothing(tmp_path: Path) -> None:
    names = {path.name for path in write_manifests(tmp_path, None, fuse=True)}
    assert "flights.yaml" in names
    assert "seaway.kfp.fuse" in (tmp_path / "flights.yaml").read_text()
    assert write_manifests(tmp_path, None, fuse=True) == []
