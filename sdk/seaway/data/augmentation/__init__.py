"""Training examples changed a little, each beside its original, and the check that no sibling is held out."""

from seaway.data.augmentation.make import Changes, augment
from seaway.data.augmentation.siblings import AUGMENTED, ORIGINAL, refuse_augmented, refuse_siblings

__all__ = ["AUGMENTED", "ORIGINAL", "Changes", "augment", "refuse_augmented", "refuse_siblings"]
