import resource
import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from seaway.errors import CheckpointUnusable
from seaway.training.checkpoint import Checkpoint, Checkpoints


def checkpoint(epoch: int) -> Checkpoint:
    generator = torch.Generator().manual_seed(epoch)
    tensors = {"model.weight": torch.randn((3, 5), generator=generator), "optimizer.0.step": torch.tensor(float(epoch))}
    return Checkpoint(epoch, tensors, {"history": [{"epoch": epoch, "loss": 0.1 * epoch}]})


def same(left: Checkpoint | None, right: Checkpoint) -> bool:
    return (
        left is not None
        and (left.epoch, left.state) == (right.epoch, right.state)
        and left.tensors.keys() == right.tensors.keys()
        and all(torch.equal(left.tensors[name], right.tensors[name]) for name in right.tensors)
    )


def test_the_newest_comes_back_bit_for_bit_and_two_are_kept(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, "run")
    assert checkpoints.newest() is None
    for epoch in range(1, 6):
        checkpoints.save(checkpoint(epoch))
    assert same(checkpoints.newest(), checkpoint(5))
    assert len(list(tmp_path.iterdir())) == 2


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_any_damage_to_the_newest_falls_back_to_the_one_before(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    checkpoints = Checkpoints(tmp_path_factory.mktemp("run"), "run")
    checkpoints.save(checkpoint(1))
    newest = checkpoints.save(checkpoint(2))
    content = bytearray(newest.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1), label="at")
    if data.draw(st.booleans(), label="truncated"):
        content = content[:at]
    else:
        content[at] ^= 1 << data.draw(st.integers(0, 7), label="bit")
    newest.write_bytes(content)
    assert same(checkpoints.newest(), checkpoint(1))
    checkpoints.save(checkpoint(2))
    assert same(checkpoints.newest(), checkpoint(2))


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    path = Checkpoints(tmp_path / "a", "run a").save(checkpoint(1))
    (tmp_path / "b").mkdir()
    shutil.copy(path, tmp_path / "b")
    with pytest.raises(CheckpointUnusable, match="another training run"):
        Checkpoints(tmp_path / "b", "run b").newest()


def test_a_full_disk_is_told_and_the_earlier_checkpoint_kept(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, "run")
    checkpoints.save(checkpoint(1))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(CheckpointUnusable, match=r"epoch 2 .* cannot be written"):
            checkpoints.save(checkpoint(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert same(checkpoints.newest(), checkpoint(1))
    assert len(list(tmp_path.iterdir())) == 1


def test_a_run_goes_on_from_anothers_checkpoint_until_it_has_its_own(tmp_path: Path) -> None:
    Checkpoints(tmp_path / "parent", "parent").save(checkpoint(3))
    child = Checkpoints(tmp_path / "child", "child")
    child.adopt(tmp_path / "parent")
    assert same(child.newest(), checkpoint(3))
    child.save(checkpoint(4))
    child.adopt(tmp_path / "parent")
    assert same(child.newest(), checkpoint(4))
    with pytest.raises(CheckpointUnusable, match="no undamaged checkpoint"):
        Checkpoints(tmp_path / "other", "other").adopt(tmp_path / "nothing")
