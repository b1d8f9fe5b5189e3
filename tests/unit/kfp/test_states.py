"""What Kubeflow Pipelines' words mean."""

import kfp_server_api
import pytest
from seaway.errors import InvalidSpec
from seaway.kfp.states import TABLE, ended_well, progress


def test_every_word_of_the_api_is_in_the_table() -> None:
    assert set(kfp_server_api.V2beta1RuntimeState.allowable_values) <= TABLE.keys()


@pytest.mark.parametrize(("word", "well"), [
    ("COMPLETE", True),  # of the driver, to an exit task
    ("SUCCEEDED", True),  # of the local run
    ("CACHED", True), ("FAILED", False), ("CANCELED", False), ("CANCELLED", False), ("RUNNING", False),
])  # fmt: skip
def test_an_exit_task_knows_how_what_was_before_it_ended(word: str, well: bool) -> None:
    assert ended_well(word) is well


def test_an_unknown_word_is_no_guess() -> None:
    with pytest.raises(InvalidSpec, match="'DONE'"):
        progress("DONE")
