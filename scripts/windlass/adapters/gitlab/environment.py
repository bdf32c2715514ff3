"""Keeps GitLab from stopping an environment because a branch is merged or deleted."""

from windlass.adapters.gitlab.connection import Connection

_WHAT = "an environment"
_WITH_ACTION = "with_action"


def keep_running(connection: Connection, name: str) -> bool:
    """Has GitLab stop the environment only where a job says so; False when nothing had to be changed.

    An environment that GitLab does not have, and a GitLab before 17.8 that has no such setting, are left alone.
    """
    environments = connection.project.environments
    with connection.understood(_WHAT):
        found = connection.ask(_WHAT, lambda: environments.list(name=name, get_all=False, obey_rate_limit=False))
        one = next((one for one in found if one.attributes["name"] == name), None)
        if one is None:
            return False
        setting = one.attributes.get("auto_stop_setting")
        if setting in (None, _WITH_ACTION):
            return False
        changed = {"auto_stop_setting": _WITH_ACTION}
        now = connection.ask(_WHAT, lambda: environments.update(int(one.id), changed, obey_rate_limit=False))
        if now["auto_stop_setting"] != _WITH_ACTION:
            raise connection.not_understood(_WHAT)
    return True
