"""One page a folder: a second `seaway dev` tells the address of the first; a port of somebody else is told."""

import os
import re
import socket
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

from dev_pages import Page
from places import LOCAL_PROGRAMS

SEAWAY = [sys.executable, "-c", "from seaway.cli import main; main()"]


def said(home: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "SEAWAY_HOME": str(home)}
    command = [*SEAWAY, "dev", *words]
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=300)


def test_a_second_page_of_a_folder_tells_of_the_first(page: Page) -> None:
    again = said(page.home)
    assert again.returncode == 0
    found = re.search(r"http://127\.0\.0\.1:(\d+)/open\?ticket=\S+", again.stdout)
    assert found
    assert found[0].startswith(page.url + "/")
    assert found[0] != page.printed
    with socket.create_connection(("127.0.0.1", int(found[1]))) as connection:  # the other process made the ticket
        path = found[0].removeprefix(page.url)
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{found[1]}\r\nConnection: close\r\n\r\n".encode())
        answer = connection.makefile().read()
    assert "set-cookie" in answer.lower()


def test_a_project_that_never_ran_has_a_form_and_is_begun_by_it(page: Page) -> None:
    assert asked(page, "GET", "/project")[0] == 404
    project = page.home.parent / "pipeline.py"
    project.write_text("print('hello')\n" + (LOCAL_PROGRAMS / "sample_pipeline.py").read_text())
    try:
        assert str(project) in asked(page, "GET", "/pipelines")[1]
        form = asked(page, "GET", "/project")[1]
        assert 'name="p.rows" value="3"' in form
        wrong, told = asked(page, "POST", "/start", f"source={project}&p.rows=many")
        assert (wrong, "which is no int" in told) == (400, True)
        begun, where = asked(page, "POST", "/start", f"source={project}&p.rows=2")
        assert (begun, where.startswith("/runs/")) == (303, True)
        assert asked(page, "POST", "/start", "source=/etc/passwd")[0] == 400
        project.write_text("1/0")
        assert "division by zero" in asked(page, "GET", "/project")[1]
    finally:
        project.unlink()


def asked(page: Page, method: str, path: str, body: str = "") -> tuple[int, str]:
    """Status, and where it leads or what it says."""
    connection = HTTPConnection(page.url.removeprefix("http://"), timeout=300)
    connection.request(method, path, body, {"Authorization": f"Bearer {page.token}"})
    answer = connection.getresponse()
    return answer.status, answer.getheader("location") or answer.read().decode()


def test_a_port_of_somebody_else_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        refused = said(tmp_path, "--port", str(other.getsockname()[1]))
    assert (refused.returncode, "--port 0" in refused.stderr) == (1, True)
    assert not (tmp_path / "dev" / "server.json").exists()
