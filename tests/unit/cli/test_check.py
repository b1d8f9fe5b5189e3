"""`seaway check FILE`: for people, scripts, pull requests and scanners."""

import json
from pathlib import Path

import pytest
from seaway.cli.app import app
from typer.testing import CliRunner

WRONG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  n: 1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "wrong.yaml").write_text(WRONG)
    (tmp_path / "other.yaml").write_text("apiVersion: v1\nkind: Unheard\n---\n" + WRONG.replace("n: 1", "n: one"))
    return tmp_path


def asked(*words: str, stdin: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(app, ["check", *words], input=stdin)
    return result.exit_code, result.output


def test_what_is_refused_ends_with_1_and_says_where(folder: Path) -> None:
    code, said = asked(str(folder))
    assert code == 1
    assert f"{folder}/wrong.yaml:5: refused: ConfigMap a (Kubernetes" in said
    assert "not checked: 1 of v1 Unheard" in said
    assert "3 objects, 1 would be refused" in said


def test_scripts_get_fields_and_lines(folder: Path) -> None:
    _, said = asked(str(folder / "wrong.yaml"), "-o", "json")
    [told] = json.loads(said)
    assert (told["object"], told["problems"][0]["field"], told["problems"][0]["line"]) == ("ConfigMap a", "data.n", 5)


def test_a_pull_request_and_a_scanner_get_theirs(folder: Path) -> None:
    _, said = asked(str(folder / "wrong.yaml"), "-o", "github")
    assert said.startswith("::error file=")
    assert ",line=5," in said
    _, said = asked(str(folder / "wrong.yaml"), "-o", "sarif")
    [result] = json.loads(said)["runs"][0]["results"]
    assert result["level"] == "error"
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 5}


def test_standard_input_is_read_and_what_is_right_ends_with_0() -> None:
    code, said = asked("-", stdin="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    assert (code, said.splitlines()[-1]) == (0, "1 object, 0 would be refused")
