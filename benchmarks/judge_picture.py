"""Draw docs/images/judge.svg: how evidence grows in one rollout of an equal candidate and one of a faulty one."""

import math
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from seaway.rollout import ArmObservation, Bounds, Observation, Policy
from seaway.rollout.judge import decision
from seaway.rollout.judge.criteria import ErrorComparison

POLICY = Policy()
BOUNDS = Bounds(tolerance=0.0, margin=0.02)
LOOKS, SIZE, STABLE, SEED = 60, 40, 0.02, 4
HARM, SAFETY = "#b3261e", "#1b6e53"


def draw(axes: Axes, rate: float, random: np.random.Generator) -> None:
    counts = random.binomial(SIZE, [STABLE, rate], size=(LOOKS, 2))
    observations = [
        Observation(0.0, ArmObservation(SIZE, int(one)), ArmObservation(SIZE, int(two))) for one, two in counts
    ]
    seen = [ErrorComparison.of(observations[:count]) for count in range(1, LOOKS + 1)]
    requests = SIZE * np.arange(1, LOOKS + 1)
    enough = 1 / POLICY.significance("errors"), 1 / POLICY.false_promotion
    lines = (
        ("worse than tolerated", HARM, enough[0], [decision.harm(one, BOUNDS.tolerance) for one in seen]),
        ("within the margin", SAFETY, enough[1], [decision.safety(one, BOUNDS.margin) for one in seen]),
    )
    for name, colour, threshold, logs in lines:
        axes.plot(requests, np.exp(np.clip(logs, math.log(0.01), math.log(1e4))), color=colour, label=name)
        axes.axhline(threshold, color=colour, linestyle=":", linewidth=1)
    axes.set(title=f"Stable fails {STABLE:.0%}, candidate {rate:.0%}", xlabel="requests an arm", yscale="log")
    axes.set_ylim(0.01, 1e4)
    axes.spines[["top", "right"]].set_visible(False)


def main() -> None:
    random = np.random.default_rng(SEED)
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True, layout="constrained")
    for axes, rate in zip(panels, (0.02, 0.05), strict=True):
        draw(axes, rate, random)
    panels[0].set_ylabel("evidence (e-value)")
    panels[0].legend(frameon=False, loc="upper left")
    panels[1].annotate("rolled back above the red line", (0, 33), xytext=(1200, 5), color=HARM, fontsize=9)
    panels[0].annotate("promoted above the green line", (0, 20), xytext=(1200, 5), color=SAFETY, fontsize=9)
    figure.savefig(Path(__file__).parents[1] / "docs" / "images" / "judge.svg")


if __name__ == "__main__":
    main()
