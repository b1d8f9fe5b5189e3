"""A failed step's reason is one paragraph that a reader can act on."""

from pathlib import Path

import pytest
from seaway.kfp.local.step_process import error_of, reason

SEAWAY = """making rows
Traceback (most recent call last):
  File "x.py", line 1, in <module>
ValueError: inner

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "y.py", line 2, in <module>
seaway.errors.TrainingFailed: rank 1 ended with code 1.
  loss is NaN
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "step.log"
    file.write_text(text)
    return file


def test_the_last_seaway_error_is_the_reason_with_all_its_lines(tmp_path: Path) -> None:
    assert reason(written(tmp_path, SEAWAY), 1) == "TrainingFailed: rank 1 ended with code 1.\n  loss is NaN"


def test_another_exception_is_the_reason_where_there_is_no_seaway_error(tmp_path: Path) -> None:
    log = written(tmp_path, "Traceback (most recent call last):\n  ...\nduckdb.OutOfMemoryException: full\nbye\n\n")
    assert reason(log, 1).startswith("duckdb.OutOfMemoryException: full")


@pytest.mark.parametrize(("exit_code", "expected"), [(137, "SIGKILL (out of memory?)"), (-15, "SIGTERM")])
def test_a_killed_step_names_its_signal(tmp_path: Path, exit_code: int, expected: str) -> None:
    assert expected in reason(written(tmp_path, "working\n"), exit_code)


def test_a_silent_step_still_has_a_reason(tmp_path: Path) -> None:
    assert reason(tmp_path / "missing.log", 3) == "exit code 3: it wrote nothing to its log."


def test_only_an_error_of_seaway_is_named_for_its_page(tmp_path: Path) -> None:
    assert error_of(reason(written(tmp_path, SEAWAY), 1)) == "TrainingFailed"
    assert error_of("ValueError: inner") == ""
    assert error_of("Path: a name that errors.py imports") == ""


def test_an_error_that_a_notebook_wrote_in_colours_is_read(tmp_path: Path) -> None:
    log = written(tmp_path, "RuntimeError: the cell failed\n\n\x1b[31mKeyError\x1b[39m: 'm\u00e4rz'\n\n")
    assert reason(log, 1) == "KeyError: 'm\u00e4rz'"


GROUP = """  + Exception Group Traceback (most recent call last):
  |   File "x.py", line 1, in <module>
  |     raise ExceptionGroup("two", [ValueError("one"), TypeError("other")])
  | ExceptionGroup: two (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "x.py", line 1, in <module>
    | ValueError: one
    +---------------- 2 ----------------
    | TypeError: other
    +------------------------------------
"""


def test_a_group_of_exceptions_is_told_with_its_members(tmp_path: Path) -> None:
    together = "ExceptionGroup: two (2 sub-exceptions); ValueError: one; TypeError: other"
    assert reason(written(tmp_path, f"working\n{GROUP}"), 1) == together
    assert reason(written(tmp_path, f"{GROUP}KeyError: later\n"), 1) == "KeyError: later"


@pytest.mark.parametrize("kind", ["float32", "ndarray", "Tensor", "Decimal"])
def test_a_value_that_json_has_not_is_told_with_what_to_give(tmp_path: Path, kind: str) -> None:
    log = written(tmp_path, f"TypeError: Object of type {kind} is not JSON serializable\n")
    assert f"{kind} is not JSON serializable. A metric, metadata or an output holds it; give" in reason(log, 1)
