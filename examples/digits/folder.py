"""Scikit-learn's 1,797 digits as PNG files, a folder a class. From nothing to a model in production:

pip install 'seaway[examples,vision]'
python -m seaway_examples.digits.folder pictures
seaway init digits --images pictures
cd digits && seaway run .
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

TASK = "multiclass"
BRIGHTEST = 16  # of the digits' grey levels


def write(folder: Path) -> None:
    """A file a digit, such as `7/digit-0015.png`."""
    from sklearn.datasets import load_digits

    found = load_digits()
    for number, (levels, digit) in enumerate(zip(found.images, found.target, strict=True)):
        file = folder / str(digit) / f"digit-{number:04}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((levels * (255 / BRIGHTEST)).astype(np.uint8)).save(file)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
