"""The price list of this installation: the YAML file that `SEAWAY_PRICES` names."""

from seaway.platforms.settings import cluster_settings, parsed
from seaway.reporting.usage import Prices

VARIABLE = "SEAWAY_PRICES"


def prices() -> Prices | None:
    """What an hour costs here; None where nobody has said. Raises: InvalidSpec: the file cannot be used."""
    settings = cluster_settings(VARIABLE)
    return parsed(Prices, settings, "prices.") if settings else None
