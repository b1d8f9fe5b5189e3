"""Scikit-learn's digits as encoded pictures, and what they must be like."""

import io

import numpy as np
import pandas as pd
import pyarrow as pa
from pandera.pandas import Check, Column, DataFrameSchema
from PIL import Image
from seaway.data import RuleSet, TableRules

BRIGHTEST = 16  # of the digits' grey levels

TEXT = pd.StringDtype()
rows = DataFrameSchema(
    {"picture": Column(), "digit": Column(TEXT, Check.isin(list("0123456789"))), "name": Column(TEXT)}
)
RULES = RuleSet({"rows": TableRules(rows, key=["name"])})


def read_tables() -> dict[str, pa.Table]:
    """The table `rows`: picture, digit, name."""
    from sklearn.datasets import load_digits

    found = load_digits()
    pictures = [_png(levels) for levels in found.images]
    names = [f"digit-{number:04}" for number in range(len(pictures))]
    return {"rows": pa.table({"picture": pictures, "digit": found.target.astype(str), "name": names})}


def _png(levels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray((levels * (255 / BRIGHTEST)).astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()
