"""A user's pipeline of one step, which compares samples by a package that only an extra brings."""

from kfp import dsl
from seaway.kfp import component


@component
def compare():
    """Look how far two samples are apart."""
    import pandas as pd
    from seaway.monitoring.evidently import Comparison

    rows = pd.DataFrame({"distance": [1.0, 2.0]})
    Comparison(rows, rows, ["distance"], []).distances()


@dsl.pipeline(name="drifting")
def drifting():
    """Compare two samples."""
    compare()
