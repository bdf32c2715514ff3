"""The gate of an environment: who must have approved what a release brings, how it is tagged, and when it may come."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from windlass.spec.duration import Duration, parse_duration
from windlass.spec.freeze import Freeze
from windlass.spec.roles import RoleName
from windlass.spec.schema import Noun

Count = Annotated[int, Field(ge=0, le=50)]
Positive = Annotated[int, Field(ge=1, le=50)]


class Consent(Noun):
    """How many people must have approved a merge request, and how many of each role among them."""

    approvals: Count = 1
    roles: dict[RoleName, Positive] = {}


class TagRule(Noun):
    """A release comes by a tag; `roles` may push it, and without any everybody may whom GitLab lets."""

    protected: bool = True
    roles: list[RoleName] = []


class OverrideRule(Noun):
    """So many people of these roles, each with a reason, let one release past what can be overridden, for a while."""

    model_config = ConfigDict(serialize_by_alias=True)

    people: Annotated[int, Field(ge=2, le=20)] = 2
    roles: Annotated[list[RoleName], Field(min_length=1)]
    length: Duration = Field(default=parse_duration("4 hours"), alias="for")


class PromotionGate(Noun):
    """What must be true before a release goes live in the environment; nothing of it stops a rollback."""

    approvals: Count = 1
    roles: dict[RoleName, Positive] = {}
    committers: bool = False
    critical: Consent | None = None
    tag: TagRule | None = None
    soak: Duration | None = None
    freeze: list[Freeze] = []
    override: OverrideRule | None = None

    def consent(self, *, is_critical: bool) -> Consent:
        """Whose approval is needed of each merge request."""
        usual = Consent(approvals=self.approvals, roles=self.roles)
        return self.critical if is_critical and self.critical else usual

    @model_validator(mode="after")
    def _asks_no_less_where_critical(self) -> Self:
        if self.critical and self.critical.approvals < self.approvals:
            raise ValueError(
                f"critical asks for fewer approvals ({self.critical.approvals}) than the rest ({self.approvals})"
            )
        if self.critical and self.roles and not self.critical.roles:
            raise ValueError("critical asks for no role, and the rest does; name those that have to approve it, too")
        return self

    @property
    def named_roles(self) -> list[tuple[tuple[str | int, ...], str, int]]:
        """Each role that is named, the place below `gate`, and how many who hold it are needed."""
        found: list[tuple[tuple[str | int, ...], str, int]] = [
            (("roles", name), name, count) for name, count in self.roles.items()
        ]
        if self.critical:
            found += [(("critical", "roles", name), name, count) for name, count in self.critical.roles.items()]
        if self.tag:
            found += [(("tag", "roles", number), name, 1) for number, name in enumerate(self.tag.roles)]
        if self.override:
            found += [(("override", "roles", number), name, 1) for number, name in enumerate(self.override.roles)]
        return found
