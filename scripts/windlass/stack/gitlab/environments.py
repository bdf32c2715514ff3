"""Environments: made by a deployment or by hand, stopped by hand, by time, or when branch or merge request end.

One whose last deployment has a job for that is `stopping` until the job has run; who runs the pipelines starts it.
"""

import re
from typing import Any

from .call import DEVELOPER, MAINTAINER, Call, Record, Refusal, Route, now
from .store import Store

COLLECTION = "environments"
SETTINGS = ("always", "with_action")
STATES = ("available", "stopping", "stopped")
TIERS = ("production", "staging", "testing", "development", "other")
WITHIN = ("project_id", "on_stop", "merge_request_iid", "pipeline")
"""What the API does not tell of an environment."""


def ensure(store: Store, project: Record, name: str, is_deployed: bool = False) -> Record:
    """The environment of this name, made when it is not there yet, and available again when it is deployed to."""
    collection = f"{project['id']}/{COLLECTION}"
    with store.lock:
        found = store.find(collection, lambda e: bool(e["name"] == name))
        if found is None:
            return store.add(collection, "id", _new(name))
        if is_deployed and (found["state"] != "available" or found.get("on_stop")):
            changed = {"state": "available", "on_stop": None, "updated_at": now()}
            return store.replace(collection, "id", found | changed)
        return found


def halt(store: Store, project: Record, environment: Record, by_itself: bool = True) -> Record:
    """The environment on its way out. Nothing happens to one that stops by a job alone and has none."""
    has_job = bool(environment.get("on_stop"))
    if environment["state"] != "available":
        return environment
    if by_itself and environment["auto_stop_setting"] == "with_action" and not has_job:
        return environment
    changed = {"state": "stopping" if has_job else "stopped", "auto_stop_at": None, "updated_at": now()}
    return store.replace(f"{project['id']}/{COLLECTION}", "id", environment | changed)


def branch_gone(store: Store, project: Record, name: str) -> None:
    """Environments whose last deployment came from the branch stop."""
    with store.lock:
        for environment in store.records(f"{project['id']}/{COLLECTION}"):
            deployments = store.records(f"{project['id']}/deployments")
            last = [d for d in deployments if d["environment"] == environment["name"]][-1:]
            if last and last[0]["ref"] == name and not last[0]["tag"]:
                halt(store, project, environment)


def merge_request_ended(store: Store, project: Record, iid: int) -> None:
    """Environments that the merge request's pipelines have made stop."""
    with store.lock:
        for environment in store.records(f"{project['id']}/{COLLECTION}"):
            if environment.get("merge_request_iid") == iid:
                halt(store, project, environment)


def create(call: Call) -> Record:
    """A new environment."""
    name = call.required("name")
    with call.store.lock:
        if call.store.find(call.collection(COLLECTION), lambda e: bool(e["name"] == name)):
            raise Refusal(400, {"name": ["has already been taken"]})
        return shown(call, call.store.add(call.collection(COLLECTION), "id", _new(name) | _told(call)))


def search(call: Call) -> list[Record]:
    """The environments by `name`, a part of it (`search`, three characters or more) and `states`."""
    name, part, state = (call.parameters.get(key) for key in ("name", "search", "states"))
    if name and part:
        raise Refusal(400, "name, search cannot be used together")
    if part and len(str(part)) < 3:
        raise Refusal(400, "Search query is less than 3 characters")
    found = [e for e in all_of(call) if name in (None, e["name"]) and str(part or "") in e["name"]]
    return [shown(call, e) for e in found if state in (None, e["state"])]


def get(call: Call) -> Record:
    """One environment with its last successful deployment."""
    environment = _one(call)
    records = call.store.records(call.collection("deployments"))
    own = [d for d in records if d["environment"] == environment["name"] and d["status"] == "success"]
    if not own:
        return shown(call, environment) | {"last_deployment": None}
    last = {key: value for key, value in own[-1].items() if key not in ("user_id", "environment", "tag", "finished_at")}
    return shown(call, environment) | {"last_deployment": last | {"user": call.person(own[-1]["user_id"])}}


def change(call: Call) -> Record:
    """The environment with another address, tier, description or way to stop by itself."""
    record = _one(call) | _told(call) | {"updated_at": now()}
    return shown(call, call.store.replace(call.collection(COLLECTION), "id", record))


def stop(call: Call) -> Record:
    """The environment, stopped; with `force`, without its job."""
    record = _one(call)
    if call.flag("force"):
        forced = record | {"state": "stopped", "updated_at": now()}
        return shown(call, call.store.replace(call.collection(COLLECTION), "id", forced))
    return shown(call, halt(call.store, call.project(), record, by_itself=False))


def stop_stale(call: Call) -> Record:
    """Stops the environments that nothing was done to since `before`."""
    before = call.required("before")
    for environment in all_of(call):
        if environment["updated_at"] < before:
            halt(call.store, call.project(), environment)
    return {"message": "Successfully scheduled stale environments to stop"}


def delete(call: Call) -> None:
    """The environment is gone; it has to be stopped first."""
    environment = _one(call)
    if environment["state"] != "stopped":
        raise Refusal(403, "403 Forbidden - Environment must be stopped first")
    call.store.remove(call.collection(COLLECTION), "id", environment)


def shown(call: Call, environment: Record) -> Record:
    """The environment as the API tells it."""
    return {key: value for key, value in environment.items() if key not in WITHIN}


def all_of(call: Call) -> list[Record]:
    """The project's environments, after those whose time is over have stopped."""
    with call.store.lock:
        for environment in call.store.records(call.collection(COLLECTION)):
            end = environment["auto_stop_at"]
            if end and end <= now() and environment["state"] == "available":
                halt(call.store, call.project(), environment)
    return call.store.records(call.collection(COLLECTION))


def _one(call: Call) -> Record:
    for environment in all_of(call):
        if str(environment["id"]) == call.path["environment"]:
            return environment
    raise Refusal(404, "404 Not found")


def _told(call: Call) -> Record:
    call.among("auto_stop_setting", SETTINGS, "always")
    call.among("tier", TIERS, "other")
    return call.given("external_url", "tier", "description", "auto_stop_setting")


def _new(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "slug": re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:24],
        "description": None,
        "external_url": None,
        "state": "available",
        "tier": _tier(name),
        "created_at": now(),
        "updated_at": now(),
        "auto_stop_at": None,
        "auto_stop_setting": "always",
    }


def _tier(name: str) -> str:
    """GitLab guesses the tier from the name."""
    guesses = {
        "production": "prod|live",
        "staging": "stag|model|pre|demo|non|acceptance",
        "testing": "test|tst|int|qa|qc",
    }
    guesses["development"] = "dev|review|trunk"
    return next((tier for tier, words in guesses.items() if re.search(words, name, re.IGNORECASE)), "other")


ROUTES = (
    Route("GET", "/projects/{project}/environments", search),
    Route("POST", "/projects/{project}/environments", create, DEVELOPER, 201),
    Route("POST", "/projects/{project}/environments/stop_stale", stop_stale, MAINTAINER),
    Route("GET", "/projects/{project}/environments/{environment}", get),
    Route("PUT", "/projects/{project}/environments/{environment}", change, DEVELOPER),
    Route("DELETE", "/projects/{project}/environments/{environment}", delete, DEVELOPER, 204),
    Route("POST", "/projects/{project}/environments/{environment}/stop", stop, DEVELOPER),
)
