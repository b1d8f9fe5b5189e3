"""`python -m seaway.models.importing FOLDER BYTES < order.json`: adopt a model, measure what it answers, prove it."""

import json
import resource
import sys
from pathlib import Path
from typing import Any

from seaway import errors
from seaway.models.importing.apart import OUTCOME
from seaway.models.importing.measured import adopted_signature
from seaway.models.proof import prove


def main() -> None:
    """Leave the model's files and `signature.json` in the folder, and what went wrong in a file of its own."""
    folder, memory = Path(sys.argv[1]), int(sys.argv[2])
    order = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    outcome: dict[str, Any] = {}
    try:
        adopted_signature(order, folder).write(folder)
        prove(folder)
    except errors.SeawayError as error:
        outcome = {"error": type(error).__name__, "message": str(error)}
    except MemoryError:
        outcome = {"error": "PackageRefused", "message": _too_large(order)}
    except Exception as error:  # noqa: BLE001  # a model is anybody's and may raise anything
        told = " ".join(str(error).split())[:300]
        outcome = {
            "error": "PackageRefused",
            "message": f"{order['source']} cannot be tried on its sample ({type(error).__name__}: {told}); say its "
            "inputs by --signature and give a --sample of real rows, or export it anew.",
        }
    (folder / OUTCOME).write_text(json.dumps(outcome), encoding="utf-8")


def _too_large(order: dict[str, Any]) -> str:
    return (
        f"{order['source']} asks for more memory than it may take on its own sample; it is refused. A smaller sample, "
        "or a machine with more memory, may do."
    )


if __name__ == "__main__":
    main()
