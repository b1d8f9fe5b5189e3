"""What a pod of a training does around its entrypoint, without torch."""

import ipaddress
import sys
from pathlib import Path

import pytest
from seaway.errors import DataUnreadable, InvalidSpec, TrainingFailed
from seaway.storage import storage_for
from seaway.training.fingerprint import fingerprint
from seaway.training.pod import __main__ as training_pod
from seaway.training.pod.checkpoint_sync import Mirror, bring
from seaway.training.pod.job import VARIABLE, RemoteTraining
from seaway.training.pod.rendezvous import Rendezvous
from seaway.training.spec import TrainSpec

MASTER = {"PET_MASTER_ADDR": "job-master-0", "PET_MASTER_PORT": "23456", "PET_NNODES": "3", "PET_NODE_RANK": "2"}


def test_ranks_are_those_that_torchrun_would_give() -> None:
    commands = Rendezvous.read({**MASTER, "PET_NPROC_PER_NODE": "2"}).commands("train", [])
    variables = [variables for _, variables in commands]
    assert [each["RANK"] for each in variables] == ["4", "5"]
    assert [each["LOCAL_RANK"] for each in variables] == ["0", "1"]
    assert {each["WORLD_SIZE"] for each in variables} == {"6"}
    assert {each["MASTER_ADDR"] for each in variables} == {"job-master-0"}


def test_an_elastic_job_is_left_to_torchrun() -> None:
    rendezvous = Rendezvous.read({"PET_RDZV_ENDPOINT": "job-worker-0:23456", "PET_NNODES": "1:3"})
    [(command, _)] = rendezvous.commands("train", ["--spec", "x"])
    assert command[:3] == [sys.executable, "-m", "torch.distributed.run"]
    assert command[-4:] == ["-m", "train", "--spec", "x"]
    assert rendezvous.address == "job-worker-0"


def test_a_pod_that_replaces_a_lost_one_of_its_name_can_join() -> None:
    rendezvous = Rendezvous.read({"PET_RDZV_ENDPOINT": "job-worker-0:23456", "PET_NNODES": "1:3"})
    [(command, variables)] = rendezvous.commands("train", [])
    assert variables == {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}, "it would not be told where rank 0 is"
    ipaddress.ip_address(command[command.index("--local-addr") + 1])


def test_a_pod_joins_by_its_ipv6_address_where_it_has_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "::1")
    rendezvous = Rendezvous.read({"PET_RDZV_ENDPOINT": "job-worker-0:23456", "PET_NNODES": "1:3"})
    [(command, _)] = rendezvous.commands("train", [])
    assert command[command.index("--local-addr") + 1] == "::1"


def test_a_pod_whose_own_name_has_no_address_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "no-such-pod.invalid")
    rendezvous = Rendezvous.read({"PET_RDZV_ENDPOINT": "job-worker-0:23456", "PET_NNODES": "1:3"})
    with pytest.raises(TrainingFailed, match=r"no-such-pod\.invalid.*/etc/hosts"):
        rendezvous.commands("train", [])


def test_variables_that_torchrun_could_not_read_are_refused() -> None:
    with pytest.raises(InvalidSpec, match="PET_"):
        Rendezvous.read({**MASTER, "PET_NPROC_PER_NODE": "auto"})


def test_a_name_that_never_resolves_is_told_by_name() -> None:
    with pytest.raises(TrainingFailed, match="no-such-pod"):
        Rendezvous(2, 1, 1, "no-such-pod.invalid", 1).await_address(patience_s=0)


def test_checkpoints_come_back_and_are_not_sent_again(tmp_path: Path) -> None:
    kept, first, second = (tmp_path / name for name in ("kept", "first", "second"))
    (first / "run").mkdir(parents=True)
    (first / "run" / "epoch-1").write_text("one")
    (first / "run" / ".epoch-2.tmp").write_text("half")
    Mirror(first, f"file://{kept}").send()

    bring(f"file://{kept}", second)
    assert [path.name for path in second.rglob("*") if path.is_file()] == ["epoch-1"]
    (kept / "run" / "epoch-1").unlink()
    Mirror(second, f"file://{kept}").send()
    assert not (kept / "run" / "epoch-1").exists()


