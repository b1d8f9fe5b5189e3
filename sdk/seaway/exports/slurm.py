"""A shell script that submits the pipeline to Slurm: one job a step, each after those that it needs."""

import shlex

from seaway.exports.port import Source
from seaway.exports.units import Unit

HEAD = """\
#!/bin/sh
# {name}: made by `seaway export slurm`. Variables: RUN, SEAWAY, SEAWAY_HOME (a folder that all nodes see),
# SEAWAY_PARAMETERS (JSON), SBATCH_PARTITION and others of sbatch. It prints the number of the last job.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
export RUN="${{RUN:-$(date +%Y%m%d-%H%M%S)}}" SEAWAY="${{SEAWAY:-seaway}}"
export SEAWAY_HOME="${{SEAWAY_HOME:-$here/.seaway}}"
logs="$SEAWAY_HOME/runs/$RUN/slurm"
mkdir -p "$logs"

step() {{ # NAME PLACE KIND JOB...: a job that starts once those before it have ended so
  name=$1 place=$2 kind=$3
  shift 3
  after=""
  for job in "$@"; do after="$after:$job"; done
  sbatch --parsable --job-name="$RUN-$name" --output="$logs/$name-%j.log" --requeue --kill-on-invalid-dep=yes \\
    ${{after:+--dependency=$kind$after}} <<END | cut -d ';' -f 1
#!/bin/sh
exec "$SEAWAY" step "$here"/{compiled} $place --run "$RUN"
END
}}

"""


class SlurmJobs:
    """The submitting script of a pipeline; its last job ends when all have, and fails if one did."""

    file = "{name}.slurm.sh"
    apart = True
    losses = ("schedules, for which there is scrontab",)
    advice = "Submit it: RUN=monday sh {file}; squeue shows its jobs, and the last one ends as the run does."

    def write(self, source: Source) -> str:
        """See `Exporter.write`."""
        lines = [_job(unit) for unit in source.units]
        every = " ".join(f'"${_variable(unit.name)}"' for unit in source.units)
        end = [
            f'for job in {every}; do all="${{all:-}}:$job"; done',
            'sbatch --parsable --job-name="$RUN-end" --output="$logs/end-%j.log" --kill-on-invalid-dep=yes \\',
            '  --dependency="afterok$all" --wrap=true | cut -d ";" -f 1',
        ]
        return (
            HEAD.format(name=source.name, compiled=shlex.quote(source.compiled.name)) + "\n".join([*lines, *end]) + "\n"
        )


def _job(unit: Unit) -> str:
    before = "".join(f' "${_variable(name)}"' for name in unit.after)
    kind = "afterany" if unit.always else "afterok"
    return f"{_variable(unit.name)}=$(step {unit.name} {shlex.quote(unit.place)} {kind}{before})"


def _variable(name: str) -> str:
    return f"job_{name.replace('-', '_')}"
