from kfp import dsl
from seaway.kfp import component


@component
def await_approval(
    approval: dsl.Output[dsl.Artifact],
    report: dsl.Input[dsl.HTML] = None,
    evaluation: dsl.Input[dsl.Artifact] = None,
    question: str = "May the run go on?",
    gate: str = "release",
    timeout_h: float = 24.0,
    backend: str = "auto",
) -> str:
    """Ask people for leave in the middle of a run, and wait; closed unless somebody who may approves in time.

    `seaway approve` lists what runs ask, and decides it. On a cluster manifests/approvals sees that only those who have
    the verb `approve` on `approvals.seaway.dev` decide, under their own name; without it the step does not wait. Those
    who are told of runs (`notify`) are told of the question too. Give the step `set_caching_options(False)` and little:
    it asks once in a few seconds.

    Args:
        approval: `approval.json`: what was asked, who decided, when and why.
        report: Page to look at first.
        evaluation: Figures to look at first.
        question: What is to be decided.
        gate: Which of the run's questions this is: lower-case letters, digits and hyphens.
        timeout_h: Hours until it is closed.
        backend: Where it is asked; `auto` takes this place's.

    Returns:
        Who approved, when and why, as `roll_out` takes its `approver`.

    Raises:
        NotApproved: it was refused, nobody decided in time, or anybody could have decided.
        InvalidSpec: `gate` is no such name, or this process belongs to no run.
    """
    from pathlib import Path

    from seaway import platforms
    from seaway.approvals import Approvals, await_decision
    from seaway.platforms import notices, runs
    from seaway.storage import write_json

    asked = runs.question(gate, question, [given for given in (report, evaluation) if given])
    notices.ask(asked, notices.addressees())
    decision = await_decision(platforms.current(Approvals, backend), asked, 3600 * timeout_h)
    write_json(Path(approval.path) / "approval.json", {"question": asked.to_json(), "decision": decision.to_json()})
    approval.metadata["summary"], approval.metadata["live"] = f"approved by {decision.told}", True
    return decision.told
