"""Environments: made by a deployment or by hand, stopped by hand, by time, or when their branch goes."""

import re
from typing import Any

from .call import DEVELOPER, MAINTAINER, Call, Record, Refusal, Route, now
from .store import Store

COLLECTION = "environments"
SETTINGS = ("always", "with_action")
TIERS = ("production", "staging", "testing", "development", "other")


def ensure(store: Store, project: Record, name: str, is_deployed: bool = False) -> Record:
    """The environment of this name, made when it is not there yet, and available again when it is deployed to."""
    collection = f"{project['id']}/{COLLECTION}"
    with store.lock:
        found = store.find(collection, lambda e: bool(e["name"] == name))
        if found is None:
            return store.add(collection, "id", _new(name))
        if is_deployed and found["state"] != "available":
            return store.replace(collection, "id", found | {"state": "available", "updated_at": now()})
        return found


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
    found = [e for e in _all(call) if name in (None, e["name"]) and str(part or "") in e["name"]]
    return [shown(call, e) for e in found if state in (None, e["state"])]


def get(call: Call) -> Record:
    """One environment with its last successful deployment."""
    environment = _one(call)
    records = call.store.records(call.collection("deployments"))
    own = [d for d in records if d["environment"] == environment["name"] and d["status"] == "success"]
    if not own:
        return shown(call, environment) | {"last_deployment": None}
    last = {key: value for key, value in own[-1].items() if key not in ("user_id", "environment")}
    return shown(call, environment) | {"last_deployment": last | {"user": call.person(own[-1]["user_id"])}}


def change(call: Call) -> Record:
    """The environment with another address, tier, description or way to stop by itself."""
    record = _one(call) | _told(call) | {"updated_at": now()}
    return shown(call, call.store.replace(call.collection(COLLECTION), "id", record))


def stop(call: Call) -> Record:
    """The environment, stopped."""
    record = _one(call) | {"state": "stopped", "updated_at": now()}
    return shown(call, call.store.replace(call.collection(COLLECTION), "id", record))


def stop_stale(call: Call) -> Record:
    """Stops the environments that nothing was done to since `before`."""
    before = call.required("before")
    for environment in _all(call):
        if environment["updated_at"] < before:
            call.store.replace(call.collection(COLLECTION), "id", environment | {"state": "stopped"})
    return {"message": "Successfully scheduled stale environments to stop"}


def delete(call: Call) -> None:
    """The environment is gone; it has to be stopped first."""
    environment = _one(call)
    if environment["state"] != "stopped":
        raise Refusal(403, "403 Forbidden - Environment must be stopped first")
    call.store.remove(call.collection(COLLECTION), "id", environment)


def shown(call: Call, environment: Record) -> Record:
    """The environment as the API tells it."""
    return {key: value for key, value in environment.items() if key != "project_id"}


def _all(call: Call) -> list[Record]:
    """The project's environments, after those whose time is over have stopped."""
    with call.store.lock:
        for environment in call.store.records(call.collection(COLLECTION)):
            end = environment["auto_stop_at"]
            if end and end <= now() and environment["state"] == "available":
                call.store.replace(call.collection(COLLECTION), "id", environment | {"state": "stopped"})
    return call.store.records(call.collection(COLLECTION))


def _one(call: Call) -> Record:
    for environment in _all(call):
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
