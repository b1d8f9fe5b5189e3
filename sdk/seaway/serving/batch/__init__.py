"""Predictions of many rows: Parquet in, Parquet out, by the package and the codecs that answer requests."""

from seaway.serving.batch.port import BatchPredictor
from seaway.serving.batch.predict import predict
from seaway.serving.batch.spec import BatchResult, BatchSpec

__all__ = ["BatchPredictor", "BatchResult", "BatchSpec", "predict"]
