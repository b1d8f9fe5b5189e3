"""What several files of tests share: a site with endpoints of git, as a team's own repository has them."""

from pathlib import Path

import kustomizing
import pytest


@pytest.fixture(scope="module")
def fork(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kustomizing.with_endpoints(tmp_path_factory.mktemp("site"))