def test_a_newer_checkpoint_replaces_the_one_that_its_writer_dropped(tmp_path: Path) -> None:
    kept, folder = tmp_path / "kept", tmp_path / "folder"
    folder.mkdir()
    mirror = Mirror(folder, f"file://{kept}")
    (folder / "epoch-1").write_text("one")
    mirror.send()
    (folder / "epoch-1").unlink()
    (folder / "epoch-2").write_text("two")
    mirror.send()
    assert [path.name for path in kept.iterdir()] == ["epoch-2"]


ENTRYPOINT = """
import json, os, sys
from pathlib import Path
spec = json.loads(Path(sys.argv[-1]).read_text())
if os.environ["RANK"] == "0":
    output = Path(spec["output"])
    for name in ("model.pt2", "model.safetensors", "signature.json", "metrics.json", "history.jsonl"):
        (output / name).write_text("{}")
    (Path(spec["checkpoints"]) / "epoch-1").write_text("state")
sys.exit(spec["params"].get("exit", 0))
"""


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A training whose data lie in a folder, and the environment of a pod."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "small_entrypoint.py").write_text(ENTRYPOINT)
    monkeypatch.syspath_prepend(tmp_path / "code")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "code"))
    monkeypatch.setenv("SEAWAY_SCRATCH", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    for name in ("train.parquet", "validation.parquet"):
        (tmp_path / name).write_text(name)

    def prepare(**params: object) -> RemoteTraining:
        spec = TrainSpec(
            train=tmp_path / "train.parquet",
            validation=tmp_path / "validation.parquet",
            output=tmp_path / "output",
            checkpoints=tmp_path / "checkpoints",
            entrypoint="small_entrypoint",
            params=params,
        )
        training = RemoteTraining.of(spec, fingerprint(spec), f"file://{tmp_path}/run", f"file://{tmp_path}/kept")
        storage_for(training.train).upload(spec.train, training.train)
        storage_for(training.validation).upload(spec.validation, training.validation)
        monkeypatch.setenv(VARIABLE, training.text)
        return training

    return prepare


def test_a_pod_leaves_the_model_and_the_checkpoints_where_the_step_looks(prepared, tmp_path: Path) -> None:
    training = prepared()
    assert training_pod.main() == 0
    storage = storage_for(training.output)
    assert storage.exists(training.output)
    assert [name.rpartition("/")[2] for name in storage.list(training.checkpoints)] == ["epoch-1"]


def test_a_pod_that_is_started_again_after_its_end_does_nothing(prepared, tmp_path: Path) -> None:
    prepared()
    assert training_pod.main() == 0
    (tmp_path / "code" / "small_entrypoint.py").write_text("raise SystemExit(9)")
    assert training_pod.main() == 0


def test_a_failing_entrypoint_gives_its_exit_code_and_keeps_its_checkpoints(prepared) -> None:
    training = prepared(exit=7)
    assert training_pod.main() == 7
    assert not storage_for(training.output).exists(training.output)
    assert storage_for(training.checkpoints).list(training.checkpoints)


def test_an_image_with_other_code_than_the_step_is_refused(prepared, tmp_path: Path) -> None:
    prepared()
    (tmp_path / "code" / "small_entrypoint.py").write_text(f"{ENTRYPOINT}\n# changed")
    with pytest.raises(InvalidSpec, match="other code of small_entrypoint"):
        training_pod.main()


def test_data_that_another_run_has_overwritten_are_refused(prepared, tmp_path: Path) -> None:
    prepared()
    (tmp_path / "run" / "train.parquet").write_text("other rows")
    with pytest.raises(DataUnreadable, match="train differ"):
        training_pod.main()


def test_trainers_runtime_for_jax_names_the_pods_and_each_has_one_process() -> None:
    said = {"JAX_NUM_PROCESSES": "3", "JAX_PROCESS_ID": "2", "JAX_COORDINATOR_ADDRESS": "train-node-0-0.train:29500"}
    found = Rendezvous.read(said)
    assert found == Rendezvous(nodes=3, node_rank=2, processes=1, address="train-node-0-0.train", port=29500)
    both = Rendezvous.read({**said, "PET_NNODES": "4", "PET_NODE_RANK": "1"})
    assert (both.nodes, both.node_rank) == (4, 1)
