import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from foreign_models import COLUMNS, torchscript_model
from seaway.errors import PackageRefused
from seaway.models import Signature, TensorSpec, flavours
from seaway.models.flavours import Options

FLAVOUR = flavours.named("torchscript")
SIGNATURE = Signature("m", (TensorSpec("a", "FP32"), TensorSpec("b", "FP32")), (TensorSpec("p", "FP32"),))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return torchscript_model(tmp_path_factory.mktemp("scripted") / "linear.pt")


def test_an_archive_answers_as_torch_does(archive: Path, tmp_path: Path) -> None:
    FLAVOUR.adopt(archive, tmp_path, Options())
    FLAVOUR.check(tmp_path)
    arrays = [np.array(COLUMNS[name], np.float32)[:, None] for name in "ab"]
    expected = torch.jit.load(archive)(*map(torch.from_numpy, arrays)).numpy()
    np.testing.assert_array_equal(FLAVOUR.load(tmp_path, SIGNATURE, None)(arrays)[0], expected)


def edited(archive: Path, target: Path, edit: Callable[[dict[str, bytes]], None]) -> Path:
    with zipfile.ZipFile(archive) as opened:
        members = {name: opened.read(name) for name in opened.namelist()}
    edit(members)
    with zipfile.ZipFile(target, "w") as written:
        for name, content in members.items():
            written.writestr(name, content)
    return target


class Payload:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return __import__("os").system, ("touch /tmp/never",)


def member(members: dict[str, bytes], end: str) -> str:
    return next(name for name in members if name.endswith(end))


def source_of(text: str) -> Callable[[dict[str, bytes]], None]:
    def edit(members: dict[str, bytes]) -> None:
        name = member(members, ".py")
        members[name] = members[name].replace(b"return ", text.encode() + b"\n    return ", 1)

    return edit


HOSTILE: dict[str, Callable[[dict[str, bytes]], None]] = {
    "a pickle with code": lambda members: members.update({member(members, "data.pkl"): pickle.dumps(Payload())}),
    "one of protocol 0": lambda members: members.update({member(members, "data.pkl"): pickle.dumps(Payload(), 0)}),
    "a broken pickle": lambda members: members.update({member(members, "data.pkl"): b"\x80\x02c"}),
    "another member": lambda members: members.update({"linear/run.so": b"\x7fELF"}),
    "a path that leads out": lambda members: members.update({"linear/code/../../../evil.py": b""}),
    "a second root": lambda members: members.update({"other/version": b"3"}),
    "a file written": source_of('torch.save(a, "/tmp/never")'),
    "a file mapped": source_of('_0 = torch.from_file("/etc/passwd", None, 10)'),
    "a file mapped by its operator": source_of('_0 = ops.aten.from_file("/etc/passwd", None, 10)'),
    "an operator of a library": source_of("_0 = ops.evil.run(a)"),
    "another machine": source_of("_0 = ops.prim.rpc_async(a)"),
    "a custom class": source_of("_0 = __torch__.torch.classes.evil.Thing()"),
}


@pytest.mark.parametrize("attack", HOSTILE)
def test_hostile_archives_are_refused_before_torch_sees_them(
    archive: Path, tmp_path: Path, attack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.jit, "load", lambda *_, **__: pytest.fail("torch was asked to load it"))
    hostile = edited(archive, tmp_path / "evil.pt", HOSTILE[attack])
    with pytest.raises(PackageRefused) as refusal:
        FLAVOUR.adopt(hostile, tmp_path, Options())
    assert "\n" not in str(refusal.value)


def test_a_truncated_archive_and_a_plain_pickle_are_refused(archive: Path, tmp_path: Path) -> None:
    for content in (archive.read_bytes()[:500], pickle.dumps(Payload())):
        (tmp_path / "evil.pt").write_bytes(content)
        with pytest.raises(PackageRefused, match="truncated or no TorchScript"):
            FLAVOUR.adopt(tmp_path / "evil.pt", tmp_path, Options())
