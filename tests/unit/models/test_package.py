import hashlib
import io
import json
import os
import pickle
import resource
import shutil
import signal
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from seaway import models
from seaway.errors import DataUnreadable, InvalidSpec, PackageRefused
from seaway.model_server.torchscript import kept_script
from seaway.models import flavours
from seaway.models.flavours.torch_export import ExportedModel
from seaway.models.package_files import required_files
from seaway.models.signature import Signature, TensorSpec, encode
from seaway.models.signing import _make_private
from torch import nn

REQUIRED_FILES = required_files(flavours.named("torch_export"))
SIGNATURE = Signature(
    "delays",
    (TensorSpec("carrier", "BYTES"), TensorSpec("distance", "FP32", unit="miles")),
    (TensorSpec("probability", "FP32"),),
    {"carrier": ["UA", "unknown"], "distance": [1400.0, None]},
)
LINEAGE = models.Lineage("0" * 64, "git:abc", {"epochs": 2}, {"auc": 0.7}, seed=3)


class Delays(nn.Module):
    """A vocabulary of two carriers, one number that may be missing, a probability."""

    known: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("known", torch.from_numpy(np.sort(encode(["AA", "UA"], "BYTES"))))
        self.embedding = nn.Embedding(3, 2)
        self.linear = nn.Linear(3, 1)

    def forward(self, carrier: torch.Tensor, distance: torch.Tensor) -> torch.Tensor:
        place = torch.searchsorted(self.known, carrier).clamp(max=1)
        index = torch.where(self.known[place] == carrier, place + 1, torch.zeros_like(place))
        features = torch.cat([self.embedding(index.squeeze(1)), torch.nan_to_num(distance)], 1)
        return torch.sigmoid(self.linear(features))


class Unsure(nn.Module):
    """It has no answer where the number is missing."""

    def forward(self, carrier: torch.Tensor, distance: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(distance)


def write_model(folder: Path, signature: Signature = SIGNATURE, kind: type[nn.Module] = Delays) -> Path:
    torch.manual_seed(0)
    module, rows = kind().eval(), torch.export.Dim("rows", min=1)
    example = (torch.zeros(2, 1, dtype=torch.int64), torch.zeros(2, 1))
    folder.mkdir(parents=True, exist_ok=True)
    torch.export.save(torch.export.export(module, example, dynamic_shapes=({0: rows}, {0: rows})), folder / "model.pt2")
    safetensors.torch.save_file(module.state_dict(), folder / "model.safetensors")
    signature.write(folder)
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("trained") / "model")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> models.Keys:
    return models.signing_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def packed(trained: Path, keys: models.Keys, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return models.package(trained, tmp_path_factory.mktemp("packed") / "package", LINEAGE, keys.private).path


@pytest.fixture
def package(packed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(packed, tmp_path / "package"))


@pytest.fixture
def model(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "model"))


def test_a_package_answers_as_the_model_did_and_tells_its_origin(
    trained: Path, package: Path, keys: models.Keys
) -> None:
    checked = models.verify(package, keys.public)
    assert checked.lineage == LINEAGE
    assert checked.signature == SIGNATURE
    assert {file.name for file in package.iterdir()} == set(REQUIRED_FILES)
    columns = {"carrier": ["AA", "UA", "ZZ"], "distance": np.array([10.0, np.nan, 3.0])}
    before = ExportedModel.load(trained).predict(columns)["probability"]
    after = ExportedModel.load(package).predict(columns)["probability"]
    assert after.shape == (3, 1)
    np.testing.assert_array_equal(before, after)
    assert len(np.unique(after)) == 3


