"""`seaway report --diff`: two runs or two models beside each other, as text, JSON and a page."""

import json
from pathlib import Path

import pytest
from dev_pages import artifact, step, write_run
from seaway.cli.app import app
from seaway.errors import InvalidSpec
from seaway.models.lineage import Lineage
from typer.testing import CliRunner

FIRST, SECOND = "20260102-030405-ab12", "20260103-030405-cd34"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path))
    for run, rows, auc in ((FIRST, 4, 0.7), (SECOND, 9, 0.8)):
        told = {"rows": {"t": rows}, "sha256": "same", "origins": [{"version": f"v{rows}", "source": "s", "read": ""}]}
        outputs = {"metrics": artifact(tmp_path, "Metrics", auc=auc, same=1), "tables": artifact(tmp_path, **told)}
        folder = write_run(tmp_path, run, step(1, "judge", outputs), arguments={"rows": rows, "<b>": 0.5})
        (folder / "report.html").write_text(f"<h1>Report of {run}</h1>")
    return tmp_path


def package(folder: Path, auc: float, version: str) -> Path:
    origins = [{"version": version, "source": "shop", "read": ""}]
    folder.mkdir()
    parameters, metrics = {"epochs": 2}, {"auc": auc}
    Lineage("0" * 64, "c1", parameters, metrics, frameworks={"torch": "2"}, origins=origins).write(folder)
    return folder


def told(*words: str) -> str:
    result = CliRunner().invoke(app, ["report", "--diff", *words])
    assert result.exit_code == 0, result.exception
    return result.stdout


def test_two_runs_are_told_by_what_differs_and_the_page_is_named() -> None:
    *lines, page = told(FIRST, SECOND).splitlines()
    assert [line.split("\t") for line in lines] == [
        ["rows", "4", "9", "+5"],
        ["judge: auc", "0.7", "0.8", "+0.1"],
        ["judge: tables: rows", '{"t": 4}', '{"t": 9}', ""],
        ["judge: tables: made of", "v4", "v9", ""],
    ]
    html = Path(page).read_text()
    assert "1 changed" in html and "judge: tables: sha256" in html and "+0.1" in html
    assert "&lt;b&gt;" in html and "<b>" not in html  # a parameter's name
    assert all(f"&lt;h1&gt;Report of {run}" in html for run in (FIRST, SECOND))


def test_two_models_are_told_by_their_lineage(tmp_path: Path) -> None:
    before, after = package(tmp_path / "a", 0.5, "v1"), package(tmp_path / "b", 0.75, "v2")
    found = json.loads(told(str(before), str(after), "--to", str(tmp_path / "x.html"), "-o", "json"))
    assert found["figures"] == {"auc": [0.5, 0.75]} and found["data"] == {"shop": ["v1", "v2"]}
    assert found["parameters"] == {} and found["page"] == str(tmp_path / "x.html")
    assert "shop" in (tmp_path / "x.html").read_text()


def test_the_same_twice_does_not_differ() -> None:
    assert told(FIRST, FIRST).splitlines()[0] == "They do not differ in what is compared."


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--diff", FIRST, "nothing"], "seaway runs` lists them"),
        (["--diff", FIRST, "model"], "is a run, and"),
        ([FIRST, "--diff", FIRST, SECOND], "names both sides"),
        (["--to", "x.html"], "go with --diff"),
    ],
)
def test_what_cannot_be_told_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], reason: str
) -> None:
    package(tmp_path / "model", 0.5, "v1")
    monkeypatch.chdir(tmp_path)
    error = CliRunner().invoke(app, ["report", *words]).exception
    assert isinstance(error, InvalidSpec) and reason in str(error)
