"""Notebooks are read by their address, those of the folder alone, and what they hold reaches nothing."""

from pathlib import Path

import pytest
from dev_pages import artifact, signed_in, step, write_run
from notebooks import code, text, write
from starlette.testclient import TestClient

SCRIPT = "<script>parent.document.title = 'taken'</script>"


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    folder = tmp_path / "project"
    (folder / "deep").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / "home"))
    write(folder / "deep" / "a b&c.ipynb", text(f"# Prices\n{SCRIPT}"), code("x = '<b>'"))
    write(folder / ".hidden" / "b.ipynb", code("hidden"))
    write(tmp_path / "outside.ipynb", code("outside"))
    (folder / "led.ipynb").symlink_to(tmp_path / "outside.ipynb")
    (folder / "wrong.ipynb").write_text("{}")
    return signed_in(tmp_path / "home")


def test_the_folders_notebooks_are_listed_and_read(client: TestClient) -> None:
    listed = client.get("/notebooks").text
    assert "/notebooks/deep/a%20b%26c.ipynb" in listed
    assert ".hidden" not in listed and "led.ipynb" not in listed
    assert 'sandbox="allow-scripts"' in client.get("/notebooks/deep/a%20b%26c.ipynb").text
    frame = client.get("/notebook-frame/deep/a%20b%26c.ipynb")
    assert "Prices" in frame.text and "&lt;b&gt;" in frame.text
    assert frame.headers["content-security-policy"].startswith("sandbox allow-scripts; default-src 'none'")


@pytest.mark.parametrize("path", ["led.ipynb", "../outside.ipynb", "%2e%2e/outside.ipynb", ".hidden/b.ipynb", "deep"])
def test_nothing_else_is_served(client: TestClient, path: str) -> None:
    for view in ("notebooks", "notebook-frame"):
        answer = client.get(f"/{view}/{path}")
        assert answer.status_code == 404 and "x = 'outside'" not in answer.text


def test_what_is_no_notebook_says_so(client: TestClient) -> None:
    answer = client.get("/notebook-frame/wrong.ipynb")
    assert answer.status_code == 404 and "is no notebook of Jupyter" in answer.text


def test_one_in_a_steps_folder_is_shown_too(client: TestClient, tmp_path: Path) -> None:
    home = tmp_path / "home"
    outputs = home / "artifacts" / "outputs"
    outputs.mkdir(parents=True)
    write(outputs / "notebook.ipynb", text("# As it was run"))
    write_run(home, "r1", step(1, "explore", {"outputs": artifact(outputs, "Artifact")}))
    shown = client.get("/runs/r1/steps/1/files/outputs/notebook.ipynb")
    assert shown.headers["content-type"].startswith("text/html") and "As it was run" in shown.text
