"""What a converter may do to the process around it."""

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from seaway.edge.port import FLOAT32, converted
from seaway.errors import ConversionRefused


def target(then: Any) -> Any:
    """It lets nothing but errors be told, as OpenVINO's converter and NNCF do, and goes on as it is told."""

    class Loud(logging.Logger):
        """Of the converter's own."""

    def convert(*_: Any) -> None:
        logging.setLoggerClass(Loud)
        for one in (logging.root, *logging.root.handlers):
            one.setLevel(logging.ERROR)
            one.addFilter(lambda record: False)
        logging.root.addHandler(logging.NullHandler())
        if then:
            raise then

    return SimpleNamespace(name="loud", title="Loud", precisions=(FLOAT32,), convert=convert)


@pytest.mark.parametrize("then", [None, ConversionRefused("no")])
def test_what_it_does_to_the_log_ends_with_it(then: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = logging.getLoggerClass(), list(logging.root.handlers)
    try:
        converted(target(then), SimpleNamespace(), tmp_path)  # type: ignore[arg-type]
    except ConversionRefused as error:
        assert error is then
    logging.root.warning("told")
    assert caplog.messages == ["told"]
    assert (logging.getLoggerClass(), logging.root.handlers) == before
