"""What a newcomer types: help with examples, errors of one paragraph, exit codes that a script can use."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from seaway.cli import main
from seaway.cli.app import app
from seaway.cli.run import arguments
from seaway.errors import InvalidSpec
from typer.testing import CliRunner

COMMANDS = [
    ["run"],
    ["compile"],
    ["manifests"],
    ["manifests", "endpoint"],
    ["submit"],
    ["components", "list"],
    ["components", "show"],
    ["pipelines", "list"],
    ["pipelines", "show"],
    ["runs"],
    ["report"],
    ["serve"],
    ["explain"],
    ["down"],
]


class Ended(NamedTuple):
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


Seaway = Callable[..., Ended]


@pytest.fixture
def seaway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Seaway:
    """Has this process run a command in a folder of its own; one of its own needs a second or two to import."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["seaway", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return Ended(int(ended.value.code or 0), *capfd.readouterr())

    return run


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_help_has_an_example_of_the_command(command: list[str]) -> None:
    shown = CliRunner().invoke(app, [*command, "--help"])
    assert shown.exit_code == 0
    assert f"seaway {' '.join(command)}" in shown.output.split("Examples")[1]


def test_help_loads_neither_torch_nor_kfp_nor_pandas() -> None:
    program = (
        "import sys; sys.argv = ['seaway', '--help']\n"
        "from seaway.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('heavy:', [name for name in ('torch', 'kfp', 'pandas', 'numpy', 'yaml') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "heavy: []" in shown.stdout


FILES = {
    "broken.yaml": "root: {inputs: [",
    "pod.yaml": "kind: Pod\nmetadata: {name: x}\n",
    "unfinished.py": "from kfp import dsl\nx = (\n",
    "homeless.py": "import no_such_library\n",
    "empty.py": "x = 1\n",
}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run", "missing.yaml"], "missing.yaml does not exist"),
        (["run", "missing.py"], "missing.py does not exist"),
        (["run", "broken.yaml"], "broken.yaml is no compiled pipeline: while parsing"),
        (["run", "pod.yaml"], "pod.yaml is no compiled pipeline: it has no 'pipelineInfo'"),
        (["run", "unfinished.py"], "unfinished.py cannot be imported: SyntaxError"),
        (["run", "homeless.py"], "No module named 'no_such_library'"),
        (["run", "empty.py"], "must define a pipeline"),
        (["run", "nonsense"], "There is no pipeline 'nonsense'; there are: edge, flights"),
        (["run", "notes.txt"], "which ends in .py or .yaml"),
        (["run", "flights", "-p", "months"], "NAME=VALUE"),
        (["run", "flights", "-p", "epochs=abc"], "Parameter epochs is 'abc', which is no int."),
        (["manifests", "--to", "x", "endpoint", "flights", "--package", "y"], "write those of `endpoint` behind it"),
        (["components", "show", "nonsense"], "There is no component 'nonsense'"),
        (["report"], "No report of any run"),
        (["serve", "nowhere"], "nowhere is no folder"),
        (["down", "no-such-run"], "There is no run 'no-such-run'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_told_in_one_paragraph_and_starts_nothing(
    words: list[str], told: str, seaway: Seaway, tmp_path: Path
) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    shown = seaway(*words)
    assert shown.returncode == 2
    assert told in shown.stderr
    assert "Traceback" not in shown.stderr
    _, more = shown.stderr.strip().splitlines()
    assert more == "More: seaway explain InvalidSpec"
    assert not (tmp_path / ".seaway" / "runs").exists()


@pytest.mark.parametrize("words", [["run", "flights"], ["runs"], ["down"]], ids=" ".join)
def test_a_state_folder_that_cannot_be_is_told(
    words: list[str], seaway: Seaway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEAWAY_HOME", "/dev/null/state")
    shown = seaway(*words)
    assert shown.returncode == 2
    assert "set SEAWAY_HOME to" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_a_target_that_cannot_be_written_is_told(seaway: Seaway) -> None:
    shown = seaway("compile", "flights", "--to", "/proc/flights.yaml")
    assert shown.returncode == 1
    assert "/proc/flights.yaml" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_down_is_harmless_when_nothing_runs(seaway: Seaway) -> None:
    shown = seaway("down", "--all")
    assert (shown.returncode, shown.stdout.strip()) == (0, "Nothing was left running.")


def test_the_program_itself_ends_as_the_command_does(tmp_path: Path) -> None:
    command = [Path(sys.executable).with_name("seaway"), "report"]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert (shown.returncode, shown.stdout) == (2, b"")
    assert shown.stderr.startswith(b"seaway: No report of any run")


def test_a_value_may_hold_an_equals_sign() -> None:
    assert arguments(["query=a=b", "months=1,2"]) == {"query": "a=b", "months": "1,2"}


@pytest.mark.parametrize("words", [["months"], ["=1"], ["a=1", "a=2"]])
def test_a_parameter_without_name_or_given_twice_is_refused(words: list[str]) -> None:
    with pytest.raises(InvalidSpec):
        arguments(words)


@pytest.mark.parametrize(
    ("backend", "told"),
    [("endpoint", "NAME=VALUE"), ("router=istio", "traffic-metrics, trainer"), ("tuner=hyperopt", "katib, optuna")],
)
def test_run_refuses_a_backend_that_there_is_not_before_it_starts(
    backend: str, told: str, seaway: Seaway, tmp_path: Path
) -> None:
    refused = seaway("run", "flights", "--backend", backend)
    assert refused.returncode == 2
    assert told in refused.stderr
    assert list(tmp_path.iterdir()) == []
