"""One page for all tests of this room: `seaway dev` itself, on a free port, over a state folder of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from dev_pages import Page


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("folder")
    home = folder / ".seaway"
    command = [sys.executable, "-c", "from seaway.cli import main; main()", "dev", "--port", "0"]
    environment = {**os.environ, "SEAWAY_HOME": str(home), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    told = process.stdout.readline() + process.stdout.readline()
    found = re.search(r"(http://127\.0\.0\.1:\d+)/open\?ticket=\S+", told)
    assert found, told
    yield Page(found[1], home, found[0])
    process.terminate()
    process.wait(60)
