"""Wires the gate of an environment: the policy from the server, git, GitLab, and who runs the command."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from windlass.cli import console, context
from windlass.cli.gate_origin import remembered, require_same_origin
from windlass.spec.errors import DeliveryError, WindlassError

if TYPE_CHECKING:
    from windlass.adapters.git_server import Access
    from windlass.adapters.gitlab.evidence import Reviews
    from windlass.delivery.gate.gather import Here
    from windlass.delivery.gate.outlook import Outlook
    from windlass.delivery.gate.policy import Policy
    from windlass.delivery.gate.question import Question
    from windlass.delivery.promotion.perform import Author
    from windlass.spec.decision import Decision, PolicyTexts
    from windlass.spec.environment import Environment
    from windlass.spec.evidence import Person, PolicyOrigin

_KEYS = ("upstream", "prefix", "bundle", "s3", "signers")
"""Keys of an environment that decide what a gate is worth: they must be here as they are on the protected branch."""
_KEYS_BEFORE = ("prefix", "s3", "signers", "airflow")
"""Those of the environment before: where the release and its verdicts come from, and whether it takes a verdict."""
_FOLDER = "environments"


@dataclass(frozen=True)
class Server:
    """The GitLab at hand: its address, the project's path there, the path of what owns the environments, a token."""

    url: str
    path: str
    platform: str
    user: str
    token: str = field(repr=False)

    def access(self, path: str) -> "Access":
        """How a repository of it is fetched."""
        from windlass.adapters.git_server import Access

        return Access(self.url, path, self.user, self.token)


