"""The files of a model package by name."""

from functools import cache

from seaway.models import flavours
from seaway.models.flavours import Flavour
from seaway.models.lineage import LINEAGE_FILE
from seaway.models.preprocessing.text import TOKENIZER_FILE
from seaway.models.signature import SIGNATURE_FILE
from seaway.models.signing import SIGNATURE_BUNDLE

COMMON_FILES = (SIGNATURE_FILE, LINEAGE_FILE, SIGNATURE_BUNDLE)
STAGE_FILES = (TOKENIZER_FILE,)  # what our preprocessing stages read


def required_files(flavour: Flavour) -> frozenset[str]:
    """What a package of the flavour must hold."""
    return frozenset((*flavour.files, *COMMON_FILES))


@cache
def allowed_files() -> frozenset[str]:
    """What a package of any flavour may hold."""
    of_flavours = ((*flavour.files, *flavour.optional) for flavour in flavours.every())
    return frozenset((*COMMON_FILES, *STAGE_FILES)).union(*of_flavours)
