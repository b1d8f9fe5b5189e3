"""Scikit-learn's 1,797 digits as a table of 64 grey levels, for labels by people:

pip install 'seaway[local,examples]'
seaway pipelines show labeling
"""

import numpy as np
import pyarrow as pa

LABEL, KEY = "digit", "id"
LEVELS = [f"level_{place:02}" for place in range(64)]
KNOWN = 500  # of the digits, of which the labels are known


def labelled(rows: int = KNOWN) -> dict[str, pa.Table]:
    """The table `rows`: the first digits, with what each is."""
    table = _digits().slice(0, rows)
    return {"rows": table}


def unlabelled(rows: int = 0) -> dict[str, pa.Table]:
    """The table `rows`: digits that follow, at most so many, without what they are; 0 for all."""
    table = _digits().slice(KNOWN).drop_columns([LABEL])
    return {"rows": table.slice(0, rows or table.num_rows)}


def truth() -> dict[str, str]:
    """What each digit is, by its key as text: for annotators that are simulated."""
    table = _digits()
    return dict(zip(map(str, table[KEY].to_pylist()), table[LABEL].to_pylist(), strict=True))


def _digits() -> pa.Table:
    from sklearn.datasets import load_digits

    found = load_digits()
    columns = {name: found.data[:, place].astype(np.float32) for place, name in enumerate(LEVELS)}
    return pa.table({KEY: np.arange(len(found.target)), **columns, LABEL: [str(digit) for digit in found.target]})