@dataclass
class Gatekeeper:
    """The gate of one environment, as the protected branch described it a moment ago, and who stands before it."""

    environment: "Environment"
    server: Server
    policy: "Policy"
    person: "Person | None"
    upstream: "Environment | None" = None
    moved: str | None = None
    _fresh: "PolicyTexts | None" = None

    def ask(self, question: "Question") -> "Decision | None":
        """The decision about a release, from a policy that is fetched again each time but the first."""
        from windlass.adapters.git_server import on_server
        from windlass.delivery.gate.decide import decide
        from windlass.delivery.gate.gather import gather
        from windlass.delivery.gate.policy import read_policy

        texts, self._fresh = self._fresh or policy_texts(self.server), None
        wanted, policy = read_policy(texts, self.environment.name)
        if policy is None:
            return None
        reviews, path = self._reviews(), self.path
        where = f"{texts.branch} of {texts.path}"
        console.step(f"asking the gate of {self.environment.name}, as it stands on {where} at {texts.commit[:12]}")
        texts = texts.model_copy(
            update={
                "project": reviews.number_of(texts.path),
                "protected": reviews.branch_is_protected(texts.branch, texts.path),
            }
        )
        with on_server(self.server.access(path)) as repository:
            branch = repository.default_branch()
            head = repository.fetch(branch, question.tag)
            here = self._here(path, branch, head, self._differs(texts, wanted))
            return decide(texts, gather(question, policy, here, repository, reviews))

    def look_ahead(self, iid: int, project: str, critical: Sequence[str], *, live_is_told: bool) -> "Outlook":
        """What the gate will ask of an open merge request, by the policy as it was when the gate was found."""
        from windlass.adapters.git_server import on_server
        from windlass.delivery.gate.gather import gather_proposal, request_ref
        from windlass.delivery.gate.outlook import look_ahead

        texts, self._fresh = self._fresh or policy_texts(self.server), None
        reviews, path, name = self._reviews(), self.path, self.environment.name
        console.step(
            f"asking the gate of {name}, as it stands on {texts.branch} of {texts.path} at {texts.commit[:12]}"
        )
        texts = texts.model_copy(update={"protected": reviews.branch_is_protected(texts.branch, texts.path)})
        with on_server(self.server.access(path)) as repository:
            branch = repository.default_branch()
            head = repository.fetch(branch, ref=request_ref(iid))
            here = self._here(path, branch, head, self._differs(texts, self.policy.environment))
            proposal = gather_proposal(iid, project, critical, name, self.policy, here, repository, reviews)
        return look_ahead(texts, self.policy, proposal, live_is_told=live_is_told)

    def require_role(self, username: str, roles: Sequence[str], to_do: str) -> None:
        """DeliveryError, with who could, unless the user holds one of the roles."""
        from windlass.delivery.gate.policy import holders
        from windlass.delivery.gate.told import unasked_groups

        wanted = {group for role in roles for group in self.policy.roles[role].groups}
        reviews = self._reviews()
        groups = {group: reviews.group(group) for group in sorted(wanted)}
        people = [holders(self.policy, role, groups) for role in roles]
        if any(username.casefold() in one.known for one in people):
            return
        who = " or ".join(dict.fromkeys(one.shown for one in people)) or "nobody: roles.yml names no role"
        hint = unasked_groups([group for one in people for group in one.unasked])
        raise DeliveryError(f"{username} may not {to_do}: that may {who}{hint}")

    @property
    def origin(self) -> "PolicyOrigin":
        """Whose word the policy is."""
        from windlass.spec.evidence import PolicyOrigin

        number = self._reviews().number_of(self.server.platform)
        return PolicyOrigin(server=self.server.url, path=self.server.platform, project=number)

    @property
    def path(self) -> str:
        """The project's path: by GitLab's word, where this is a job."""
        return self.person.path if self.person and self.person.path else self.server.path

    def _reviews(self) -> "Reviews":
        from windlass.adapters.gitlab.connection import connection_here
        from windlass.adapters.gitlab.evidence import Reviews

        number = self.person.project if self.person else None
        own = {"CI_PROJECT_ID": str(number)} if number is not None else {}
        connection = connection_here(self.path, {**os.environ, **own})
        if connection is None:
            raise DeliveryError(f"{self.environment.name} has a gate, and no token for GitLab; set CI_JOB_TOKEN")
        return Reviews(connection)

    def _differs(self, texts: "PolicyTexts", wanted: "Environment") -> list[str]:
        """The keys that are different here from what the protected branch says."""
        from windlass.delivery.gate.policy import read_policy

        found = [key for key in _KEYS if getattr(self.environment, key) != getattr(wanted, key)]
        if self.upstream and wanted.upstream == self.upstream.name:
            before = read_policy(texts, self.upstream.name)[0]
            keys = [key for key in _KEYS_BEFORE if getattr(self.upstream, key) != getattr(before, key)]
            found += [f"{before.name}'s {key}" for key in keys]
        return found

    def _here(self, path: str, branch: str, head: str, differs: Sequence[str]) -> "Here":
        from windlass.delivery.gate.gather import Here

        return Here(
            server=self.server.url,
            path=path,
            branch=branch,
            head=head,
            at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            person=self.person,
            ref_is_protected={"true": True, "false": False}.get(os.environ.get("CI_COMMIT_REF_PROTECTED", "")),
            differs=tuple(differs),
            moved=self.moved,
        )


def gatekeeper(
    environment: "Environment",
    upstream: "Environment | None" = None,
    *,
    moved: str | None = None,
    is_binding: bool = True,
) -> Gatekeeper | None:
    """Who asks the gate of the environment, into which releases come from `upstream`; None where it has none.

    `moved` is why it may be asked by another repository than before. One that is not binding, for nothing follows from
    it, is told that there is none without a look at what the environment remembers.

    In a GitLab job, and where a release came through one before, the server is asked whether there is one, whatever the
    files here say. DeliveryError where no server can be asked then, or where the files here say that there is one.
    """
    from windlass.adapters.gitlab.identity import person_here
    from windlass.delivery.gate.policy import read_policy

    server = server_here()
    if environment.gate is None and not is_job():
        before = remembered(environment) if is_binding else None
        if before is None:
            return None
        if server is None:
            raise DeliveryError(
                f"releases come into {environment.name} through the gate of {before.describe()}, and there is no "
                "GitLab to ask it: promote in a GitLab job, or set WINDLASS_GITLAB_URL and WINDLASS_GITLAB_TOKEN"
            )
    if server is None and environment.gate is None:
        raise DeliveryError(
            f"this is a job, and there is no GitLab to ask whether {environment.name} has a gate: let nothing take "
            "CI_SERVER_URL and CI_JOB_TOKEN away"
        )
    if server is None:
        raise DeliveryError(
            f"{environment.name} has a gate, and there is no GitLab to ask: promote in a GitLab job, or set "
            "WINDLASS_GITLAB_URL and WINDLASS_GITLAB_TOKEN"
        )
    texts = policy_texts(server)
    policy = read_policy(texts, environment.name)[1]
    if policy is None:
        if is_binding and not moved:
            require_same_origin(environment, texts.origin)
        return None
    came_from = upstream if environment.upstream else None
    return Gatekeeper(environment, server, policy, person_here(), came_from, moved, texts)