class Tied(nn.Module):
    """Two layers of the same weights."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(1, 1), nn.Linear(1, 1)
        self.second.weight, self.second.bias = self.first.weight, self.first.bias

    def forward(self, carrier: torch.Tensor, distance: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.second(self.first(torch.nan_to_num(distance))))


def exported(folder: Path, module: nn.Module, rows: int, dynamic: object) -> Path:
    example = (torch.zeros(rows, 1, dtype=torch.int64), torch.zeros(rows, 1))
    folder.mkdir(parents=True)
    torch.export.save(torch.export.export(module.eval(), example, dynamic_shapes=dynamic), folder / "model.pt2")
    safetensors.torch.save_model(module, str(folder / "model.safetensors"))
    SIGNATURE.write(folder)
    return folder


def test_weights_that_are_shared_are_packaged_under_each_name(keys: models.Keys, tmp_path: Path) -> None:
    rows = torch.export.Dim("rows")
    model = exported(tmp_path / "tied", Tied(), 2, ({0: rows}, {0: rows}))
    package = models.package(model, tmp_path / "package", LINEAGE, keys.private)
    assert models.verify(package.path, keys.public).sha256 == package.sha256
    assert "second.weight" not in safetensors.torch.load_file(model / "model.safetensors")


def test_a_shared_weight_that_is_another_in_the_graph_is_refused(keys: models.Keys, tmp_path: Path) -> None:
    rows, module = torch.export.Dim("rows"), Tied()
    model = exported(tmp_path / "tied", module, 2, ({0: rows}, {0: rows}))
    module.second.weight = nn.Parameter(module.first.weight + 1)
    untied = exported(tmp_path / "untied", module, 2, ({0: rows}, {0: rows}))
    shutil.copyfile(model / "model.safetensors", untied / "model.safetensors")
    with pytest.raises(PackageRefused, match=r"differ in second\.weight"):
        models.package(untied, tmp_path / "package", LINEAGE, keys.private)


class Sliced(Tied):
    """One buffer is a part of another."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("whole", torch.arange(2.0))
        self.register_buffer("part", self.whole[:1])

    def forward(self, carrier: torch.Tensor, distance: torch.Tensor) -> torch.Tensor:
        return super().forward(carrier, distance) * self.part + self.whole.sum() / 2


def test_a_buffer_that_is_a_part_of_another_is_told_and_packaged_by_itself(keys: models.Keys, tmp_path: Path) -> None:
    rows, module = torch.export.Dim("rows"), Sliced()
    model = exported(tmp_path / "sliced", module, 2, ({0: rows}, {0: rows}))
    with pytest.raises(
        PackageRefused, match=r"part shares the memory of a tensor of another shape.*save_file of clones"
    ):
        models.package(model, tmp_path / "package", LINEAGE, keys.private)
    clones = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    safetensors.torch.save_file(clones, str(model / "model.safetensors"))
    models.package(model, tmp_path / "package", LINEAGE, keys.private)


