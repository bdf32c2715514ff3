"""Groups: where projects are, and whose members are members of all of them."""

from . import access
from .call import MAINTAINER, OWNER, Call, Record, Refusal, Route
from .store import Store


def ensure(store: Store, path: str) -> Record:
    """The group at `path`, made with its parents when it is not there yet."""
    with store.lock:
        found = store.find("groups", lambda group: bool(group["full_path"] == path))
        if found is not None:
            return found
        above, _, name = path.rpartition("/")
        parent = ensure(store, above)["id"] if above else None
        return store.add("groups", "id", {"name": name, "path": name, "full_path": path, "parent_id": parent})


def create(call: Call) -> Record:
    """A new group, below `parent_id` when that is given; who makes it owns it."""
    parent = call.parameters.get("parent_id")
    above = call.store.find("groups", lambda group: str(group["id"]) == str(parent)) if parent else None
    if parent and (above is None or access.group_level(call.store, call.user(), above["full_path"]) < MAINTAINER):
        raise Refusal(403, "403 Forbidden")
    path = call.required("path") if above is None else f"{above['full_path']}/{call.required('path')}"
    with call.store.lock:
        if call.store.find("groups", lambda group: bool(group["full_path"] == path)):
            raise Refusal(400, 'Failed to save group {:path=>["has already been taken"]}')
        group = call.store.replace("groups", "id", ensure(call.store, path) | {"name": call.required("name")})
    if not call.user().get("is_admin"):
        member = {"group_id": group["id"], "user_id": call.user()["id"], "access_level": OWNER}
        call.store.add("group_members", "id", member)
    return shown(call, group)


def search(call: Call) -> list[Record]:
    """The groups that the caller may see."""
    return [shown(call, group) for group in call.store.records("groups") if _is_seen(call, group)]


def get(call: Call) -> Record:
    """One group."""
    return shown(call, one(call))


def one(call: Call) -> Record:
    """The group that the path names by number or full path."""
    wanted = call.path["group"]
    found = call.store.find("groups", lambda group: wanted in (str(group["id"]), group["full_path"]))
    if found is None or not _is_seen(call, found):
        raise Refusal(404, "404 Group Not Found")
    return found


def shown(call: Call, group: Record) -> Record:
    """The group as the API tells it."""
    names = {"full_name": str(group["full_path"]).replace("/", " / "), "visibility": "private"}
    return group | names | {"web_url": f"{call.url}/groups/{group['full_path']}"}


def _is_seen(call: Call, group: Record) -> bool:
    """Members of the group, and of one of its projects, see it."""
    if access.group_level(call.store, call.user(), group["full_path"]):
        return True
    inside = (
        p for p in call.store.records("projects") if p["path_with_namespace"].startswith(f"{group['full_path']}/")
    )
    return any(call.level(project) or call.may_see(project) for project in inside)


ROUTES = (
    Route("GET", "/groups", search, keyset=True),
    Route("POST", "/groups", create, status=201),
    Route("GET", "/groups/{group}", get),
)
