"""A group of tasks and of further groups, and the way from a tree of them to names like `extract.daily.clients`."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, model_validator

from windlass.spec.names import Word
from windlass.spec.schema import Noun, Text
from windlass.spec.task import KINDS, Task

_NEEDS, _MEMBERS = "\0needs", "\0members"
_KINDS = frozenset(KINDS)
_OF_TASKS = {"inputs", "outputs", "assets", "for_each", "split"}
"""Keys of a task whose values are mappings, as those of groups are."""


def is_task(value: Any) -> bool:
    """Whether what was written is meant as a task and not as a group."""
    if not isinstance(value, dict):
        return not isinstance(value, Group)
    if not value or _has_kind(value):
        return True
    others = {key: item for key, item in value.items() if not (key == "needs" and isinstance(item, list))}
    if any(map(_is_node, others.values())):
        return False
    return bool(others.keys() & _OF_TASKS) or not all(isinstance(item, dict) for item in others.values())


def _has_kind(value: dict[str, Any]) -> bool:
    return any(not _is_node(value[key]) for key in _KINDS & value.keys())


def _is_node(value: Any) -> bool:
    """Whether it is certainly a task or a group: one below a key that could also be a task's own."""
    if isinstance(value, dict):
        return not _KINDS.isdisjoint(value) or any(map(_is_node, value.values()))
    return isinstance(value, (Task, Group))


def _kind(value: Any) -> str:
    return "\0task" if is_task(value) else "\0group"


Node = Annotated[
    Annotated[Task, Tag("\x00task")] | Annotated["Group", Tag("\x00group")],
    Discriminator(_kind),
]


class Group(Noun):
    """Tasks and groups by name. What it `needs` all that is in it waits for."""

    needs: list[Text] | None = Field(default=None, alias=_NEEDS)
    members: dict[Word, Node] = Field(alias=_MEMBERS, min_length=1)

    @model_validator(mode="before")
    @classmethod
    def arranged(cls, value: Any) -> Any:
        """What was written with its `needs` set apart; a member may be called `needs` too."""
        if not isinstance(value, dict) or _MEMBERS in value:
            return value
        if _has_kind(value):
            raise ValueError("this is a task; tasks stand in groups, like transform: {score: ...}")
        if isinstance(value.get("needs"), list):
            return {_NEEDS: value["needs"], _MEMBERS: {key: item for key, item in value.items() if key != "needs"}}
        return {_MEMBERS: dict(value)}

    def walk(self, path: str) -> Iterator[tuple[str, "Task | Group"]]:
        """The group itself and all that is in it, by the names that they have when the group's is `path`."""
        yield path, self
        for name, member in self.members.items():
            if isinstance(member, Group):
                yield from member.walk(f"{path}.{name}")
            else:
                yield f"{path}.{name}", member
