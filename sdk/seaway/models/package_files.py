"""The files of a model package by name."""

from functools import cache

from seaway.models import flavours
from seaway.models.flavours import Flavour
from seaway.models.lineage import LINEAGE_FILE
from seaway.models.signature import SIGNATURE_FILE
from seaway.models.signing import SIGNATURE_BUNDLE

COMMON_FILES = (SIGNATURE_FILE, LINEAGE_FILE, SIGNATURE_BUNDLE)


def required_files(flavour: Flavour) -> frozenset[str]:
    """What a package of the flavour must hold."""
    return frozenset((*flavour.files, *COMMON_FILES))


@cache
def allowed_files() -> frozenset[str]:
    """What a package of any flavour may hold."""
    return frozenset(COMMON_FILES).union(*((*flavour.files, *flavour.optional) for flavour in flavours.every()))