class Unknown(Tied):
    """A buffer stands for what is missing."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("missing", torch.tensor([float("nan")]))

    def forward(self, carrier: torch.Tensor, distance: torch.Tensor) -> torch.Tensor:
        return super().forward(carrier, torch.where(distance > 1, distance, self.missing))


def test_a_buffer_of_nan_is_the_same_in_both_files(keys: models.Keys, tmp_path: Path) -> None:
    rows = torch.export.Dim("rows")
    model = exported(tmp_path / "unknown", Unknown(), 2, ({0: rows}, {0: rows}))
    models.package(model, tmp_path / "package", LINEAGE, keys.private)


class Summed(Tied):
    def forward(self, carrier: torch.Tensor, distance: torch.Tensor) -> torch.Tensor:
        return super().forward(carrier, distance).mean(0, keepdim=True)


@pytest.mark.parametrize(
    ("module", "rows", "dynamic", "told"),
    [
        (Tied, 2, None, "cannot answer a batch of 1"),
        (Tied, 1, None, "cannot answer a batch of 2"),
        (Tied, 2, ({0: torch.export.Dim("rows", max=4)},) * 2, "cannot answer a batch of 5"),
        (Summed, 2, ({0: torch.export.Dim("rows")},) * 2, "gives 1 rows of 'probability' for 2"),
    ],
    ids=["static", "one row", "few", "no answer of its own"],
)
def test_a_graph_that_does_not_answer_each_number_of_rows_is_refused_when_it_is_packaged(
    keys: models.Keys, tmp_path: Path, module: type[nn.Module], rows: int, dynamic: object, told: str
) -> None:
    model = exported(tmp_path / "model", module(), rows, dynamic)
    sample = {name: values[:rows] for name, values in SIGNATURE.sample.items()}
    replace(SIGNATURE, sample=sample).write(model)
    with pytest.raises(PackageRefused, match=told):
        models.package(model, tmp_path / "package", LINEAGE, keys.private)
    assert not (tmp_path / "package").exists()


def test_one_row_is_predicted_as_in_a_batch(package: Path) -> None:
    exported = ExportedModel.load(package)
    batch = exported.predict(SIGNATURE.sample)["probability"]
    for row in range(2):
        single = {name: values[row : row + 1] for name, values in SIGNATURE.sample.items()}
        np.testing.assert_allclose(exported.predict(single)["probability"], batch[row : row + 1], rtol=1e-6)


def test_no_rows_are_refused_not_answered_by_nothing(package: Path) -> None:
    with pytest.raises(InvalidSpec, match="no rows"):
        ExportedModel.load(package).predict({"carrier": [], "distance": []})


def test_verifying_needs_no_torch(package: Path, keys: models.Keys) -> None:
    code = (
        "import sys; from pathlib import Path; from seaway.models import verify;"
        f"verify(Path({str(package)!r}), Path({str(keys.public)!r})); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", sorted(REQUIRED_FILES))
@pytest.mark.parametrize("place", [0.02, 0.5, 0.98])
def test_one_flipped_bit_anywhere_is_noticed(package: Path, keys: models.Keys, name: str, place: float) -> None:
    content = bytearray((package / name).read_bytes())
    content[int(len(content) * place)] ^= 1
    (package / name).write_bytes(content)
    with pytest.raises(PackageRefused):
        models.verify(package, keys.public)


@pytest.mark.parametrize("name", sorted(REQUIRED_FILES))
def test_a_missing_file_is_named(package: Path, keys: models.Keys, name: str) -> None:
    (package / name).unlink()
    with pytest.raises(PackageRefused, match=f"lacks {name}"):
        models.verify(package, keys.public)


@pytest.mark.parametrize("name", sorted(REQUIRED_FILES))
def test_a_truncated_file_is_refused(package: Path, keys: models.Keys, name: str) -> None:
    os.truncate(package / name, (package / name).stat().st_size // 2)
    with pytest.raises(PackageRefused):
        models.verify(package, keys.public)


def test_a_signature_by_another_key_is_refused(package: Path, tmp_path: Path) -> None:
    stranger = models.signing_keys(tmp_path / "stranger")
    with pytest.raises(PackageRefused, match="does not vouch"):
        models.verify(package, stranger.public)


def test_the_signature_of_another_package_is_refused(
    trained: Path, package: Path, keys: models.Keys, tmp_path: Path
) -> None:
    other = models.package(trained, tmp_path / "other", models.Lineage("1" * 64, "git:def"), keys.private).path
    shutil.copy(other / "model.sig", package / "model.sig")
    with pytest.raises(PackageRefused, match=r"lineage\.json"):
        models.verify(package, keys.public)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("run.py", "no file of a package"),
        ("weights.pkl", "pickle by its name"),
        (".gitignore", "no file"),
        ("a.pt", "pickle"),
    ],
)
def test_unknown_files_are_refused_by_name(package: Path, keys: models.Keys, name: str, reason: str) -> None:
    (package / name).write_text("x")
    with pytest.raises(PackageRefused, match=reason):
        models.verify(package, keys.public)


def test_links_are_refused(package: Path, keys: models.Keys, tmp_path: Path) -> None:
    (package / "model.onnx").symlink_to("/etc/hostname")
    with pytest.raises(PackageRefused, match=r"model\.onnx.*link"):
        models.verify(package, keys.public)
    (package / "model.onnx").unlink()
    (tmp_path / "link").symlink_to(package)
    with pytest.raises(PackageRefused, match="no folder"):
        models.verify(tmp_path / "link", keys.public)


def test_a_file_that_somebody_else_holds_too_is_refused(package: Path, keys: models.Keys, tmp_path: Path) -> None:
    """By a second name it could be changed after it was checked."""
    os.link(package / "lineage.json", tmp_path / "second-name")
    with pytest.raises(PackageRefused, match=r"lineage\.json.*link"):
        models.verify(package, keys.public)


def test_what_was_checked_is_what_is_copied(package: Path, keys: models.Keys, tmp_path: Path) -> None:
    copied = models.verified_copy(package, tmp_path / "good", keys.public)
    assert copied.sha256 == models.verify(package, keys.public).sha256
    (package / "lineage.json").write_text((package / "lineage.json").read_text().replace("git:abc", "git:abd"))
    with pytest.raises(PackageRefused, match="does not vouch"):
        models.verified_copy(package, tmp_path / "bad", keys.public)
    assert not (tmp_path / "bad").exists()


def test_the_same_content_is_the_same_package_whenever_it_was_signed(
    trained: Path, package: Path, keys: models.Keys, tmp_path: Path
) -> None:
    again = models.package(trained, tmp_path / "again", LINEAGE, keys.private)
    assert (again.path / "model.sig").read_bytes() != (package / "model.sig").read_bytes()
    assert again.sha256 == models.verify(package, keys.public).sha256


def test_a_model_that_answers_nan_to_one_row_is_refused(keys: models.Keys, tmp_path: Path) -> None:
    model = write_model(tmp_path / "model", kind=Unsure)
    with pytest.raises(PackageRefused, match="NaN or infinite"):
        models.package(model, tmp_path / "output", LINEAGE, keys.private)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_of_any_protocol_is_known_by_its_start(package: Path, keys: models.Keys, protocol: int) -> None:
    (package / "signature.json").write_bytes(pickle.dumps({}, protocol))
    with pytest.raises(PackageRefused, match="is a pickle"):
        models.verify(package, keys.public)


class Payload:
    """Creates a file when unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.mkdir, (str(self.mark),)


