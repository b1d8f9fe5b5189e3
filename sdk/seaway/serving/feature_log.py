"""The features that were served, as Parquet, a row a request: what a check of train/serve skew compares.

Answers never wait for it: rows are kept in memory and written by a thread of their own. What cannot be kept or written
is lost, and the loss is told, since an answer is worth more than its log. A server that is asked to end writes the
rest; one that is killed takes with it what it answered in its last seconds.
"""

import logging
import math
import os
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from seaway.errors import DataUnreadable, InvalidSpec, SeawayError
from seaway.models import Signature, TensorSpec
from seaway.storage import storage_for
from seaway.storage.uri import local_path, scheme

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

VARIABLE = "SEAWAY_SERVED"  # URI of the folder that has one for each endpoint; unset: nothing is logged
ID = "id"  # of the request, by the Open Inference Protocol: the keys that name its row, joined
KEY_SEPARATOR = "/"
ANSWER = (ID, "served_at", "version", "prediction")  # columns that are no inputs; times are UTC
EVERY_S = 10.0  # between two files
FULL, FULL_BYTES = 5_000, 16 << 20  # rows, and memory of theirs, that are written without waiting
MOST, MOST_BYTES = 4 * FULL, 4 * FULL_BYTES  # that are kept while the storage is slow
ID_LENGTH = 1024  # characters; a longer id names no row
END_S = 4.0  # for what is left, below the grace that servers have after SIGTERM
log = logging.getLogger(__name__)


