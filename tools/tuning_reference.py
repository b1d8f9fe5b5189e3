"""The table of algorithms in docs/reference/tuning.md: `python -m tools.tuning_reference PAGE` writes it anew."""

import sys
from pathlib import Path

from seaway.tuning.algorithm import FEATURES, JOBS, KATIB, METHODS, OPTUNA

from tools.page_part import rewrite, with_part


def table() -> str:
    """Which backend carries out what, as Markdown."""
    algorithms = [
        f"| `{name}` | {method.title} | {_backend(method.backends.get(OPTUNA))} | "
        f"{_mark({*JOBS} <= method.backends.keys())} | "
        f"{_backend(method.backends.get(KATIB))} | {_settings(method.settings)} | {method.source or '–'} |"  # noqa: RUF001
        for name, method in METHODS.items()
    ]
    features = [
        f"| {name} | {' | '.join(_mark(backend in able) for backend in (OPTUNA, *JOBS, KATIB))} |"
        for name, able in FEATURES.items()
    ]
    return "\n".join(
        [
            "| algorithm | what it does | here: Optuna's | Slurm, Ray | on a cluster: Katib's | settings | source |",
            "|---|---|---|---|---|---|---|",
            *algorithms,
            "",
            "| a study may also ask for | `optuna` | `slurm` | `ray` | `katib` |",
            "|---|---|---|---|---|",
            *features,
            "",
        ]
    )


def _backend(name: str | None) -> str:
    return "no" if name is None else name if " " in name else f"`{name}`"


def _settings(settings: object) -> str:
    pairs = [f"`{name}` {value}" for name, value in dict(settings).items()]  # type: ignore[call-overload]
    return ", ".join(pairs) or "none"


def _mark(able: bool) -> str:
    return "yes" if able else "no"


def written(text: str) -> str:
    """The page with the table of today."""
    return with_part(text, "table", table())


if __name__ == "__main__":
    rewrite(Path(sys.argv[1]), written)