def _torch_saved(value: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["model.pt2", "model.safetensors", "signature.json"])
@pytest.mark.parametrize("write", [pickle.dumps, _torch_saved])
def test_a_pickle_under_an_allowed_name_is_never_loaded(
    model: Path, keys: models.Keys, tmp_path: Path, name: str, write: Callable[[object], bytes]
) -> None:
    (model / name).write_bytes(write(Payload(tmp_path / "mark")))
    with pytest.raises((PackageRefused, DataUnreadable)):
        models.package(model, tmp_path / "output", LINEAGE, keys.private)
    assert not (tmp_path / "mark").exists()
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize("protocol", range(2, 6))
def test_weights_whose_header_is_as_long_as_a_pickle_begins_are_packed(
    model: Path, keys: models.Keys, tmp_path: Path, protocol: int
) -> None:
    weights = model / "model.safetensors"
    content = weights.read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    length = int.from_bytes(bytes([0x80, protocol, 1]), "little")  # the format lets blanks end a header
    weights.write_bytes(length.to_bytes(8, "little") + content[8:end].ljust(length) + content[end:])
    assert weights.read_bytes().startswith(bytes([0x80, protocol]))
    assert models.package(model, tmp_path / "output", LINEAGE, keys.private)


def _edit_archive(archive: Path, edit: Callable[[dict[str, bytes]], None]) -> None:
    with zipfile.ZipFile(archive) as source:
        members = {info.filename: source.read(info) for info in source.infolist()}
    edit(members)
    with zipfile.ZipFile(archive, "w") as target:
        for name, content in members.items():
            target.writestr(name, content)


def _member(members: dict[str, bytes], suffix: str) -> str:
    return next(name for name in members if name.endswith(suffix))


def _replaced(suffix: str, old: bytes, new: bytes) -> Callable[[dict[str, bytes], Path], None]:
    def edit(members: dict[str, bytes], mark: Path) -> None:
        name = _member(members, suffix)
        assert old in members[name]
        members[name] = members[name].replace(old, new.replace(b"MARK", str(mark).encode()))

    return edit


def _pickled_weight(members: dict[str, bytes], mark: Path) -> None:
    _replaced("weights_config.json", b'"use_pickle": false', b'"use_pickle": true')(members, mark)
    members[_member(members, "weight_0")] = _torch_saved(Payload(mark))


def _pickled_sample(members: dict[str, bytes], mark: Path) -> None:
    members[_member(members, "sample_inputs/model.pt")] = _torch_saved((Payload(mark),))


