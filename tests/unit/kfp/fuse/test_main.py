"""Steps of one pod, run as in the pod: by their own commands, one after another, with what the pod was given."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from seaway.kfp.fuse.__main__ import main, pauses_s
from seaway.kfp.fuse.step import Step, joint

WRITE = 'printf "%s" "$1" > "$2"'
SCRIPT = """
import json, sys
from pathlib import Path
given = json.loads(sys.argv[1])
page = given["outputs"]["artifacts"]["page"]["artifacts"][0]
[table] = given["inputs"]["artifacts"]["table"]["artifacts"]
Path(page["uri"]).write_text(Path(table["uri"]).read_text() + " read")
told = {"name": page["name"], "uri": page["uri"], "metadata": {"rows": 2.0, "of": table["name"]}}
Path(given["outputs"]["outputFile"]).write_text(json.dumps({
    "parameterValues": {"Output": given["inputs"]["parameterValues"]}, "artifacts": {"page": {"artifacts": [told]}},
}))
"""
MAKE = Step(
    "make",
    ["sh", "-ec", WRITE, "sh", "{{$.inputs.parameters['text']}}", "{{$.outputs.artifacts['table'].path}}"],
    {"text": {"input": "make--text"}, "absent": {"input": "make--absent"}}, outputs=["table"],
)  # fmt: skip
COUNT = Step(
    "count", ["sh", "-ec", WRITE, "sh", "41", "{{$.outputs.parameters['rows'].output_file}}"],
    results={"rows": "NUMBER_INTEGER"},
)  # fmt: skip
READ = Step(
    "read", ["python3", "-c", SCRIPT, "{{$}}"],
    {
        "rows": {"output": "count--rows"}, "words": {"output": "count--rows"}, "x": {"input": "read--x"},
        "label": {"constant": {"of": "{{$.inputs.parameters['x']}}/{{$.inputs.parameters['rows']}}"}},
    },
    {"table": {"output": "make--table"}, "other": {"input": "read--other"}},
    {"words": "STRING", "rows": "NUMBER_INTEGER"}, {"Output": "STRUCT"}, ["page"],
)  # fmt: skip


def given(folder: Path, *steps: Step, **values: Any) -> str:
    """The pod's executor input, as KFP writes it: with its outputs at `folder`."""
    artifacts = {joint(step.name, name) for step in steps for name in step.outputs}
    parameters = {joint(step.name, name) for step in steps for name in step.results}
    other = {"artifacts": [{"name": "x", "uri": str(folder / "other"), "metadata": {"k": 1}}]}
    return json.dumps({
        "inputs": {"parameterValues": values, "artifacts": {"read--other": other}},
        "outputs": {
            "artifacts": {name: {"artifacts": [{"name": name, "uri": f"{folder}/out/{name}"}]} for name in artifacts},
            "parameters": {name: {"outputFile": str(folder / "kfp" / name)} for name in parameters},
            "outputFile": str(folder / "out" / "output_metadata.json"),
        },
    })  # fmt: skip


def words(folder: Path, *steps: Step, **values: Any) -> list[str]:
    """The pod's command line."""
    told = [word for step in steps for word in ("--step", step.encode())]
    return ["--executor_input", given(folder, *steps, **values), *told]


def output(folder: Path) -> Any:
    """The pod's executor output."""
    return json.loads((folder / "out" / "output_metadata.json").read_text())


def test_what_one_step_makes_the_next_is_given_and_the_pod_tells_of_all(tmp_path: Path, capfd: Any) -> None:
    assert main(words(tmp_path, MAKE, COUNT, READ, **{"make--text": "hello 'x'", "read--x": 5})) == 0
    told = output(tmp_path)
    assert told["parameterValues"] == {
        "count--rows": 41, "read--Output": {"rows": 41, "words": "41", "x": 5, "label": {"of": "5/41"}},
    }  # fmt: skip
    [page] = told["artifacts"]["read--page"]["artifacts"]
    assert (page["name"], page["metadata"]) == ("read--page", {"rows": 2, "of": "table"})
    assert Path(page["uri"]).read_text() == "hello 'x' read"
    assert told["artifacts"]["make--table"]["artifacts"][0]["uri"] == str(tmp_path / "out" / "make--table")
    assert "Step read, 3 of 3 in this pod." in capfd.readouterr().out


