"""Texts with words left out, swapped, or replaced by others of the same texts; nothing is downloaded."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Vocabulary:
    """The words of some texts and how often each is there."""

    words: Sequence[str]
    shares: Sequence[float]

    @classmethod
    def of(cls, texts: Sequence[str | None]) -> "Vocabulary":
        counts = Counter(word for text in texts if text for word in text.split())
        total = sum(counts.values())
        return cls(tuple(counts), tuple(count / total for count in counts.values()))

    def draw(self, count: int, generator: np.random.Generator) -> list[str]:
        return [self.words[place] for place in generator.choice(len(self.words), size=count, p=self.shares)]


def changed(
    text: str, vocabulary: Vocabulary, drop: float, swap: float, replace: float, generator: np.random.Generator
) -> str:
    """The text changed, each word by chance.

    Swapped with its neighbour and left out as of EDA (Wei and Zou 2019); replaced by a word drawn by its frequency as
    of unigram noising (Xie et al. 2017). One word always stays. A text of which no word is touched is given as it was.

    Args:
        text: Words by spaces.
        vocabulary: That replacements are drawn of.
        drop, swap, replace: Probability of each for a word.
        generator: Of what is drawn.
    """
    words = text.split()
    if not words:
        return text
    other = np.flatnonzero(generator.random(len(words)) < replace)
    for place, word in zip(other, vocabulary.draw(len(other), generator), strict=True):
        words[place] = word
    for place in np.flatnonzero(generator.random(len(words) - 1) < swap):
        words[place], words[place + 1] = words[place + 1], words[place]
    stays = generator.random(len(words)) >= drop
    stays[generator.integers(len(words))] = True
    made = [word for word, kept in zip(words, stays, strict=True) if kept]
    return text if made == text.split() else " ".join(made)
