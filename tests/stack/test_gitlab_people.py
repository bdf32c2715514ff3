"""Users, their tokens and their roles: everybody meets the stand-in with no more rights than they have."""

import gitlab
import pytest

from tests.fakes.standin import DEVELOPER, MAINTAINER, Checkout, Company
from windlass.spec.errors import ServiceError

pytestmark = pytest.mark.stack


def refused(call, *arguments, **named) -> int:
    """The status with which the call is refused."""
    with pytest.raises(gitlab.GitlabError) as refusal:
        call(*arguments, **named)
    assert refusal.value.response_code is not None
    return refusal.value.response_code


def test_a_token_says_whose_it_is(company: Company) -> None:
    ann = company.api("ann")
    ann.auth()
    assert (ann.user.username, ann.user.is_admin) == ("ann", False)
    company.root.auth()
    assert (company.root.user.id, company.root.user.username, company.root.user.is_admin) == (1, "root", True)


def test_only_an_administrator_makes_users_and_tokens(company: Company) -> None:
    ann, eve = company.api("ann"), company.user("eve")
    assert refused(ann.users.create, {"username": "x", "name": "X", "email": "x@y.z", "password": "a"}) == 403
    as_ann = ann.users.get(eve.id)
    assert refused(as_ann.personal_access_tokens.create, {"name": "mine", "scopes": ["api"]}) == 403
    with pytest.raises(gitlab.GitlabCreateError, match="taken"):
        company.root.users.create({"username": "Ann", "name": "A", "email": "a@b.c", "password": "a"})


def test_a_token_that_was_taken_back_and_a_blocked_user_are_refused(company: Company) -> None:
    ann = company.api("ann")
    user = company.user("ann")
    user.block()
    assert refused(ann.projects.list) == 401
    user.unblock()
    assert ann.projects.list(get_all=True) == []
    for token in company.root.personal_access_tokens.list(get_all=True):
        token.delete()
    assert refused(ann.projects.list) == 401


def test_a_private_project_is_unknown_to_who_has_no_role_in_it(company: Company) -> None:
    project = company.project("models/digits", ann=DEVELOPER)
    assert company.api("ann").projects.get("models/digits").id == project.id
    eve = company.api("eve")
    assert refused(eve.projects.get, "models/digits") == 404
    assert refused(eve.projects.get(project.id, lazy=True).mergerequests.list) == 404
    assert eve.projects.list(get_all=True) == []


def test_who_has_no_role_reads_a_public_project_and_changes_nothing(company: Company) -> None:
    project = company.project("platform/windlass", visibility="public")
    eve = company.api("eve").projects.get(project.id)
    assert eve.mergerequests.list(get_all=True) == []
    assert refused(eve.variables.list) == 403
    assert refused(eve.tags.create, {"tag_name": "v1.0.0", "ref": "main"}) == 403
    nobody = gitlab.Gitlab(company.standin.url).projects.get(project.id)
    assert nobody.branches.list(get_all=True) == []
    assert refused(nobody.tags.create, {"tag_name": "v1.0.0", "ref": "main"}) == 401


def test_a_groups_members_have_their_role_in_its_projects_and_below(company: Company) -> None:
    outer = company.root.groups.create({"name": "Platform", "path": "platform"})
    inner = company.root.groups.create({"name": "Engineers", "path": "engineers", "parent_id": outer.id})
    inner.members.create({"user_id": company.user("ann").id, "access_level": DEVELOPER})
    outer.members.create({"user_id": company.user("mia").id, "access_level": MAINTAINER})
    project = company.project("platform/engineers/tools", bob=20)
    roles = {member.username: member.access_level for member in project.members_all.list(get_all=True)}
    assert roles == {"ann": 30, "mia": 40, "bob": 20}
    assert [member.username for member in project.members.list(get_all=True)] == ["bob"]
    assert project.members_all.get(company.user("mia").id).access_level == 40
    group = company.api("ann").groups.get("platform/engineers")
    assert [(m.username, m.access_level) for m in group.members_all.list(get_all=True)] == [("ann", 30), ("mia", 40)]
    assert refused(company.api("eve").groups.get, "platform/engineers") == 404
    assert [p.path_with_namespace for p in inner.projects.list(get_all=True)] == ["platform/engineers/tools"]


def test_nobody_gives_more_than_they_have(company: Company) -> None:
    project = company.project("models/digits", mia=MAINTAINER, ann=DEVELOPER)
    eve = company.user("eve").id
    mia = company.api("mia").projects.get(project.id)
    assert refused(mia.members.create, {"user_id": eve, "access_level": 50}) == 403
    member = mia.members.create({"user_id": eve, "access_level": 20})
    member.access_level = 30
    member.save()
    assert mia.members.get(eve).access_level == 30
    assert refused(mia.members.create, {"user_id": eve, "access_level": 20}) == 409
    member.delete()
    assert refused(mia.members.get, eve) == 404
    ann = company.api("ann").projects.get(project.id)
    assert refused(ann.members.create, {"user_id": eve, "access_level": 20}) == 403


def test_a_token_that_may_only_read_only_reads(company: Company) -> None:
    project = company.project("models/digits", mia=MAINTAINER)
    reader = gitlab.Gitlab(company.standin.url, private_token=company.token("mia", ("read_api",)))
    project = reader.projects.get(project.id)
    assert refused(project.variables.create, {"key": "A", "value": "b"}) == 403
    cloner = gitlab.Gitlab(company.standin.url, private_token=company.token("mia", ("read_repository",)))
    assert refused(cloner.projects.get, project.id) == 403


def test_git_asks_for_the_same_roles(company: Company, checkout: Checkout) -> None:
    company.project("models/digits", ann=DEVELOPER, rob=20, gus=10)
    checkout.commit(readme="one")
    checkout.push("models/digits", "main")
    checkout.push_as(company.remote("ann"), "models/digits", "refs/heads/work")
    url = checkout.remote.project("models/digits")
    assert company.remote("rob").git(checkout.folder, "ls-remote", url)
    with pytest.raises(ServiceError, match="403"):
        checkout.push_as(company.remote("rob"), "models/digits", "refs/heads/work")
    with pytest.raises(ServiceError, match="403"):
        company.remote("gus").git(checkout.folder, "ls-remote", url)
    with pytest.raises(ServiceError, match="not found"):
        company.remote("eve").git(checkout.folder, "ls-remote", url)


def test_settings_are_changed_by_maintainers(company: Company) -> None:
    project = company.project("models/digits", mia=MAINTAINER, ann=DEVELOPER)
    assert (project.merge_method, project.only_allow_merge_if_pipeline_succeeds) == ("merge", False)
    mia = company.api("mia").projects.get(project.id)
    mia.merge_method, mia.ci_config_path = "ff", "ci.yml"
    mia.save()
    ann = company.api("ann").projects.get(project.id)
    assert (ann.merge_method, ann.ci_config_path) == ("ff", "ci.yml")
    ann.merge_method = "merge"
    assert refused(ann.save) == 403
    mia.merge_method = "octopus"
    assert refused(mia.save) == 400
