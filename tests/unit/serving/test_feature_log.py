"""The log of served features: what is written, what is lost, and what it never costs an answer."""

import threading
from pathlib import Path
from typing import Any

import pytest
from seaway.errors import DataUnreadable, InvalidSpec, StorageUnavailable
from seaway.models import Signature, TensorSpec
from seaway.serving import FeatureLog, feature_log
from seaway.serving.feature_log import folder_of, read_log

SIGNATURE = Signature(
    "m",
    (
        TensorSpec("temp", "FP32"),
        TensorSpec("carrier", "BYTES"),
        TensorSpec("seats", "INT64"),
        TensorSpec("w", "FP32", (-1, 2)),
    ),
    (TensorSpec("p", "FP32"),),
)


def append(log: FeatureLog, request: Any, temp: float | None = 20.5, carrier: str | None = "AA") -> None:
    log.append(request, {"temp": [temp], "carrier": [carrier], "seats": [150], "w": [0.1, 0.2]}, [0.25])


def test_a_row_a_request_with_what_was_sent_and_answered(tmp_path: Path) -> None:
    log = FeatureLog(str(tmp_path), SIGNATURE, "v1")
    append(log, "f1")
    append(log, None, None, None)
    append(log, 17)
    log.close()
    rows = read_log(str(tmp_path))
    assert rows["id"].tolist() == ["f1", None, "17"]
    assert rows["temp"].isna().tolist() == rows["carrier"].isna().tolist() == [False, True, False]
    assert (set(rows["version"]), set(rows["prediction"]), set(rows["seats"])) == ({"v1"}, {0.25}, {150})
    assert rows["w"][0].tolist() == [0.1, 0.2]
    assert str(rows["served_at"].dt.tz) == "UTC"


def test_an_id_that_cannot_be_written_costs_no_row(tmp_path: Path) -> None:
    log = FeatureLog(str(tmp_path), SIGNATURE, "v1")
    for request in ("f1", "f\ud800", "f" * 2000):
        append(log, request)
    log.close()
    assert read_log(str(tmp_path))["id"].tolist() == ["f1", "f?", None]


def test_a_float_that_is_written_as_an_integer_costs_no_row(tmp_path: Path) -> None:
    log = FeatureLog(str(tmp_path), SIGNATURE, "v1")
    append(log, "f1", 10**30)
    log.close()
    assert read_log(str(tmp_path))["temp"].tolist() == [1e30]


def test_files_of_several_servers_are_one_log(tmp_path: Path) -> None:
    """One of them has seen nothing but missing values, which makes its columns no other type."""
    for number, temp in enumerate((None, 3.0)):
        log = FeatureLog(f"file://{tmp_path}/served", SIGNATURE, f"v{number}")
        append(log, "f1", temp)
        log.close()
    assert read_log(f"{tmp_path}/served").sort_values("version")["temp"].fillna(-1).tolist() == [-1, 3]


def test_what_is_full_is_written_without_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_log, "FULL", 3)
    log = FeatureLog(str(tmp_path), SIGNATURE, "v1", every_s=3600)
    for number in range(3):
        append(log, number)
    written = threading.Event()
    while not written.wait(0.01):
        if list(tmp_path.glob("*.parquet")):
            written.set()
    log.close()
    assert len(read_log(str(tmp_path))) == 3


class Blocked:
    """A storage that answers nobody until it is told to, and then that it cannot."""

    def __init__(self) -> None:
        self.asked, self.ends = threading.Event(), threading.Event()

    def upload(self, path: Path, uri: str) -> None:
        self.asked.set()
        self.ends.wait(60)
        raise StorageUnavailable("The bucket does not answer.")


@pytest.mark.parametrize(("most", "number"), [("MOST", 10), ("MOST_BYTES", 10_000)])
def test_a_storage_that_hangs_costs_rows_and_neither_answers_nor_memory(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, most: str, number: int
) -> None:
    storage = Blocked()
    monkeypatch.setattr(feature_log, "storage_for", lambda uri: storage)
    monkeypatch.setattr(feature_log, most, number)
    log = FeatureLog("s3://bucket/served", SIGNATURE, "v1", every_s=0.01)
    append(log, 0)
    assert storage.asked.wait(60)
    for name in range(100):
        append(log, name)
    assert len(log._rows) < 100
    storage.ends.set()
    log.close()
    told = [record.message for record in caplog.records]
    assert any("The bucket does not answer" in line for line in told)
    lost = sum(int(line.split()[0]) for line in told if "are lost" in line)
    assert lost == 101


def test_an_input_cannot_have_the_name_of_a_column_of_the_log(tmp_path: Path) -> None:
    signature = Signature("m", (TensorSpec("version", "FP32"),), (TensorSpec("p", "FP32"),))
    with pytest.raises(InvalidSpec, match="version"):
        FeatureLog(str(tmp_path), signature, "v1")


def test_a_folder_without_a_log_says_how_one_is_made(tmp_path: Path) -> None:
    with pytest.raises(DataUnreadable, match="SEAWAY_SERVED"):
        read_log(str(tmp_path))


@pytest.mark.parametrize(
    ("named", "folder"),
    [("", ""), ("s3://b/served/", "s3://b/served/m"), ("/srv/served", "/srv/served/m"), ("file:///srv", "/srv/m")],
)
def test_each_endpoint_has_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, named: str, folder: str) -> None:
    monkeypatch.setenv("SEAWAY_SERVED", named)
    assert folder_of("m") == folder


def test_a_relative_folder_is_that_of_who_deploys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEAWAY_SERVED", "served")
    assert folder_of("m") == str(tmp_path / "served" / "m")
