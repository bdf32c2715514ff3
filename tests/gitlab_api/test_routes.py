"""Every call of the stand-in is one that GitLab publishes, with its status and no other parameters."""

import ast
from pathlib import Path
from types import ModuleType

import pytest

from tests.gitlab_api.published import Published, calls, shape, table
from windlass.stack.gitlab import app, choices, environments, pipelines, projects, releases, variables
from windlass.stack.gitlab.call import Route

OTHERWISE = {
    "POST /projects/{}/statuses/{}": "a new thing is 201 in GitLab unless a call says otherwise, and this says nothing",
    "POST /projects/{}/environments/stop_stale": "GitLab's code sets 200",
    "POST /projects/{}/environments/{}/stop": "GitLab's code sets 200",
    "DELETE /projects/{}/environments/{}": "what GitLab destroys it answers with 204",
    "DELETE /projects/{}/variables/{}": "what GitLab destroys it answers with 204",
    "DELETE /runners/{}": "what GitLab destroys it answers with 204",
}
"""Calls whose status is not the published one, and why: the description is not of one mind with the code there."""

PAGES = {"page", "per_page", "pagination", "cursor", "order_by", "sort"}
OF_ITS_OWN = {pipelines: {"environment", "stage", "tag"}}
"""What a module reads for calls outside of the API."""
READERS = {"required", "number", "flag", "among", "several"}
COMPUTED = {
    projects: set(projects.SETTINGS),
    variables: set(variables.FLAGS),
}
"""Parameters that a module reads by a name that is not written where it is read."""
KEPT_BACK = {
    "ci_default_git_depth",
    "ci_forward_deployment_enabled",
    "ci_forward_deployment_rollback_allowed",
    "ci_pipeline_variables_minimum_override_role",
    "ci_id_token_sub_claim_components",
    "keep_latest_artifact",
}
"""Settings of a project that GitLab's answer has, and that its change takes among the many that are not noted here."""


def every_route() -> list[tuple[ModuleType, Route]]:
    return [(module, route) for module in app.RESOURCES for route in module.ROUTES]


def name(route: Route) -> str:
    return f"{route.method} {shape(route.path)}"


def test_every_call_of_the_stand_in_is_one_that_gitlab_publishes() -> None:
    published = {f"{method} {path}" for method, path in calls()}
    assert {name(route) for _, route in every_route()} == published, "note a new call down in published.json"


def test_every_call_answers_with_the_status_that_gitlab_publishes() -> None:
    other = {}
    for _, route in every_route():
        if route.status not in calls()[route.method, shape(route.path)].answers:
            other[name(route)] = route.status
    assert set(other) == set(OTHERWISE)


@pytest.mark.parametrize("module", app.RESOURCES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_the_stand_in_reads_no_parameter_that_gitlab_does_not_have(module: ModuleType) -> None:
    own = [calls()[route.method, shape(route.path)] for route in module.ROUTES]
    known = {parameter for call in own for parameter in call.parameters} | PAGES | KEPT_BACK
    assert read_by(module) - known == OF_ITS_OWN.get(module, set())


def read_by(module: ModuleType) -> set[str]:
    """The names of the parameters that the module reads of a call, as far as they are written there."""
    assert module.__file__ is not None
    names = set(COMPUTED.get(module, ()))
    for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        of_parameters = ast.unparse(node.func.value).endswith("parameters") and node.func.attr == "get"
        taken = node.args[:1] if of_parameters or node.func.attr in READERS else []
        taken = node.args if node.func.attr == "given" else taken
        names |= {str(one.value).partition("[")[0] for one in taken if isinstance(one, ast.Constant)}
    return names


def test_the_reader_sees_what_a_module_reads() -> None:
    assert {"tag_name", "assets", "released_at"} <= read_by(releases)
    assert {"auto_stop_setting", "tier", "name"} <= read_by(environments)


def test_what_is_noted_down_is_whole() -> None:
    for call in calls().values():
        assert set(call.required) <= set(call.parameters), call
        assert call.method != "GET" or not call.body, call


def test_each_noted_source_is_a_file_at_a_commit_or_says_why_it_is_not() -> None:
    for key, source in table()["sources"].items():
        assert (source["file"] and source["commit"]) or source["reason"], key
    assert all(set(call.source) <= set(table()["sources"]) for call in calls().values())


def entities_of(call: Published) -> str | None:
    return call.gives and call.gives.removesuffix("[]")


def test_each_answer_is_an_entity_that_is_noted_down() -> None:
    assert {entity for call in calls().values() if (entity := entities_of(call))} <= set(table()["entities"])


@pytest.mark.parametrize("name", choices.CHOICES)
def test_the_stand_in_takes_every_value_that_gitlab_takes(name: str) -> None:
    method, _, path = name.partition(" ")
    published = calls()[method, shape(path)].parameters
    for parameter, values in choices.CHOICES[name].items():
        kind = published[parameter]
        assert isinstance(kind, list)
        assert set(values) == {str(value) for value in kind}, parameter