class FeatureLog:
    """Writes what was served into the folder at `uri`, one Parquet file at a time; `close` writes the rest.

    Raises:
        InvalidSpec: an input of the model has the name of another column of the log, or the storage of `uri` lacks a
            setting.
        ImportError: PyArrow is not installed.
    """

    def __init__(self, uri: str, signature: Signature, version: str, every_s: float = EVERY_S) -> None:
        import pyarrow.parquet  # noqa: F401  # now: an import holds up answers

        names = [spec.name for spec in signature.inputs]
        if taken := set(names) & set(ANSWER):
            raise InvalidSpec(f"Requests cannot be logged: input {', '.join(taken)} has the name of a log's column.")
        self._uri, self._inputs, self._version, self._every_s = uri.rstrip("/"), signature.inputs, version, every_s
        self._answer = next(spec for spec in signature.outputs if spec.name == signature.prediction)
        self._storage = storage_for(uri)
        self._lock = threading.Lock()
        self._rows, self._bytes, self._lost = list[Sequence[Any]](), 0, 0
        self._wanted, self._closed = threading.Event(), False
        self._thread = threading.Thread(target=self._write, name="served features", daemon=True)
        self._thread.start()

    def append(self, request: Any, inputs: Mapping[str, Sequence[Any]], prediction: Sequence[float]) -> None:
        """Keep one row: the request's id, the values of each input, and those of the model's prediction."""
        values = [_kept(spec, inputs[spec.name]) for spec in self._inputs]
        answer = [float(value) for value in prediction]
        told = answer if _is_many(self._answer) else answer[0]
        row = (_name(request), time.time_ns() // 1000, self._version, told, *values)
        size = sum(map(_memory, (row[:1], *inputs.values())))
        with self._lock:
            if len(self._rows) >= MOST or self._bytes + size > MOST_BYTES:
                self._lost += 1
                return
            self._rows.append(row)
            self._bytes += size
            if len(self._rows) >= FULL or self._bytes >= FULL_BYTES:
                self._wanted.set()

    def close(self, timeout_s: float = END_S) -> None:
        """Write what is left and end; what takes longer than `timeout_s` is left behind."""
        self._closed = True
        self._wanted.set()
        self._thread.join(timeout_s)

    def _write(self) -> None:
        while not self._closed:
            self._wanted.wait(self._every_s)
            self._wanted.clear()
            self._flush()
        self._flush()

    def _flush(self) -> None:
        with self._lock:
            rows, lost = self._rows, self._lost
            self._rows, self._bytes, self._lost = [], 0, 0
        if rows:
            try:
                self._upload(rows)
            except (SeawayError, OSError, ValueError, OverflowError) as error:  # the last two by Arrow
                lost += len(rows)
                log.warning("served features cannot be written to %s: %s", self._uri, error)
        if lost:
            log.warning("%d rows of served features are lost", lost)

    def _upload(self, rows: Sequence[Sequence[Any]]) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        schema = _schema(self._inputs, self._answer)
        columns = [pa.array([row[place] for row in rows], kind.type) for place, kind in enumerate(schema)]
        with tempfile.TemporaryDirectory(prefix="seaway-served-") as folder:
            file = Path(folder) / f"{rows[0][1]}-{uuid4().hex[:8]}.parquet"
            parquet.write_table(pa.table(columns, schema=schema), file, compression="zstd")
            self._storage.upload(file, f"{self._uri}/{file.name}")


def folder_of(endpoint: str) -> str:
    """URI of the folder that gets an endpoint's requests, absolute; empty where none are logged."""
    uri = os.environ.get(VARIABLE, "").rstrip("/")
    root = str(local_path(uri).absolute()) if uri and scheme(uri) == "file" else uri
    return f"{root}/{endpoint}" if root else ""


def row_id(values: Sequence[Any]) -> str:
    """The id of a request for the row that these values of its keys name."""
    return KEY_SEPARATOR.join(map(str, values))


def read_log(uri: str) -> "pd.DataFrame":
    """All rows that were logged into the folder at `uri`.

    Raises:
        DataUnreadable: there are none.
        StorageUnavailable: they cannot be fetched.
    """
    import pandas as pd

    storage = storage_for(uri)
    files = [file for file in storage.list(uri) if file.endswith(".parquet")]
    if not files:
        raise DataUnreadable(
            f"{uri} holds no Parquet files, so no request was logged there; set {VARIABLE} where the endpoint is "
            "deployed, and name the folder below it that is called as the endpoint."
        )
    with tempfile.TemporaryDirectory(prefix="seaway-served-") as folder:
        copies = [Path(folder) / f"{number}.parquet" for number in range(len(files))]
        for file, copy in zip(files, copies, strict=True):
            storage.download(file, copy)
        return pd.concat([pd.read_parquet(copy) for copy in copies], ignore_index=True)


def _schema(inputs: Sequence[TensorSpec], prediction: TensorSpec) -> "pa.Schema":
    import pyarrow as pa

    told = pa.list_(pa.float64()) if _is_many(prediction) else pa.float64()
    answer = zip(ANSWER, (pa.string(), pa.timestamp("us", "UTC"), pa.string(), told), strict=True)
    return pa.schema([*answer, *((spec.name, _type(spec)) for spec in inputs)])


def _type(spec: TensorSpec) -> "pa.DataType":
    import pyarrow as pa

    kinds = {"BYTES": pa.string(), "BOOL": pa.bool_(), "UINT64": pa.uint64()}
    if spec.binary:
        return pa.binary()
    kind = kinds.get(spec.datatype, pa.float64() if spec.datatype.startswith("FP") else pa.int64())
    return pa.list_(kind) if _is_many(spec) else kind


def _name(request: Any) -> str | None:
    """The id, without what JSON can hold and Parquet cannot: half a surrogate pair, which is no character."""
    name = None if request is None else str(request).encode(errors="replace").decode()
    return name if name is None or len(name) <= ID_LENGTH else None


def _kept(spec: TensorSpec, values: Sequence[Any]) -> Any:
    """One row as it is written; JSON may write a float as an integer, which Arrow refuses beyond 2^53."""
    if spec.is_list:
        values = np.asarray(values[0], object).ravel().tolist()
    row = [None if value is None else float(value) for value in values] if spec.datatype.startswith("FP") else values
    return row if _is_many(spec) else row[0]


def _memory(values: Sequence[Any]) -> int:
    """Bytes."""
    return sys.getsizeof(values) + sum(map(sys.getsizeof, values))


def _is_many(spec: TensorSpec) -> bool:
    """Whether a row has more than one value; those of a list's further sizes are kept one after the other."""
    return spec.is_list or math.prod(spec.shape[1:]) > 1
