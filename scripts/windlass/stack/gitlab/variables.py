"""CI/CD variables of a project or a group by environment scope; only maintainers see a project's, owners a group's."""

import re

from . import access, groups
from .call import MAINTAINER, OWNER, Call, Record, Refusal, Route

COLLECTION = "variables"
KEY = re.compile(r"[A-Za-z0-9_]{1,255}")
FLAGS = ("protected", "masked", "raw")


def search(call: Call) -> list[Record]:
    """All variables; the value of a hidden one is not told."""
    return [_shown(variable) for variable in call.store.records(_collection(call))]


def get(call: Call) -> Record:
    """One variable; `filter[environment_scope]` tells apart those of the same name."""
    return _shown(_one(call))


def create(call: Call) -> Record:
    """A new variable."""
    key, scope = call.required("key"), str(call.parameters.get("environment_scope") or "*")
    if not KEY.fullmatch(key):
        raise Refusal(400, {"key": ["can contain only letters, digits and '_'."]})
    record = {"key": key, "environment_scope": scope, "description": call.parameters.get("description")}
    record |= {"variable_type": call.among("variable_type", ("env_var", "file"), "env_var")}
    record |= {"value": call.required("value")} | {flag: call.flag(flag) for flag in FLAGS} | {"hidden": False}
    if call.flag("masked_and_hidden"):
        record |= {"masked": True, "hidden": True}
    _need_maskable(record)
    with call.store.lock:
        if any(_same(v, key, scope) for v in call.store.records(_collection(call))):
            raise Refusal(400, {"key": [f"({key}) has already been taken"]})
        return _shown(call.store.add(_collection(call), "id", record))


def change(call: Call) -> Record:
    """The variable with another value, scope or flags."""
    record = _one(call) | call.given("value", "environment_scope", "description", "variable_type")
    record |= {flag: call.flag(flag) for flag in FLAGS if flag in call.parameters}
    _need_maskable(record)
    return _shown(call.store.replace(_collection(call), "id", record))


def delete(call: Call) -> None:
    """The variable is gone."""
    call.store.remove(_collection(call), "id", _one(call))


def _collection(call: Call) -> str:
    """Where the variables are; a group's are for its owners."""
    if "project" in call.path:
        return call.collection(COLLECTION)
    group = groups.one(call)
    if access.group_level(call.store, call.user(), group["full_path"]) < OWNER:
        raise Refusal(403, "403 Forbidden")
    return f"{group['id']}/group_variables"


def _one(call: Call) -> Record:
    wanted = call.parameters.get("filter")
    scope = wanted.get("environment_scope") if isinstance(wanted, dict) else None
    scope = scope or call.parameters.get("filter[environment_scope]")
    all_of_them = call.store.records(_collection(call))
    found = [v for v in all_of_them if v["key"] == call.path["key"] and scope in (None, v["environment_scope"])]
    if not found:
        raise Refusal(404, "404 Variable Not Found")
    if len(found) > 1:
        words = "There are multiple variables with provided parameters. Please use 'filter[environment_scope]'"
        raise Refusal(409, words)
    return found[0]


def _same(variable: Record, key: str, scope: str) -> bool:
    return (variable["key"], variable["environment_scope"]) == (key, scope)


def _need_maskable(record: Record) -> None:
    if record["masked"] and not re.fullmatch(r"\S{8,}", record["value"]):
        raise Refusal(400, {"value": ["is invalid"]})


def _shown(variable: Record) -> Record:
    shown = {name: value for name, value in variable.items() if name != "id"}
    return shown | ({"value": None} if variable["hidden"] else {})


ROUTES = (
    Route("GET", "/projects/{project}/variables", search, MAINTAINER),
    Route("POST", "/projects/{project}/variables", create, MAINTAINER, 201),
    Route("GET", "/projects/{project}/variables/{key}", get, MAINTAINER),
    Route("PUT", "/projects/{project}/variables/{key}", change, MAINTAINER),
    Route("DELETE", "/projects/{project}/variables/{key}", delete, MAINTAINER, 204),
    Route("GET", "/groups/{group}/variables", search),
    Route("POST", "/groups/{group}/variables", create, status=201),
    Route("GET", "/groups/{group}/variables/{key}", get),
    Route("PUT", "/groups/{group}/variables/{key}", change),
    Route("DELETE", "/groups/{group}/variables/{key}", delete, status=204),
)
