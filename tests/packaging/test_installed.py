"""The wheel works where its source is not: all of it imports, a page is rendered, a pipeline runs."""

import json
from dataclasses import replace
from pathlib import Path

from documents import blocks
from places import PROJECT
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
        steps = {step["title"]: step["state"] for step in json.loads(file.read_text())["steps"]}
        assert steps.get("Write report") == "succeeded", ran.stdout + ran.stderr
        assert list(file.parent.rglob("report.html"))
    finally:
        ended = installed.run("seaway", "down")
    assert ended.returncode == 0, ended.stderr


def test_the_pipeline_of_the_readme_runs_and_compiles(installed: Environment) -> None:
    """As it stands there, saved in a folder of one's own and run from below it."""
    folder = installed.work / "mine"
    (folder / "notebooks").mkdir(parents=True)
    (folder / "late.py").write_text(blocks(PROJECT / "README.md", "python")[0].text)
    below = replace(installed, work=folder / "notebooks")
    ran = below.run("seaway", "run", "../late.py", "-p", "epochs=1", "--output", "json")
    assert ran.returncode == 0, ran.stderr
    steps = {step["title"]: step["state"] for step in json.loads(ran.stdout)["steps"]}
    assert (steps["Register"], len(steps)) == ("succeeded", 7)
    compiled = below.run("seaway", "compile", "../late.py")
    assert compiled.returncode == 0, compiled.stderr
    assert "name: late" in (below.work / "late.yaml").read_text()


def test_its_command_lists_and_compiles_what_is_in_it(installed: Environment) -> None:
    compiled = installed.run("seaway", "compile", "flights", "--to", "flights.yaml")
    assert compiled.returncode == 0, compiled.stderr
    shipped = next(installed.folder.glob("lib/*/site-packages/seaway_pipelines/flights/pipeline.yaml"))
    assert (installed.work / "flights.yaml").read_text() == shipped.read_text()
