"""`seaway runs compare`: what differs between runs of this folder, and what cannot be compared."""

import json
from pathlib import Path

import pytest
from dev_pages import artifact, step, write_run
from seaway.cli.app import app
from typer.testing import CliRunner

FIRST, SECOND = "20260102-030405-ab12", "20260103-030405-cd34"


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path))
    for run, rows, auc in ((FIRST, 4, 0.7), (SECOND, 9, 0.8)):
        outputs = {"metrics": artifact(tmp_path, "Metrics", auc=auc, same=1), "decision": "PROMOTE"}
        write_run(tmp_path, run, step(1, "judge", outputs), arguments={"rows": rows, "share": 0.5})
    return tmp_path


def told(*words: str) -> str:
    result = CliRunner().invoke(app, ["runs", *words])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_two_latest_are_compared_and_only_what_differs_is_told() -> None:
    lines = [line.split("\t") for line in told("compare").splitlines()]
    assert lines == [["rows", "9", "4"], ["judge: auc", "0.8", "0.7"]]


def test_a_text_of_several_lines_stays_in_its_cell(runs: Path) -> None:
    for run, text in ((FIRST, "a\nb"), (SECOND, "a\tb")):
        write_run(runs, run, step(1, "say", {"Output": text}))
    assert told("compare").splitlines() == ["\t".join(["say: Output", r"a\tb", r"a\nb"])]


def test_all_is_told_where_it_is_asked_for() -> None:
    found = json.loads(told("compare", FIRST, SECOND, "--all", "-o", "json"))
    assert found["runs"] == [FIRST, SECOND]
    assert found["parameters"] == {"rows": [4, 9], "share": [0.5, 0.5]}
    assert found["figures"] == {"judge: auc": [0.7, 0.8], "judge: same": [1, 1], "judge: decision": ["PROMOTE"] * 2}
    assert found["steps"] == {"judge": ["succeeded, 1.5 s"] * 2}


def test_the_list_is_as_it_was() -> None:
    assert [line.split("\t")[0] for line in told().splitlines()] == [SECOND, FIRST]
    assert [one["run"] for one in json.loads(told("-o", "json"))] == [SECOND, FIRST]


@pytest.mark.parametrize("words", [["nothing", FIRST], [FIRST], [FIRST, FIRST], ["../x", FIRST]])
def test_what_cannot_be_compared_is_told(words: list[str]) -> None:
    result = CliRunner().invoke(app, ["runs", "compare", *words])
    assert "seaway runs` lists them" in str(result.exception)


def test_an_option_of_the_list_is_not_the_comparisons() -> None:
    assert "alone" in str(CliRunner().invoke(app, ["runs", "-o", "json", "compare"]).exception)
