"""The log of served features in a real bucket."""

from pathlib import Path

import pytest
from object_store import object_store
from seaway.errors import DataUnreadable
from seaway.models import Signature, TensorSpec
from seaway.serving import FeatureLog
from seaway.serving.feature_log import read_log

SIGNATURE = Signature("m", (TensorSpec("temp", "FP32"),), (TensorSpec("p", "FP32"),))


def serve(folder: str, version: str, rows: int) -> None:
    log = FeatureLog(folder, SIGNATURE, version)
    for number in range(rows):
        log.append(f"f{number}", {"temp": [float(number)]}, [0.5])
    log.close()


def test_servers_log_into_one_bucket_and_a_check_reads_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with object_store(tmp_path / "store") as store:
        for name, value in store.environment.items():
            monkeypatch.setenv(name, value)
        folder = f"s3://{store.bucket}/served/flights"
        with pytest.raises(DataUnreadable, match="SEAWAY_SERVED"):
            read_log(folder)
        serve(folder, "v1", 20)
        serve(folder, "v2", 10)
        serve(f"s3://{store.bucket}/served/other", "v3", 5)
        rows = read_log(folder)
    assert rows["version"].value_counts().to_dict() == {"v1": 20, "v2": 10}
    assert sorted(rows["temp"])[-1] == 19
    assert not caplog.records