def test_a_failing_step_ends_the_pod_with_its_code_is_named_and_leaves_what_was_made(
    tmp_path: Path, capfd: Any
) -> None:
    failing = Step("fail", ["sh", "-c", "echo reason; exit 7"])
    never = Step("never", ["touch", str(tmp_path / "never")])
    assert main(words(tmp_path, COUNT, failing, never)) == 7
    assert output(tmp_path)["parameterValues"] == {"count--rows": 41}
    assert not (tmp_path / "never").exists()
    assert capfd.readouterr().out.endswith("reason\n\nStep fail, 2 of 3 in this pod, failed: exit code 7.\n")


def test_a_step_that_ends_by_a_signal_ends_the_pod_as_a_shell_would(tmp_path: Path) -> None:
    assert main(words(tmp_path, Step("fail", ["sh", "-c", "kill -9 $$"]))) == 128 + signal.SIGKILL


def test_a_whole_double_arrives_as_kfp_would_carry_it(tmp_path: Path) -> None:
    script = SCRIPT.replace('given["inputs"]["parameterValues"]', '{"epochs": 4.0, "rates": [0.5, 1e3]}')
    assert main(words(tmp_path, MAKE, COUNT, replace(READ, command=["python3", "-c", script, "{{$}}"]))) == 0
    told = json.dumps(output(tmp_path)["parameterValues"]["read--Output"])
    assert told == '{"epochs": 4, "rates": [0.5, 1000]}'


@pytest.mark.parametrize(("text", "why"), [("many", "'many' is no NUMBER_INTEGER"), ("", "'' is no NUMBER_INTEGER")])
def test_an_output_that_is_missing_or_of_another_type_fails_its_step(
    tmp_path: Path, capfd: Any, text: str, why: str
) -> None:
    wrong = Step("count", [*COUNT.command[:4], text, COUNT.command[5]], results=COUNT.results)
    silent = Step("count", ["true"], results=COUNT.results)
    assert main(words(tmp_path, wrong)) == main(words(tmp_path, silent)) == 1
    said = capfd.readouterr().out
    assert f"failed: Step count has not given its output rows: {why}" in said
    assert "No such file or directory" in said


def test_a_step_is_tried_again_as_its_policy_says_and_finds_nothing_of_the_attempt_before(tmp_path: Path) -> None:
    script = f'echo >> {tmp_path}/tries; mkdir "$1"; touch "$1/half"; [ $(wc -l < {tmp_path}/tries) = 3 ]'
    flaky = Step(
        "flaky", ["sh", "-ec", script, "sh", "{{$.outputs.artifacts['table'].path}}"], outputs=["table"],
        retry={"maxRetryCount": 2, "backoffDuration": "0s"},
    )  # fmt: skip
    assert main(words(tmp_path, flaky)) == 0
    (tmp_path / "tries").unlink()
    once = Step("flaky", flaky.command, outputs=["table"], retry={"maxRetryCount": 1, "backoffDuration": "0s"})
    assert main(words(tmp_path, once)) == 1


@pytest.mark.parametrize(
    ("policy", "pauses"),
    [
        ({}, []),
        ({"maxRetryCount": 2}, [0.0, 0.0]),
        ({"maxRetryCount": 3, "backoffDuration": "5s", "backoffFactor": 2.0, "backoffMaxDuration": "15s"}, [5, 10, 15]),
        ({"maxRetryCount": 2, "backoffDuration": "1m", "backoffFactor": 100.0}, [60, 3600]),
    ],
)
def test_pauses_are_the_policys(policy: dict[str, Any], pauses: list[float]) -> None:
    assert list(pauses_s(policy)) == pauses


def test_sigterm_is_passed_on_and_nothing_starts_after_it(tmp_path: Path) -> None:
    script = f"trap 'echo told > {tmp_path}/told; exit 1' TERM; touch {tmp_path}/began; while :; do sleep 0.05; done"
    waiting = Step("wait", ["sh", "-c", script], retry={"maxRetryCount": 5, "backoffDuration": "0s"})
    never = Step("never", ["touch", str(tmp_path / "never")])
    command = [sys.executable, "-m", "seaway.kfp.fuse", *words(tmp_path, waiting, never)]
    with subprocess.Popen(command) as process:
        while not (tmp_path / "began").exists():
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM
    assert (tmp_path / "told").exists()
    assert not (tmp_path / "never").exists()
