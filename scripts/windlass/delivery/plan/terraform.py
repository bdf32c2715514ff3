"""How much a plan makes, changes and takes away: the three numbers that GitLab shows in a merge request by itself."""

from windlass.delivery.plan.changes import Changes


def terraform_report(changes: Changes) -> dict[str, int]:
    """Pipelines, models and settings by what happens to them, as `artifacts:reports:terraform` wants to be told."""
    made = [change.kind for change in changes.pipelines] + [change.kind for change in changes.settings]
    for model in changes.models:
        made.append("added" if model.before is None else "removed" if model.after is None else "changed")
    create, delete = made.count("added"), made.count("removed")
    return {"create": create, "update": len(made) - create - delete, "delete": delete}
