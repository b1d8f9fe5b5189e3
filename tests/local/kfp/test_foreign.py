"""Pipelines of people who have never heard of Seaway: each runs right, or is refused by name before the first step.

They are in the folder `foreign`, together each feature of kfp's compiled form; what is expected of each is here.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from seaway.errors import InvalidSpec, RunFailed
from seaway.kfp.local import containers
from seaway.kfp.local.run_record import Record
from seaway.kfp.local.runner import local_run

FOREIGN = Path(__file__).with_name("foreign")
Steps = list[tuple[str, Any]]  # name of each step in its order, and its one parameter, or all of them


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("foreign")


@pytest.fixture(autouse=True)
def state(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SEAWAY_HOME", str(home))
    monkeypatch.setattr(containers, "program", lambda: ("", "neither docker nor podman is on PATH"))
    return


def run(reference: str, **given: object) -> Record:
    return local_run(str(FOREIGN / reference), given, caching=False)


def said(steps: list[dict[str, Any]]) -> Steps:
    """What each step gave, without its artifacts."""
    return [(step["name"], _only(step)) for step in steps]


def _only(step: dict[str, Any]) -> Any:
    if step["state"] != "succeeded":
        return step["state"]
    found = {name: value for name, value in step["outputs"].items() if not _is_artifact(value)}
    return found["Output"] if list(found) == ["Output"] else found or None


def _is_artifact(value: object) -> bool:
    return isinstance(value, dict) and "uri" in value


def plain(record: Record) -> list[dict[str, Any]]:
    return list(json.loads((record.folder / "run.json").read_text())["steps"])


RIGHT: dict[str, Steps] = {
    "branches.py:if_taken": [("say", "taken")],
    "branches.py:if_not_taken": [("number", 3), ("say-2", "after")],
    "branches.py:if_elif_else": [("say-2", "two")],
    "branches.py:oneof_parameters": [("say-2", "high"), ("say-3", "high")],
    "branches.py:oneof_artifacts": [("rows-3", None), ("count", 2)],
    "branches.py:nested_ifs": [("number", 4), ("say", "it\u2019s && a == b")],
    "branches.py:if_bool_and_float": [("say", "fast"), ("fraction", 0.5)],
    "branches.py:text_that_is_code": [],
    "branches.py:behind_a_skipped_branch": [("number", 1)],
    "loops.py:constants": [("double", 2), ("double", 4), ("double", 6)],
    "loops.py:of_a_parameter": [("say", "a"), ("say", "b")],
    "loops.py:of_an_output": [("upto", [0, 1, 2]), ("double", 0), ("double", 2), ("double", 4), ("add", 6)],
    "loops.py:of_structs": [("say", "a"), ("say", "b'\""), ("say-2", "1"), ("say-2", "2")],
    "loops.py:of_lists_and_dicts": [("tell", '{"x": [1, 2]}'), ("tell", '{"x": []}')],
    "loops.py:loop_in_a_loop": [*[("plus", value) for value in (11, 12, 21, 22)], ("flat", 66)],
    "loops.py:collected_artifacts": [*[("rows", None)] * 4, ("total", 6)],
    "loops.py:no_item": [("upto", []), ("add", 0), ("total", 0), ("last", "SUCCEEDED exit-handler-1 well")],
    "loops.py:loop_in_a_branch": [("say", "b")],
    "loops.py:after_a_loop": [("say", "a"), ("say", "b"), ("say-2", "end")],
    "loops.py:collected_texts": [("say", 'it\'s "q"'), ("say", "x"), ("join", 'x+it\'s "q"')],
    "loops.py:numbers_of_a_loop": [("number", 1), ("number", 2**53 - 1)],
    "exits.py:exit_after_success": [("say", "work"), ("last", "SUCCEEDED exit-handler-1 well")],
    "exits.py:pipeline_as_exit_task_after_success": [("say", "work"), ("state", "SUCCEEDED"), ("say-2", "all is well")],
    "artifacts.py:one_component_twice": [
        ("rows", None), ("count", 2), ("rows-2", None), ("count-2", 5), ("plus", 7),
    ],
    "artifacts.py:metrics_of_a_step": [("metrics", None), ("read-metrics", "{'auc': 0.75, 'rows': 3} [3, 4]")],
    "artifacts.py:workspace": [("write", "kept"), ("read", "kept")],
    "artifacts.py:optional_artifact": [("perhaps", "none"), ("rows", None), ("perhaps-2", "row\n")],
    "artifacts.py:optional_artifact_of_a_nested_pipeline": [("perhaps", "none"), ("rows", None), ("perhaps", "row\n")],
    "artifacts.py:returned_artifacts": [
        ("returned", None), ("count", 1), ("two", {"size": 2}), ("count-2", 2), ("double", 4),
    ],
    "artifacts.py:folder_as_artifact": [("model", None), ("listed", "['weights'] {'framework': 'none'}")],
    "artifacts.py:paths": [
        ("by-path", {"out": "it's", "size": 4}), ("double", 8), ("from-path", "row\n"), ("say", "it's"),
    ],
    "parameters.py:every_type": [("typed", "(3, 2.0, False, 'x', [1, 2.5], [('a', True)])")],
    "parameters.py:constants": [("typed", repr((-1, 0.001, True, '"q" \u00e9\n', [[], "it's"], [("b", {"c": [1]})])))],
    "parameters.py:optional": [("absent", "(None, None, None, 5)")],
    "parameters.py:optional_of_a_nested_pipeline": [
        ("absent", "(None, 'd', None, 5)"), ("absent", "(None, 'd', None, 5)"), ("absent", "(4, 't', None, 5)"),
    ],
    "parameters.py:placeholders": [("placed", "placed True True False")],
    "parameters.py:named_outputs": [("pair", {"less": 4, "more": 6}), ("double", 8), ("double-2", 12)],
    "parameters.py:null_in_an_output": [("with-null", {"a": [None, 1]}), ("tell", '{"a": [null, 1]}')],
    "parameters.py:cached_or_not": [("double", 2), ("number", 1)],
    "parameters.py:variable_of_its_own": [("variables", "it's here True")],
    "parameters.py:nested": [("double", 6), ("say", "d"), ("double", 12), ("number", 12)],
    "cluster.py:secret_that_may_be_missing": [("say", "x")],
    "cluster.py:where_the_pod_runs": [("say", "x")],
    "environments.py:as_kfp_writes_it": [("with-kfp", "2.17.0")],
    "environments.py:python_that_is_not_here": [("other-python", "ran")],
    "environments.py:files_inside_a_component": [("embedded", "hello world")],
    "features.py:image_of_a_parameter": [("say", "x")],
    "features.py:within_its_time": [("sleep", "slept")],
    "features.py:within_the_run": [("say", "x")],
    "features.py:venv_of_a_step": [("in-a-venv", True)],
    "features.py:more_metrics": [("curves", None), ("read-curves", "2 ['north']")],
    "features.py:key_of_its_own": [("double", 2)],
    "features.py:pause": [("say", "x")],
    "features.py:loops_in_an_exit_handler": [
        ("number", 1), ("number", 2), ("upto", [0]), ("say", "a"), ("last", "SUCCEEDED exit-handler-3 well"),
    ],
    "features.py:one_iteration": [("upto", [0]), ("double", 0), ("add", 0)],
    "notebooks.py:notebook": [("summed", 7), ("word-of", "it's \u201em\u00e4rz\u201c\n")],
}  # fmt: skip


@pytest.mark.parametrize("reference", RIGHT)
def test_it_runs_right(reference: str) -> None:
    found = said(plain(run(reference)))
    assert sorted(found, key=repr) == sorted(RIGHT[reference], key=repr)


NOT_HERE: dict[str, str] = {
    "branches.py:text_with_a_quote": "in condition-1, the condition .* cannot be read",
    "cluster.py:secret_as_variable": "step secret takes SEAWAY_TEST_TOKEN from the secret keys; set that variable",
    "cluster.py:config_map_as_variable": "step secret takes SEAWAY_TEST_TOKEN from the config map settings",
    "cluster.py:secret_as_folder": "step say mounts the secret keys at /keys, which only a cluster does",
    "cluster.py:claim": "step say mounts a volume at /data",
    "cluster.py:empty_folder": "step say mounts a volume at /scratch",
    "cluster.py:volume_that_is_made": "step createpvc makes a volume of a cluster",
    "cluster.py:field_of_the_pod": r"step say takes POD_UID from its pod \(metadata.uid\); set that variable",
    "cluster.py:container": r"step hello is a container \(alpine:3.20\), and neither docker nor podman is on PATH",
    "cluster.py:settings_of_the_pod": r"step configured takes the settings of its pod \(config: TaskConfig\)",
    "features.py:component_of_version_one": r"step twice is a container \(alpine:3.20\), and neither docker nor podman",
    "exits.py:notification": "Missing parameter status",
}


@pytest.mark.parametrize("reference", NOT_HERE)
def test_what_is_not_here_is_told_by_name_before_the_first_step(reference: str, home: Path) -> None:
    before = set((home / "runs").glob("*"))
    with pytest.raises(InvalidSpec, match=NOT_HERE[reference]):
        run(reference)
    assert set((home / "runs").glob("*")) == before


FAILING: dict[str, tuple[str, Steps]] = {
    "branches.py:branch_that_fails": ("'fail' failed. RuntimeError: no licence", [("fail", "failed")]),
    "loops.py:an_iteration_fails": (
        "'fail' failed. RuntimeError: no licence",
        [("double", 2), ("fail", "failed"), ("last", "FAILED exit-handler-1 RuntimeError: no licence")],
    ),
    "exits.py:exit_after_failure": (
        "'fail' failed. RuntimeError: two",
        [("fail", "failed"), ("last", "FAILED exit-handler-1 RuntimeError: two\nlines")],
    ),
    "exits.py:exit_without_status": ("no licence", [("fail", "failed"), ("say", "the end")]),
    "exits.py:pipeline_as_exit_task": (
        "'fail' failed. RuntimeError: no licence",
        [("fail", "failed"), ("state", "FAILED"), ("say", "alarm"), ("double", 8)],
    ),
    "exits.py:several_exit_handlers": (
        "no licence", [("say", "first"), ("fail", "failed"),
         ("last", "SUCCEEDED exit-handler-1 well"), ("say-2", "second end")],
    ),
    "exits.py:exit_task_fails": ("the exit task itself", [("say", "work"), ("fail", "failed")]),
    "exits.py:ignores_failures": ("no licence", [("fail", "failed"), ("say", "goes on")]),
    "exits.py:handler_that_never_began": ("no licence", [("fail", "failed")]),
    "exits.py:an_end_for_each_part": (
        "no licence",
        [("fail", "failed"), ("say", "the end"), ("last", "FAILED exit-without-status RuntimeError: no licence")],
    ),
    "exits.py:retried_in_vain": (
        "no licence", [("fail", "failed"), ("last", "FAILED exit-handler-1 RuntimeError: no licence")],
    ),
    "exits.py:nested_pipeline_fails": (
        "no licence", [("fail", "failed"), ("last", "FAILED exit-handler-1 RuntimeError: no licence")],
    ),
    "exits.py:killed": (
        "'die' failed. it was ended by SIGKILL",
        [("die", "failed"), ("last", "FAILED exit-handler-1 it was ended by SIGKILL (out of memory?).")],
    ),
    "exits.py:ends_with_a_code": ("'leave' failed. exit code 3", [("leave", "failed")]),
    "artifacts.py:metric_that_is_nan": (
        "'bad-metric' failed. the metric 'auc' of its output figures is nan, which cannot travel: JSON has no number",
        [("bad-metric", "failed")],
    ),
    "artifacts.py:output_of_another_type": ("'no-number' failed. its output size in ", [("no-number", "failed")]),
    "artifacts.py:output_that_is_not_written": (
        "'double' failed. It could not start: its input value has no value: forgets has not written its output size",
        [("forgets", None), ("double", "failed")],
    ),
    "features.py:exit_handlers_within": (
        "'fail' failed. RuntimeError: inner",
        [("fail", "failed"), ("last", "FAILED exit-handler-1 RuntimeError: inner"), ("say", "outer end")],
    ),
    "features.py:longer_than_its_time": (
        "'sleep' failed. Its time is over: its pipeline gives it 1 s.",
        [("sleep", "failed"), ("last", "FAILED exit-handler-1 Its time is over: its pipeline gives it 1 s.")],
    ),
    "features.py:longer_than_the_run": (
        "'sleep' failed. Its time is over: its pipeline gives a run 2 s.",
        [("sleep", "failed"), ("last", "FAILED exit-handler-1 Its time is over: its pipeline gives a run 2 s.")],
    ),
    "notebooks.py:cell_that_fails": (
        "'broken' failed. KeyError: 'm\u00e4rz'",
        [("broken", "failed"), ("last", "FAILED exit-handler-1 KeyError: 'm\u00e4rz'")],
    ),
    "parameters.py:output_that_cannot_travel": (
        "'big' failed. its output Output is 9007199254740993", [("big", "failed")],
    ),
    "parameters.py:infinite_output": (
        "'nothing-there' failed. its output Output is inf", [("nothing-there", "failed")],
    ),
    "parameters.py:too_large_text": (
        "'length' failed. The system does not start it: Argument list too long (300",
        [("large", "x" * 300000), ("length", "failed")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("reference", FAILING)
def test_a_failure_names_its_step_in_one_paragraph_and_exit_tasks_run(reference: str) -> None:
    told, steps = FAILING[reference]
    with pytest.raises(RunFailed) as failure:
        run(reference)
    assert told in str(failure.value)
    assert "Traceback" not in str(failure.value)
    record = json.loads((failure.value.folder / "run.json").read_text())
    assert record["state"] == "failed"
    assert sorted(said(record["steps"]), key=repr) == sorted(steps, key=repr)


@pytest.mark.parametrize(("name", "most"), [("one_at_a_time", 1), ("two_at_a_time", 2)])
def test_a_loop_runs_as_many_at_once_as_it_says(name: str, most: int, tmp_path: Path) -> None:
    found = said(plain(run(f"loops.py:{name}", folder=str(tmp_path))))
    assert len(found) == 4
    assert max(value for _, value in found) == most


def test_an_importer_tells_what_its_author_says(tmp_path: Path) -> None:
    file = tmp_path / "rows"
    file.write_text("row\nrow\n")
    assert ("count", 2) in said(plain(run("artifacts.py:importer", path=str(file))))
    assert ("described", "hand 3 True") in said(plain(run("artifacts.py:importer", path=str(file))))


def test_an_artifact_in_the_workspace_is_a_copy(tmp_path: Path) -> None:
    file = tmp_path / "rows"
    file.write_text("row\n")
    assert said(plain(run("artifacts.py:importer_into_the_workspace", path=str(file))))[-1] == ("append", 2)
    assert file.read_text() == "row\n"
    with pytest.raises(RunFailed, match="/no/such is to be copied into the workspace, and there is no such file"):
        run("artifacts.py:importer_into_the_workspace", path="/no/such")


def test_a_retried_step_gives_what_its_last_attempt_did(tmp_path: Path) -> None:
    record = run("exits.py:retried", marker=str(tmp_path / "marker"))
    assert said(plain(record)) == [("flaky", "second"), ("say", "second")]
    assert record.steps[0].attempts == 2


def test_what_a_pipeline_puts_into_a_dict_arrives_as_it_is() -> None:
    [tell, listed] = [
        step for step in plain(run("parameters.py:dict_that_is_filled")) if step["name"] in ("tell", "repeat")
    ][::-1]
    text = 'it\'s "q" \\'
    what = {"whole": 6, "part": 6.0, "fast": True, "text": text, "items": ["a", 1], "fields": {"x": 1}}
    expected = {**what, "in": [6, {"deep": text}], "beside": f"<{text}|6>", "task": 8}
    assert {tell["name"]: json.loads(tell["outputs"]["Output"]), listed["name"]: listed["outputs"]["Output"]} == {
        "tell": expected, "repeat": [6, text, ["a", 1]],
    }  # fmt: skip
    assert '"part": 6.0' in tell["outputs"]["Output"]


def test_text_that_looks_like_a_placeholder_stays_as_it_is() -> None:
    say = [step for step in plain(run("parameters.py:text_that_is_filled")) if step["name"] == "say"]
    assert say[0]["outputs"]["Output"] == "<a \"b\" {{$.inputs.parameters['text']}}|2|4>"


def test_an_optional_parameter_that_is_given_arrives() -> None:
    assert said(plain(run("parameters.py:optional", whole="7", text="null"))) == [("absent", "(7, 'null', None, 5)")]


def test_a_large_text_arrives() -> None:
    assert said(plain(run("parameters.py:large_text")))[-1] == ("length", 20000)


@pytest.mark.parametrize("name", ["secret_as_variable", "config_map_as_variable"])
def test_a_secret_may_be_given_by_a_variable(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWAY_TEST_TOKEN", "mine")
    assert said(plain(run(f"cluster.py:{name}"))) == [("secret", "mine")]


def test_a_step_runs_by_another_python_where_its_own_is_not_here() -> None:
    record = run("environments.py:python_that_is_not_here")
    assert "python:3.6 has Python 3.6, which is not on this machine" in record.steps[0].log.read_text()


def test_the_table_of_features_names_pipelines_that_are_there() -> None:
    named = re.findall(r"`(\w+\.py):(\w+)`", (FOREIGN / "README.md").read_text())
    assert len(set(named)) > 60
    missing = [f"{file}:{name}" for file, name in named if f"\ndef {name}(" not in (FOREIGN / file).read_text()]
    assert missing == []