def author(gate: Gatekeeper | None, reason: str | None = None) -> "Author":
    """Who makes a change: where there is a gate by GitLab's word, else as the variables say."""
    from windlass.cli import delivering

    usual = delivering.author(reason)
    return replace(usual, actor=gate.person.username) if gate and gate.person else usual


def say_passed(prefix: str, decision: "Decision | None") -> None:
    """What the gate let pass, and what people overrode, for a person."""
    if decision:
        first = decision.evidence.origin is None
        more = f"; from now on {decision.environment} is asked by {decision.policy.origin.describe()}" if first else ""
        console.say(f"  gate passed{more}; the decision is {_key(prefix, decision)}")
        for sentence in decision.overridden:
            console.say(f"  ! overridden: {sentence}")


def passed_as_json(prefix: str, decision: "Decision | None") -> dict[str, object]:
    """The same for a machine; nothing where there is no gate, or where nothing changed."""
    if decision is None:
        return {}
    kept = {"decision": decision.digest, "key": _key(prefix, decision)}
    return {"gate": {**kept, "overridden": list(decision.overridden)}}


def _key(prefix: str, decision: "Decision") -> str:
    from windlass.spec.decision import decision_key

    return decision_key(prefix, decision.evidence.project, decision.evidence.release, decision.digest)


def is_job() -> bool:
    """Whether this is a job of GitLab, or one that was rehearsed."""
    return os.environ.get("GITLAB_CI") == "true" or bool(os.environ.get("WINDLASS_PLATFORM"))


def server_here(variables: Mapping[str, str] | None = None) -> Server | None:
    """The GitLab of this job, or the one that WINDLASS_GITLAB_URL names; None without an address or a token."""
    from windlass.adapters.git import origin_path

    given = os.environ if variables is None else variables
    url = given.get("CI_SERVER_URL") or given.get("WINDLASS_GITLAB_URL")
    path = given.get("CI_PROJECT_PATH") or origin_path(context.project_folder())
    private, job = given.get("WINDLASS_GITLAB_TOKEN"), given.get("CI_JOB_TOKEN")
    if not (url and path and (private or job)):
        return None
    if "@" in url:  # it would be kept in every decision
        raise WindlassError("the address of GitLab has an account in it; give the token in WINDLASS_GITLAB_TOKEN alone")
    platform = (given.get("WINDLASS_PLATFORM") or path).removesuffix(".git")
    # A job's token reads the platform, or the job could not include it; a private token may know other projects only.
    user, token = ("gitlab-ci-token", job) if job else ("oauth2", private)
    return Server(url.rstrip("/"), path, platform, user, token or "")


def policy_texts(server: Server) -> "PolicyTexts":
    """The files of `environments/` on the default branch of what owns them, as the server has them now."""
    from windlass.adapters.git_server import on_server
    from windlass.spec.decision import PolicyTexts

    with on_server(server.access(server.platform)) as repository:
        branch = repository.default_branch()
        commit = repository.fetch(branch, history=False)
        files = repository.files(commit, _FOLDER, _is_policy)
    texts = {path: _text(path, content) for path, content in files.items()}
    return PolicyTexts(server=server.url, path=server.platform, branch=branch, commit=commit, files=texts)


def _is_policy(path: str) -> bool:
    return path.endswith(".yml") or path == f"{_FOLDER}/CODEOWNERS"


def _text(path: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise WindlassError(f"{path} on the default branch is not UTF-8 text") from error
