"""A pipeline that asks for leave, and tells how it ended."""

from kfp import dsl
from seaway.kfp import component
from seaway_components.reporting import notify
from seaway_components.rollout import await_approval


@component
def release(approver: str) -> str:
    """What must not happen without leave."""
    return f"released by leave of {approver}"


@dsl.pipeline(name="asking")
def asking() -> None:
    told = notify(when="always", owner="Ada").set_caching_options(False)
    with dsl.ExitHandler(told, name="The run"):
        leave = await_approval(question="May it be released?").set_caching_options(False)
        release(approver=leave.outputs["Output"])
