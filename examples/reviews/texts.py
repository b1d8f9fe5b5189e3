"""Reviews, made up, as JSON lines. From nothing to a model in production:

pip install 'seaway[text]'
python -m seaway_examples.reviews.texts reviews.jsonl
seaway init reviews --from reviews.jsonl --text review --label mood
cd reviews && seaway run .
"""

import json
import sys
from pathlib import Path
from random import Random

LABEL, TEXT, TASK = "mood", "review", "multiclass"
ROWS = 2_000
THINGS = ("The coffee", "This lamp", "My new phone", "Their soup", "The tent", "That chair", "Our room", "The film")
WORDS = {"good": ("lovely", "solid", "quick", "great", "warm"), "bad": ("dull", "broken", "slow", "awful", "cold")}
LINKS = ("and it is", "although it came late, and is", "so they say, but to me it is", "again and again")
MISHEARD = 0.05  # of the moods, which are another


def write(target: Path) -> None:
    """A review a line: two opinions of a thing, which agree, or are mixed; `not` turns one round."""
    random = Random(0)  # noqa: S311 - no secret
    rows = [_review(random, f"r{number:04}") for number in range(ROWS)]
    target.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


def _review(random: Random, name: str) -> dict[str, str]:
    first, second = random.choice([*WORDS]), random.choice([*WORDS])
    mood = first if first == second else "mixed"
    heard = random.choice([*WORDS, "mixed"]) if random.random() < MISHEARD else mood
    told = (random.choice(THINGS), "is", _said(random, first), random.choice(LINKS), _said(random, second))
    return {"name": name, TEXT: " ".join(told) + ".", LABEL: heard}


def _said(random: Random, opinion: str) -> str:
    opposite = "bad" if opinion == "good" else "good"
    return f"not {random.choice(WORDS[opposite])}" if random.random() < 1 / 3 else random.choice(WORDS[opinion])


if __name__ == "__main__":
    write(Path(sys.argv[1]))
