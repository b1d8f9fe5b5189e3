"""Write docs/reference/alerts.md, each alarm and what to do: `python -m tools.alerts_reference [FOLDER]`."""

from seaway.monitoring.alert_rules import Alert, Objectives, duration, groups

from tools import files

PAGE = "docs/reference/alerts.md"


def page() -> str:
    """The alarms of the objectives that Seaway ships."""
    lines = [
        "# Alerts",
        "",
        "Written by `make generate` from `seaway.monitoring.alert_rules`; each alarm has a unit test by promtool. "
        "`page` wakes a person, `ticket` waits for the day.",
    ]
    for group in groups(Objectives()):
        for alert in (rule for rule in group.rules if isinstance(rule, Alert)):
            wait = f", for {duration(alert.for_s)}" if alert.for_s else ""
            lines += ["", f"## {alert.name}", f"{alert.severity}{wait}. {alert.meaning} {alert.action}", ""]
            lines += ["```promql", alert.expression, "```"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    files.run({PAGE: page()})
