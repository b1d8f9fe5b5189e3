"""`seaway explain`: the page of an error, by a name as a reader has it."""

import ast
import json
from pathlib import Path

import pytest
import seaway
from seaway.cli.app import app
from seaway.cli.explain import pages
from typer.testing import CliRunner, Result

ERRORS = {page.name: page for page in pages()}


def explain(*words: str) -> Result:
    return CliRunner().invoke(app, ["explain", *words])


@pytest.mark.parametrize("name", ["GateClosed", "gateclosed", "seaway.errors.GateClosed"])
def test_a_page_says_what_why_and_what_to_do(name: str) -> None:
    shown = explain(name)
    assert shown.exit_code == 0
    error = ERRORS["GateClosed"]
    lines = [line for line in shown.output.splitlines() if line]
    assert lines == ["GateClosed", error.what, "Why", error.why, "What to do", error.remedy]


def test_without_a_name_every_error_has_a_line() -> None:
    lines = explain().output.splitlines()
    assert [line.split("\t") for line in lines] == [[page.name, page.what] for page in pages()]


def test_a_script_gets_the_parts_as_json() -> None:
    assert json.loads(explain("PortTaken", "-o", "json").output) == vars(ERRORS["PortTaken"])
    assert [page["name"] for page in json.loads(explain("-o", "json").output)] == list(ERRORS)


@pytest.mark.parametrize(
    ("name", "meant"), [("GateClose", "GateClosed"), ("Gate", "GateClosed"), ("rolback", "RolledBack")]
)
def test_an_unknown_name_suggests_the_nearest_and_fails(name: str, meant: str) -> None:
    refused = explain(name)
    assert refused.exit_code == 2
    assert f"did you mean {meant}" in refused.output


def test_a_name_that_is_like_no_other_suggests_nothing() -> None:
    refused = explain("xyz")
    assert refused.exit_code == 2
    assert "did you mean" not in refused.output
    assert "`seaway explain` lists all" in refused.output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_names(shell: str) -> None:
    words = {"_SEAWAY_COMPLETE": f"complete_{shell}", "COMP_WORDS": "seaway explain Roll", "COMP_CWORD": "2"}
    typer_words = {"_TYPER_COMPLETE_ARGS": "seaway explain Roll", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    shown = CliRunner().invoke(app, prog_name="seaway", env={**words, **typer_words})
    assert "RolledBack" in shown.output
    assert "GateClosed" not in shown.output


def test_every_error_has_all_parts() -> None:
    assert [page.name for page in pages() if not all((page.what, page.why, page.remedy))] == []


def test_every_error_that_leaves_its_room_is_in_errors_py() -> None:
    """Who catches one, or looks for its page, finds it there."""
    folder = Path(seaway.__file__).parent
    defined = {
        f"{file.relative_to(folder)}: {node.name}"
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ClassDef) and {ast.unparse(base) for base in node.bases} & set(ERRORS)
    }
    inner = {  # told as the kinds that they are of
        "platforms/kubernetes/metrics/envoy_counters.py: NotCounted",
        "platforms/kubernetes/traffic/gateway.py: NotFollowed",
    }
    assert {one for one in defined if not one.startswith("errors.py:")} == inner
