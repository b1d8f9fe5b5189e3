"""With no extra installed the command line works, a user's own pipeline runs, and what is missing is told in a line."""

import json
from pathlib import Path

import pytest
from wheel_environments import Environment

HERE = Path(__file__).parent
NEEDED = {"jinja2": "local", "evidently": "monitoring", "minio": "kubernetes", "ts": "serving", "grpc": "kubernetes"}
ADVICE = "import sys; from seaway.extras import advice; print(*map(advice, sys.argv[1:]), sep='\\n')"


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["--help"], "SEAWAY_HOME is where runs"),
        (["components", "list"], "train_pytorch"),
        (["components", "show", "train_pytorch"], "workers"),
        (["pipelines", "list"], "flights_monitoring"),
        (["pipelines", "show", "flights"], "months"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_command_line_shows_what_there_is(bare: Environment, words: list[str], shown: str) -> None:
    done = bare.run("seaway", *words)
    assert done.returncode == 0, done.stderr
    assert shown in done.stdout


def test_it_says_which_version_it_is(bare: Environment) -> None:
    installed = bare.python("-c", "import importlib.metadata; print(importlib.metadata.version('seaway'))").strip()
    assert bare.run("seaway", "--version").stdout.strip() == f"seaway {installed}"


def test_a_component_is_imported_from_its_category(bare: Environment) -> None:
    line = "from seaway_components.training import train_pytorch; print(train_pytorch.name)"
    assert bare.python("-c", line).strip() == "train-pytorch"


def test_a_pipeline_of_ones_own_runs(bare: Environment) -> None:
    ran = bare.run("seaway", "run", HERE / "two_steps.py", "--output", "json")
    assert ran.returncode == 0, ran.stderr
    assert [step["state"] for step in json.loads(ran.stdout)["steps"]] == ["succeeded", "succeeded"]


def test_each_module_that_asks_for_more_asks_for_what_an_extra_brings(bare: Environment) -> None:
    lacking = json.loads(bare.python(HERE / "importing.py"))
    asked = sorted({package.partition(".")[0] for package in lacking.values() if package})
    assert {"torch", "feast"} <= set(asked)
    advised = bare.python("-c", ADVICE, *asked).splitlines()
    assert [package for package, line in zip(asked, advised, strict=True) if "pip install" not in line] == []


def test_the_advice_names_the_extra(bare: Environment) -> None:
    advised = bare.python("-c", ADVICE, *NEEDED).splitlines()
    for extra, line in zip(NEEDED.values(), advised, strict=True):
        assert f"'seaway[{extra}]'" in line


def test_a_step_that_lacks_a_package_fails_with_the_extra_that_brings_it(bare: Environment) -> None:
    ran = bare.run("seaway", "run", HERE / "drifting.py")
    assert ran.returncode == 1
    assert "pip install 'seaway[monitoring]'" in ran.stderr


def test_a_command_that_lacks_a_package_says_so_in_a_line(bare: Environment) -> None:
    checked = bare.run("seaway", "check", HERE)
    assert checked.returncode == 1
    [line] = checked.stderr.splitlines()
    assert "pip install 'seaway[kubernetes]'" in line
