"""Scripts for Horovod run as they are, and come to what DDP comes to."""

from pathlib import Path

import pytest
from places import LOCAL_PROGRAMS
from seaway.errors import TrainingFailed
from seaway.platforms.local.training.torchrun import TorchrunTrainer
from seaway.training import TrainSpec


def test_a_script_for_horovod_is_equal_to_ddp_and_goes_on_from_what_it_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("train", "validation"):
        (tmp_path / name).write_text(name)
    paths = (tmp_path / name for name in ("train", "validation", "output", "checkpoints"))
    params = {"script": str(LOCAL_PROGRAMS / "horovod_script.py")}
    spec = TrainSpec(*paths, entrypoint="seaway.training.script", params=params, workers=2)
    monkeypatch.setenv("SEAWAY_TEST_END_AT", "2")
    with pytest.raises(TrainingFailed, match="cut off"):
        TorchrunTrainer().train(spec)
    monkeypatch.delenv("SEAWAY_TEST_END_AT")
    figures = dict(TorchrunTrainer().train(spec).metrics)
    assert figures.pop("difference") == pytest.approx(0, abs=1e-6)
    assert figures == {"mean_rank": 0.5, "sum_rank": 1, "gathered": 304, "told": 1, "began": 2, "size": 2}
