"""What these tests print of their agreement."""

from typing import Any

import pytest


@pytest.fixture
def tell(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Any:
    """Print a line whatever is captured."""
    writer = request.config.get_terminal_writer()

    def line(text: str) -> None:
        with capsys.disabled():
            writer.line(f"\n{text}")

    return line
