"""What a model is on disk: its files, how they are loaded safely, how it predicts. One file each."""

from seaway.models.flavours.port import Adopted, Flavour, Options, every, named, of, recognized

__all__ = ["Adopted", "Flavour", "Options", "every", "named", "of", "recognized"]
