"""One page a folder: a second `seaway dev` tells the address of the first; a port of somebody else is told."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

from dev_pages import Page

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


def test_a_port_of_somebody_else_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        refused = said(tmp_path, "--port", str(other.getsockname()[1]))
    assert (refused.returncode, "--port 0" in refused.stderr) == (1, True)
    assert not (tmp_path / "dev" / "server.json").exists()
