"""What several files of tests share: a model in production costs half a minute."""

from pathlib import Path

import pytest
import seaway_runs


@pytest.fixture(scope="session")
def january(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder whose production model has learned from January; as a first run's baseline it passes no gate."""
    home = tmp_path_factory.mktemp("home")
    done = seaway_runs.run(home, "flights", "months=1", *seaway_runs.QUICK)
    assert "GateClosed" in done.stdout + done.stderr
    return home
