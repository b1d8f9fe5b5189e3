"""Scikit-learn's digits as pictures in a table: each as the bytes of a PNG file, and which digit it is."""

import io

import numpy as np
import pyarrow as pa
from PIL import Image
from seaway.data import versioned
from seaway_examples.digits.folder import BRIGHTEST


def version() -> str:
    """The release of scikit-learn, which brings them."""
    import sklearn

    return sklearn.__version__


@versioned(version)
def digits() -> dict[str, pa.Table]:
    """The table `digits`: `picture`, `digit`."""
    from sklearn.datasets import load_digits

    found = load_digits()
    return {"digits": pa.table({"picture": [_png(levels) for levels in found.images], "digit": found.target})}


def _png(levels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray((levels * (255 / BRIGHTEST)).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()
