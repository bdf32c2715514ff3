"""Members of projects and groups with their access levels; `/all` has those that come from the groups above."""

from collections.abc import Callable

from . import access, groups
from .call import GUEST, MAINTAINER, OWNER, Call, Record, Refusal, Route

LEVELS = (5, 10, 15, 20, 30, 40, 50)


def of_project(call: Call) -> list[Record]:
    """The project's own members."""
    return [_shown(call, member) for member in _filtered(call, call.store.records(call.collection("members")))]


def of_project_in_all(call: Call) -> list[Record]:
    """Everybody with a role in the project, each once with their highest level."""
    path = str(call.project()["path_with_namespace"]).rpartition("/")[0]
    found = [*_of_groups(call, path), *call.store.records(call.collection("members"))]
    return [_shown(call, member) for member in _filtered(call, _highest(found))]


def of_group(call: Call) -> list[Record]:
    """The group's own members."""
    group = _told(call)
    members = [m for m in call.store.records("group_members") if m["group_id"] == group["id"]]
    return [_shown(call, member) for member in _filtered(call, members)]


def of_group_in_all(call: Call) -> list[Record]:
    """Everybody with a role in the group, those of the groups above included."""
    found = _highest(_of_groups(call, _told(call)["full_path"]))
    return [_shown(call, member) for member in _filtered(call, found)]


def one(find: Callable[[Call], list[Record]]) -> Callable[[Call], Record]:
    """The member of `find` with the user's number."""

    def get(call: Call) -> Record:
        for member in find(call):
            if str(member["id"]) == call.path["user"]:
                return member
        raise Refusal(404, "404 Not found")

    return get


def add_to_project(call: Call) -> Record:
    """A new member; nobody gives more than they have."""
    return _add(call, call.collection("members"), {}, call.level(call.project()))


def add_to_group(call: Call) -> Record:
    """A new member of a group; only its owners add one."""
    group = groups.one(call)
    return _add(call, "group_members", {"group_id": group["id"]}, _need_owner(call, group))


def change_in_project(call: Call) -> Record:
    """The member with another level."""
    return _change(call, call.collection("members"), {}, call.level(call.project()))


def change_in_group(call: Call) -> Record:
    """The member of the group with another level."""
    group = groups.one(call)
    return _change(call, "group_members", {"group_id": group["id"]}, _need_owner(call, group))


def remove_from_project(call: Call) -> None:
    """The user is a member no more."""
    call.store.remove(call.collection("members"), "id", _member(call, call.collection("members"), {}))


def remove_from_group(call: Call) -> None:
    """The user is a member of the group no more."""
    group = groups.one(call)
    _need_owner(call, group)
    call.store.remove("group_members", "id", _member(call, "group_members", {"group_id": group["id"]}))


def _add(call: Call, collection: str, group: Record, own: int) -> Record:
    user_id, level = call.number("user_id"), _level(call, own)
    if not call.store.find("users", lambda user: bool(user["id"] == user_id)):
        raise Refusal(404, "404 User Not Found")
    with call.store.lock:
        if call.store.find(collection, lambda m: m["user_id"] == user_id and group.items() <= m.items()):
            raise Refusal(409, "Member already exists")
        return _shown(call, call.store.add(collection, "id", {**group, "user_id": user_id, "access_level": level}))


def _change(call: Call, collection: str, group: Record, own: int) -> Record:
    member = _member(call, collection, group) | {"access_level": _level(call, own)}
    return _shown(call, call.store.replace(collection, "id", member))


def _member(call: Call, collection: str, group: Record) -> Record:
    found = call.store.find(collection, lambda m: str(m["user_id"]) == call.path["user"] and group.items() <= m.items())
    if found is None:
        raise Refusal(404, "404 Not found")
    return found


def _level(call: Call, own: int) -> int:
    level = call.number("access_level")
    if level not in LEVELS:
        raise Refusal(400, "access_level does not have a valid value")
    if level > own:
        raise Refusal(403, "403 Forbidden")
    return level


def _need_owner(call: Call, group: Record) -> int:
    own = access.group_level(call.store, call.user(), group["full_path"])
    if own < OWNER:
        raise Refusal(403, "403 Forbidden")
    return own


def _told(call: Call) -> Record:
    """The group; a member of a project in it sees the group, and not who else is in it."""
    group = groups.one(call)
    if not access.group_level(call.store, call.user(), group["full_path"]):
        raise Refusal(403, "403 Forbidden")
    return group


def _of_groups(call: Call, path: str) -> list[Record]:
    above = {g["id"] for g in call.store.records("groups") if f"{path}/".startswith(f"{g['full_path']}/")}
    return [member for member in call.store.records("group_members") if member["group_id"] in above]


def _highest(members: list[Record]) -> list[Record]:
    best: dict[int, Record] = {}
    for member in members:
        if member["access_level"] > best.get(member["user_id"], {"access_level": 0})["access_level"]:
            best[member["user_id"]] = member
    return [best[user_id] for user_id in sorted(best)]


def _filtered(call: Call, members: list[Record]) -> list[Record]:
    query = str(call.parameters.get("query") or "").lower()
    return [m for m in members if query in call.person(m["user_id"])["username"].lower()]


def _shown(call: Call, member: Record) -> Record:
    return call.person(member["user_id"]) | {"access_level": member["access_level"], "expires_at": None}


ROUTES = (
    Route("GET", "/projects/{project}/members", of_project, GUEST),
    Route("GET", "/projects/{project}/members/all", of_project_in_all, GUEST),
    Route("GET", "/projects/{project}/members/all/{user}", one(of_project_in_all), GUEST),
    Route("GET", "/projects/{project}/members/{user}", one(of_project), GUEST),
    Route("POST", "/projects/{project}/members", add_to_project, MAINTAINER, 201),
    Route("PUT", "/projects/{project}/members/{user}", change_in_project, MAINTAINER),
    Route("DELETE", "/projects/{project}/members/{user}", remove_from_project, MAINTAINER, 204),
    Route("GET", "/groups/{group}/members", of_group),
    Route("GET", "/groups/{group}/members/all", of_group_in_all),
    Route("GET", "/groups/{group}/members/all/{user}", one(of_group_in_all)),
    Route("GET", "/groups/{group}/members/{user}", one(of_group)),
    Route("POST", "/groups/{group}/members", add_to_group, status=201),
    Route("PUT", "/groups/{group}/members/{user}", change_in_group),
    Route("DELETE", "/groups/{group}/members/{user}", remove_from_group, status=204),
)