def _custom_object(members: dict[str, bytes], mark: Path) -> None:
    members["model/data/constants/opaque_obj_0"] = pickle.dumps(Payload(mark))


def _old_layout(members: dict[str, bytes], mark: Path) -> None:
    members.clear()
    members["serialized_exported_program.json"] = b"{}"
    members["version"] = b"8.2"
    members["serialized_example_inputs.pt"] = _torch_saved(Payload(mark))


def _library(members: dict[str, bytes], mark: Path) -> None:
    members["model/data/aotinductor/model/lib.so"] = b"\x7fELF"


ATTACKS = [
    _pickled_weight,
    _pickled_sample,
    _custom_object,
    _old_layout,
    _library,
    _replaced("model.json", b"torch.ops.aten.sigmoid.default", b"torch.load"),
    _replaced("model.json", b"torch.ops.aten.sigmoid.default", b"torch.ops.aten.from_file.default"),
    _replaced("model.json", b"torch.ops.aten.sigmoid.default", b"torch.load.torch.ops.aten.sigmoid.default"),
    _replaced("model.json", b"\"Symbol('s", b"\"__import__('os').mkdir('MARK') or Symbol('s"),
    _replaced("model.json", b'"guards_code": [', b"\"guards_code\": [\"__import__('os').mkdir('MARK')\", "),
    _replaced("model.json", b"builtins.tuple", b"collections.defaultdict"),
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_graph_that_could_run_code_is_refused_unrun(
    model: Path, tmp_path: Path, attack: Callable[[dict[str, bytes], Path], None]
) -> None:
    mark = tmp_path / "mark"
    _edit_archive(model / "model.pt2", lambda members: attack(members, mark))
    with pytest.raises(PackageRefused, match=r"run code|lacks"):
        ExportedModel.load(model)
    assert not mark.exists()


def test_the_attacks_are_real(model: Path, tmp_path: Path) -> None:
    """torch.export.load itself runs what is pickled in the sample inputs, so refusing it first is what protects."""
    mark = tmp_path / "mark"
    _edit_archive(model / "model.pt2", lambda members: _pickled_sample(members, mark))
    with pytest.raises(Exception):  # noqa: B017 - what torch makes of it afterwards does not matter
        torch.export.load(model / "model.pt2")
    assert mark.exists()


def test_weights_of_another_training_are_refused(model: Path, keys: models.Keys, tmp_path: Path) -> None:
    weights = safetensors.torch.load_file(model / "model.safetensors")
    weights["linear.bias"] += 1
    safetensors.torch.save_file(weights, model / "model.safetensors")
    with pytest.raises(PackageRefused, match=r"differ in linear\.bias"):
        models.package(model, tmp_path / "output", LINEAGE, keys.private)


def test_a_signature_of_another_graph_is_refused(model: Path, keys: models.Keys, tmp_path: Path) -> None:
    Signature("delays", SIGNATURE.inputs[:1], SIGNATURE.outputs, {"carrier": ["UA"]}).write(model)
    with pytest.raises(PackageRefused, match="takes 2 tensors"):
        models.package(model, tmp_path / "output", LINEAGE, keys.private)


def test_a_pickle_offered_as_a_model_says_what_to_do(keys: models.Keys, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    torch.save(Delays(), tmp_path / "model" / "model.pt")
    with pytest.raises(PackageRefused, match=r"model\.pt .*torch\.export"):
        models.package(tmp_path / "model", tmp_path / "output", LINEAGE, keys.private)


@contextmanager
def small_files() -> Iterator[None]:
    """The kernel refuses to write any file beyond 8 KiB, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8 << 10, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_no_space_leaves_nothing_half_written_and_the_old_package_whole(
    trained: Path, package: Path, keys: models.Keys
) -> None:
    before = models.verify(package, keys.public).sha256
    for output in (package, package.with_name("new")):
        with small_files(), pytest.raises(PackageRefused, match="could not be written"):
            models.package(trained, output, LINEAGE, keys.private)
    assert models.verify(package, keys.public).sha256 == before
    assert [file.name for file in package.parent.iterdir()] == ["package"]


def test_a_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first, second = models.signing_keys(tmp_path / "keys"), models.signing_keys(tmp_path / "keys")
    assert first == second
    assert first.private.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys").stat().st_mode & 0o077 == 0


def test_processes_that_need_a_first_key_at_once_share_one(tmp_path: Path) -> None:
    code = f"from pathlib import Path; from seaway.models import signing_keys; signing_keys(Path({str(tmp_path)!r}))"
    started = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
    assert [process.wait() for process in started] == [0, 0, 0]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["signing.pem", "signing.pub"]
    public = (tmp_path / "signing.pub").read_bytes()
    models.signing_keys(tmp_path)
    assert (tmp_path / "signing.pub").read_bytes() == public


def test_a_key_that_another_process_has_made_meanwhile_is_kept(tmp_path: Path) -> None:
    """Between the look for a key and its making: packages may be signed by the first one already."""
    keys = models.signing_keys(tmp_path)
    first = keys.private.read_bytes()
    _make_private(keys.private)
    assert keys.private.read_bytes() == first
    assert sorted(file.name for file in tmp_path.iterdir()) == ["signing.pem", "signing.pub"]


def test_a_lone_public_key_verifies_and_is_never_replaced(package: Path, keys: models.Keys, tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    folder.mkdir()
    shutil.copy(keys.public, folder)
    assert models.verify(package, models.verifying_key(folder)).lineage == LINEAGE
    with pytest.raises(PackageRefused, match="only a public key"):
        models.signing_keys(folder)


def _tar(archive: Path, package: Path, extra: list[tuple[tarfile.TarInfo, bytes]] = []) -> Path:  # noqa: B006
    with tarfile.open(archive, "w:gz") as opened:
        for file in package.iterdir():
            opened.add(file, file.name)
        for info, content in extra:
            info.size = len(content)
            opened.addfile(info, io.BytesIO(content))
    return archive


def _zip(archive: Path, package: Path, extra: dict[str, bytes] | None = None) -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for file in package.iterdir():
            opened.write(file, file.name)
        for name, content in (extra or {}).items():
            opened.writestr(name, content)
    return archive


@pytest.mark.parametrize("make", [_tar, _zip])
def test_archives_of_a_package_unpack_to_it(
    make: Callable[..., Path], package: Path, keys: models.Keys, tmp_path: Path
) -> None:
    unpacked = models.unpack(make(tmp_path / "archive", package), tmp_path / "unpacked")
    assert models.verify(unpacked, keys.public).lineage == LINEAGE


ESCAPES = ["../evil", "/tmp/seaway-evil", "a/../../evil", "sub/model.pt2", "..", "model.pt2/../x", "C:\\evil"]  # noqa: S108


@pytest.mark.parametrize("name", ESCAPES)
def test_paths_that_lead_out_of_the_folder_are_refused(package: Path, tmp_path: Path, name: str) -> None:
    tar = _tar(tmp_path / "a.tar.gz", package, [(tarfile.TarInfo(name), b"x")])
    for archive in (tar, _zip(tmp_path / "a.zip", package, {name: b"x"})):
        with pytest.raises(PackageRefused):
            models.unpack(archive, tmp_path / "out" / "unpacked")
        assert list((tmp_path / "out").iterdir()) == []
    assert not (tmp_path / "evil").exists()
    assert not Path("/tmp/seaway-evil").exists()  # noqa: S108


def _member_of(kind: bytes, target: str = "/etc/hostname") -> tarfile.TarInfo:
    info = tarfile.TarInfo("model.onnx")
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_links_and_devices_in_an_archive_are_refused(package: Path, tmp_path: Path, kind: bytes) -> None:
    archive = _tar(tmp_path / "a.tar.gz", package, [(_member_of(kind), b"")])
    with pytest.raises(PackageRefused, match=r"model\.onnx"):
        models.unpack(archive, tmp_path / "unpacked")
    assert not (tmp_path / "unpacked").exists()


def test_a_link_in_a_zip_is_refused(package: Path, tmp_path: Path) -> None:
    archive = _zip(tmp_path / "a.zip", package)
    with zipfile.ZipFile(archive, "a") as opened:
        info = zipfile.ZipInfo("model.onnx")
        info.external_attr = 0o120777 << 16
        opened.writestr(info, "/etc/hostname")
    with pytest.raises(PackageRefused, match="link"):
        models.unpack(archive, tmp_path / "unpacked")


@pytest.mark.parametrize("make", [_tar, _zip])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_truncated_archive_leaves_nothing(
    make: Callable[..., Path], share: float, package: Path, tmp_path: Path
) -> None:
    archive = make(tmp_path / "archive", package)
    os.truncate(archive, int(archive.stat().st_size * share))
    with pytest.raises(PackageRefused):
        models.unpack(archive, tmp_path / "out" / "unpacked")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_member_that_is_there_twice_is_refused(package: Path, tmp_path: Path) -> None:
    """Of two files of one name somebody may check the one and use the other."""
    archive = _tar(tmp_path / "a.tar.gz", package, [(tarfile.TarInfo("lineage.json"), b"{}")])
    with pytest.raises(PackageRefused, match="there twice"):
        models.unpack(archive, tmp_path / "unpacked")


def test_a_bomb_is_stopped_at_the_bound(package: Path, tmp_path: Path) -> None:
    archive = _zip(tmp_path / "bomb.zip", package, {"model.onnx": bytes(20 << 20)})
    assert archive.stat().st_size < 1 << 20
    with pytest.raises(PackageRefused, match="more bytes"):
        models.unpack(archive, tmp_path / "unpacked", max_bytes=10 << 20)
    assert not (tmp_path / "unpacked").exists()


def test_lineage_refuses_what_it_could_not_write(tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match="SHA-256"):
        models.Lineage("abc", "git:abc")
    with pytest.raises(InvalidSpec, match="auc"):
        models.Lineage("0" * 64, "git:abc", metrics={"auc": float("nan")})


def test_lineage_is_traced_from_the_files_of_a_training(tmp_path: Path) -> None:
    (tmp_path / "train").write_bytes(b"rows")
    (tmp_path / "metrics.json").write_text(json.dumps({"auc": 0.7, "note": "x"}))
    (tmp_path / "evaluation.json").write_text(json.dumps({"metrics": {"auc": 0.6}}))
    traced = models.trace(tmp_path, tmp_path / "train", {"epochs": 2}, seed=1, evaluation=tmp_path)
    assert traced.metrics == {"auc": 0.7, "test_auc": 0.6}
    assert traced.data_sha256 == hashlib.sha256(b"rows").hexdigest()
    assert traced.frameworks["torch"] == torch.__version__.partition("+")[0]


def test_the_code_version_names_the_commit_or_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert models.code_version(tmp_path).startswith("seaway:")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=main"]
    (tmp_path / "code.py").write_text("a = 1")
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *arguments], cwd=tmp_path, check=True)
    clean = models.code_version(tmp_path)
    assert clean.startswith("git:")
    (tmp_path / "code.py").write_text("a = 2")
    assert models.code_version(tmp_path) == f"{clean}-modified"


def test_only_graph_weights_and_signature_make_a_model_a_new_one(
    trained: Path, package: Path, keys: models.Keys, tmp_path: Path
) -> None:
    other = models.package(trained, tmp_path / "other", replace(LINEAGE, seed=99), keys.private).path
    assert models.same_model(package, other)
    for name in ("model.pt2", "model.safetensors", "signature.json"):
        changed = Path(shutil.copytree(package, tmp_path / f"changed-{name}"))
        (changed / name).write_bytes((changed / name).read_bytes() + b" ")
        assert not models.same_model(package, changed)


def test_packages_of_one_graph_share_a_script(trained: Path, package: Path, keys: models.Keys, tmp_path: Path) -> None:
    other = models.package(trained, tmp_path / "other", replace(LINEAGE, seed=99), keys.private).path
    script = kept_script(package, tmp_path / "scripts")
    assert script
    written = script.stat().st_mtime_ns
    assert kept_script(other, tmp_path / "scripts") == script
    assert script.stat().st_mtime_ns == written
    model = ExportedModel.load(package)
    sample = [torch.from_numpy(array) for array in model.signature.encode(model.signature.sample).values()]
    torch.testing.assert_close(torch.jit.load(script)(*sample), model.graph(*sample))
