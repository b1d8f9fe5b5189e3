"""A Makefile: `make` carries the pipeline out, `make -j` side by side, and again only what did not succeed."""

import shlex
from collections.abc import Iterable

from seaway.exports.port import Source
from seaway.exports.units import Unit

HEAD = """\
# {name}: made by `seaway export make`. Variables: RUN, SEAWAY, SEAWAY_HOME, SEAWAY_PARAMETERS (JSON).
THIS := $(abspath $(lastword $(MAKEFILE_LIST)))
SEAWAY ?= seaway
ifndef RUN
RUN := $(shell date +%Y%m%d-%H%M%S)
endif
export RUN
SEAWAY_HOME ?= $(CURDIR)/.seaway
export SEAWAY_HOME
DONE := $(SEAWAY_HOME)/runs/$(RUN)/done
STEP = $(SEAWAY) step "$(dir $(THIS))"{compiled}

.PHONY: all steps exit-steps
all:
\t@$(MAKE) -f "$(THIS)" --no-print-directory --keep-going steps; state=$$?; \\
\t$(MAKE) -f "$(THIS)" --no-print-directory --keep-going exit-steps && exit $$state
"""


class Make:
    """The Makefile of a pipeline; what runs always is made after all else, whatever became of that."""

    file = "Makefile"
    apart = True
    losses = ("schedules, for which there is cron",)
    advice = "Run it: make -f {file} RUN=monday; again with the same RUN, it goes on from what succeeded."

    def write(self, source: Source) -> str:
        """See `Exporter.write`."""
        late = _late(source.units)
        lines = [
            HEAD.format(name=source.name, compiled=_word(source.compiled.name)),
            f"steps: {_targets(unit for unit in source.units if unit.name not in late)}",
            f"exit-steps: {_targets(unit for unit in source.units if unit.name in late)}",
        ]
        return "\n".join([*lines, *(_rule(unit, late) for unit in source.units)]) + "\n"


def _late(units: tuple[Unit, ...]) -> set[str]:
    """What runs always, and what comes after that."""
    late: set[str] = set()
    for unit in units:
        if unit.always or late.intersection(unit.after):
            late.add(unit.name)
    return late


def _rule(unit: Unit, late: set[str]) -> str:
    """What has failed counts as ended for what runs always: only what is late waits for what is."""
    before = [name for name in unit.after if unit.name not in late or name in late]
    needs = " ".join(f"$(DONE)/{name}" for name in before)
    return (
        f"\n$(DONE)/{unit.name}: {needs}\n\t@mkdir -p $(DONE)\n\t$(STEP) {_word(unit.place)} --run $(RUN)\n\t@touch $@"
    )


def _targets(units: Iterable[Unit]) -> str:
    return " ".join(f"$(DONE)/{unit.name}" for unit in units)


def _word(text: str) -> str:
    return shlex.quote(text).replace("$", "$$")
