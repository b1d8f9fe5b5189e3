"""What had happened to an entity before a row: counted over its earlier rows, strictly before in time."""

from seaway.projects.plan import ProjectPlan

TIME, LABEL = "{name(TIME)}", "{name(LABEL)}"  # as the template of features.py names the columns
POSITIVE = "{text(POSITIVE)}"
DAY_S = 86_400


def history(plan: ProjectPlan) -> dict[str, str]:
    """Features by name, each as SQL over the window `earlier`; none where an entity has one row, or a repository."""
    if not (plan.looked_up and plan.histories):
        return {}
    found = {
        "earlier_rows": "count(*) OVER earlier",
        "days_since_last": f"(epoch({TIME}) - epoch(max({TIME}) OVER earlier)) / {DAY_S}",
    }
    if label := _as_number(plan):
        found["earlier_label"] = f"avg({label}) OVER earlier"
    return {name: sql for name, sql in found.items() if name not in plan.columns}


def _as_number(plan: ProjectPlan) -> str:
    """SQL of the label as a number, of two names 1 for the positive one; empty where it is none."""
    if plan.kinds[plan.label] != "class":
        return LABEL
    return f"({LABEL} = {POSITIVE})::INT" if plan.task == "binary" else ""
