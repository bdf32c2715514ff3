"""What only the stand-in has: its operator starts pipelines and jobs, orders faults and lets environments run out.

These calls are below `/-/standin`, outside the API: nothing that works with GitLab can come to need them.
"""

from . import ci, environments, pipelines
from .call import Call, Record, Refusal, Route
from .faults import Fault, Faults


def start_pipeline(call: Call) -> Record:
    """A new running pipeline for `ref` at `sha`, of the user whose name is `user`."""
    if call.repository().commit(call.required("sha")) is None:
        raise Refusal(404, "404 Commit Not Found")
    return pipelines.shown(call, pipelines.start(call, _user(call)))


def begin_job(call: Call) -> Record:
    """A new running job with its token; a `resource_group` that it names is there from now on."""
    pipeline = _pipeline(call)
    project = call.store.find("projects", lambda p: bool(p["id"] == pipeline["project_id"]))
    if project and call.parameters.get("resource_group"):
        ci.use_resource_group(call.store, project, call.required("resource_group"))
    return pipelines.begin(call, pipeline)


def end_pipeline(call: Call) -> Record:
    """The pipeline with another status; none of its jobs is running when it has ended."""
    pipeline, status = _pipeline(call), call.required("status")
    if status not in pipelines.RUNNING:
        for job in call.store.records("jobs"):
            if job["pipeline_id"] == pipeline["id"] and job["status"] == "running":
                pipelines.finish(call, "jobs", job, status)
    return pipelines.shown(call, pipelines.finish(call, "pipelines", pipeline, status))


def end_job(call: Call) -> Record:
    """The job with another status."""
    found = call.store.find("jobs", lambda job: str(job["id"]) == call.path["job"])
    if found is None:
        raise Refusal(404, "404 Not found")
    return pipelines.shown_job(call, pipelines.finish(call, "jobs", found, call.required("status")))


def arrange(call: Call) -> Record:
    """The environment as jobs leave it: when it stops by itself and by which job, and what has become of it."""
    environment = call.one("environments", "id", "environment")
    call.among("state", environments.STATES, environment["state"])
    names = ("auto_stop_at", "on_stop", "merge_request_iid", "pipeline", "state")
    return call.store.replace(call.collection("environments"), "id", environment | call.given(*names))


def stopping(call: Call) -> list[Record]:
    """The environments that wait for the job that stops them, with all that is known of them."""
    return [one for one in environments.all_of(call) if one["state"] == "stopping"]


def routes(faults: Faults) -> tuple[Route, ...]:
    """The control calls of a stand-in with these faults."""

    def order(call: Call) -> dict[str, object]:
        names = ("kind", "method", "path", "times", "status", "retry_after")
        try:
            faults.order(Fault(**call.given(*names)))
        except (TypeError, ValueError) as error:
            raise Refusal(400, str(error)) from error
        return faults.told()

    def clear(call: Call) -> None:
        faults.clear()

    return (
        Route("POST", "/-/standin/projects/{project}/pipelines", start_pipeline, status=201),
        Route("PUT", "/-/standin/pipelines/{pipeline}", end_pipeline),
        Route("POST", "/-/standin/pipelines/{pipeline}/jobs", begin_job, status=201),
        Route("PUT", "/-/standin/jobs/{job}", end_job),
        Route("PUT", "/-/standin/projects/{project}/environments/{environment}", arrange),
        Route("GET", "/-/standin/projects/{project}/environments", stopping),
        Route("GET", "/-/standin/faults", lambda call: faults.told()),
        Route("POST", "/-/standin/faults", order, status=201),
        Route("DELETE", "/-/standin/faults", clear, status=204),
    )


def _user(call: Call) -> Record:
    name = call.required("user")
    found = call.store.find("users", lambda user: bool(user["username"] == name))
    if found is None:
        raise Refusal(404, "404 User Not Found")
    return found


def _pipeline(call: Call) -> Record:
    found = call.store.find("pipelines", lambda pipeline: str(pipeline["id"]) == call.path["pipeline"])
    if found is None:
        raise Refusal(404, "404 Not found")
    return found
