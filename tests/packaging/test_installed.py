"""The wheel works where its source is not: all of it imports, a page is rendered, a pipeline runs."""

import json
from pathlib import Path

from wheel_environments import Environment

HERE = Path(__file__).parent
PAGE = """
from seaway.reporting import Page, Text, Tile
print(Page("Flights", "A title", tiles=[Tile("rows", 3)]).section("Data", Text("Three rows.")).html())
"""


def test_every_module_of_it_can_be_imported(installed: Environment) -> None:
    lacking = json.loads(installed.python(HERE / "importing.py"))
    assert len(lacking) > 300
    assert {name: package for name, package in lacking.items() if package} == {}


def test_it_renders_a_page_with_its_style(installed: Environment) -> None:
    page = installed.python("-c", PAGE)
    assert "Three rows." in page
    assert "<style" in page


def test_the_flights_run_to_their_end(installed: Environment) -> None:
    """The shipped pipeline, from ingestion to the page, on few rows; whether the candidate is promoted is its own."""
    few = ("rows=20000", "epochs=1", "tune_trials=0", 'gate={"min_rows": 100}')
    ran = installed.run("seaway", "run", "flights", *(word for pair in few for word in ("-p", pair)))
    try:
        files = list(installed.work.glob(".seaway/runs/*/run.json"))
        assert len(files) == 1, ran.stdout + ran.stderr
        [file] = files
        steps = {step["name"]: step["state"] for step in json.loads(file.read_text())["steps"]}
        assert steps.get("write-report") == "succeeded", ran.stdout + ran.stderr
        assert list(file.parent.rglob("report.html"))
    finally:
        ended = installed.run("seaway", "down")
    assert ended.returncode == 0, ended.stderr


def test_its_command_lists_and_compiles_what_is_in_it(installed: Environment) -> None:
    compiled = installed.run("seaway", "compile", "flights", "--to", "flights.yaml")
    assert compiled.returncode == 0, compiled.stderr
    shipped = next(installed.folder.glob("lib/*/site-packages/seaway_pipelines/flights/pipeline.yaml"))
    assert (installed.work / "flights.yaml").read_text() == shipped.read_text()
