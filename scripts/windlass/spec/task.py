"""A step of a pipeline: a job, an operator, a person's approval or a choice of what goes on."""

import keyword
import re
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from windlass.spec.dag import LARGEST, Backoff, Weight
from windlass.spec.duration import Duration
from windlass.spec.items import holds_item
from windlass.spec.names import Word
from windlass.spec.port import ROW_ENDINGS, AnyOutput, Output
from windlass.spec.problem import near
from windlass.spec.schedule import AssetName
from windlass.spec.schema import Noun, Text

MODEL_PREFIX = "model:"
"""What an input that is a model begins with: `model:digits`."""
KINDS = ("job", "operator_type", "approval", "branch")
"""The keys of which a task has exactly one."""
TRIGGER_RULES = (
    "all_success",
    "all_failed",
    "all_done",
    "all_done_min_one_success",
    "all_skipped",
    "one_success",
    "one_failed",
    "one_done",
    "none_failed",
    "none_failed_min_one_success",
    "none_skipped",
    "always",
)
MEASURES = ("rows", "size", "parts")
"""The keys of `split` of which one says how large the parts get."""
MAX_ITEMS = 1000
_MARK = re.compile("[ -~\t]|tab")
_REFERENCE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){2,}")

_FOREIGN = re.compile(r"airflow(\.[a-z_][a-z0-9_]*)+\.[A-Z][A-Za-z0-9]*")
_SIZE = re.compile(r"[1-9][0-9]{0,6}(Ki|Mi|Gi)")
_ARGUMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_GIVEN = ("task_id", "dag", "task_group")
"""Arguments of every operator of Airflow that say where the task is: windlass gives them."""


def _is_rule(value: str) -> str:
    if value not in TRIGGER_RULES:
        raise ValueError(f"there is no trigger rule {value!r}{near(value, TRIGGER_RULES)}")
    return value


def _is_condition(value: str) -> str:
    if "{{" not in value and not is_reference(value):
        raise ValueError(f"{value!r} is neither a port (group.task.port) nor an expression ('{{{{ params.full }}}}')")
    return value


def _is_port(value: str) -> str:
    if not is_reference(value):
        raise ValueError(f"{value!r} is neither a list nor a port; write it as group.task.port")
    return value


def is_reference(value: str) -> bool:
    """Whether the text has the form of a port of another task: `group.task.port`."""
    return _REFERENCE.fullmatch(value) is not None


def is_foreign(operator_type: str) -> bool:
    """Whether it is the import path of an operator or sensor that an Airflow provider brings."""
    parts = operator_type.split(".")
    return _FOREIGN.fullmatch(operator_type) is not None and not any(map(keyword.iskeyword, parts))


def _is_size(value: str) -> str:
    if not _SIZE.fullmatch(value):
        raise ValueError(f"{value!r} is no size; write it like '512Ki', '64Mi' or '2Gi'")
    return value


def _is_mark(value: str) -> str:
    if not _MARK.fullmatch(value):
        raise ValueError(f"{value!r} is not one ASCII character; write it like ';' or 'tab'")
    return value


def _is_quote(value: str) -> str:
    return value if value == "none" else _is_mark(value)


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Mark = Annotated[str, AfterValidator(_is_mark)]
"""One character of a CSV file that is no letter of its text."""
Condition = Annotated[Text, AfterValidator(_is_condition)]
"""An expression of Airflow's templates, or a port: the text of its file, which is small."""
Targets = Annotated[list[Text], Field(min_length=1), BeforeValidator(_as_list)]


def _kind_of_items(value: Any) -> str:
    return "\0list" if isinstance(value, list) else "\0port"


Items = Annotated[
    Annotated[list[str | bool | int | float], Field(min_length=1, max_length=MAX_ITEMS), Tag("\0list")]
    | Annotated[str, AfterValidator(_is_port), Tag("\0port")],
    Discriminator(_kind_of_items),
]
"""Texts and numbers, or a port of another task."""


class Job(Noun):
    """A command that runs in an image: `{port}` in its script is the local path of that input or output."""

    resource_flavor: Text | None = None
    docker_image: Text
    execution_time: Duration
    execution_script: Text


class Approval(Noun):
    """A question to a person: what follows goes on when they approve. `default` is the answer after `timeout`."""

    subject: Text
    body: Text | None = None
    timeout: Duration | None = None
    default: Literal["approve", "reject"] | None = None
    on_reject: Literal["skip", "fail"] = "skip"
    approvers: Annotated[list[Text], Field(min_length=1)] | None = None


class Branch(Noun):
    """Which of the named tasks and groups go on: those of the case that `by` says, else those of `default`."""

    by: Condition
    cases: Annotated[dict[Text, Targets], Field(min_length=1)]
    default: Targets | None = None

    @property
    def targets(self) -> list[str]:
        """All tasks and groups that it decides about, each once."""
        named = [target for targets in self.cases.values() for target in targets]
        return list(dict.fromkeys([*named, *(self.default or [])]))


class Assets(Noun):
    """The assets that a task reads and those that have news when it ends well."""

    model_config = ConfigDict(serialize_by_alias=True)

    inlets: list[AssetName] = Field(default=[], alias="in")
    outlets: list[AssetName] = Field(default=[], alias="out")


class ForEach(Noun):
    """Runs the task once for each item of a list or of another task's port; `{item}` in it is the item."""

    model_config = ConfigDict(serialize_by_alias=True)

    item: Word = Field(alias="as")
    items: Items = Field(alias="in")
    at_once: int | None = Field(default=None, ge=1)


class Split(Noun):
    """Cuts the file of an input into parts, runs the task once for each and puts its outputs together again."""

    input: Word
    rows: int | None = Field(default=None, ge=1)
    size: Annotated[str, AfterValidator(_is_size)] | None = None
    parts: int | None = Field(default=None, ge=1, le=MAX_ITEMS)
    at_once: int | None = Field(default=None, ge=1)
    delimiter: Mark | None = None
    quote: Annotated[str, AfterValidator(_is_quote)] | None = None
    escape: Mark | None = None

    @model_validator(mode="after")
    def _has_one_measure(self) -> "Split":
        given = [key for key in MEASURES if getattr(self, key) is not None]
        if len(given) != 1:
            found = f", not {' and '.join(given)}" if given else ""
            raise ValueError(f"split needs one of 'rows', 'size' and 'parts'{found}")
        return self

    @model_validator(mode="after")
    def _has_different_marks(self) -> "Split":
        quote = '"' if self.quote is None else self.quote
        marks = [mark for mark in (self.delimiter, quote, self.escape) if mark is not None]
        if len(set(marks)) < len(marks):
            raise ValueError(f"delimiter, quote and escape must differ from each other, and the quote is {quote!r}")
        return self


class Task(Noun):
    """A step of the pipeline; an operator's arguments are written beside `operator_type`."""

    model_config = ConfigDict(extra="allow")

    job: Job | None = None
    operator_type: Text | None = None
    approval: Approval | None = None
    branch: Branch | None = None
    inputs: dict[Word, Text] = {}
    outputs: dict[Word, AnyOutput] = {}
    needs: list[Text] | None = None
    docs: Text | None = None
    retries: int | None = Field(default=None, ge=0, le=LARGEST)
    retry_delay: Duration | None = None
    retry_backoff: Backoff | None = None
    max_retry_delay: Duration | None = None
    execution_time: Duration | None = None
    pool: Text | None = None
    pool_slots: int | None = Field(default=None, ge=1, le=LARGEST)
    queue: Text | None = None
    priority: Weight | None = None
    trigger_rule: Annotated[str, AfterValidator(_is_rule)] | None = None
    setup: bool = False
    teardown: list[Text] | None = None
    assets: Assets | None = None
    only_if: Condition | None = None
    skip_if: Condition | None = None
    for_each: ForEach | None = None
    split: Split | None = None

    @model_validator(mode="after")
    def _is_one_kind(self) -> "Task":
        kinds = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(kinds) != 1:
            found = f", not {' and '.join(kinds)}" if kinds else ""
            raise ValueError(f"a task needs one of 'job', 'operator_type', 'approval' and 'branch'{found}")
        if kinds[0] in ("approval", "branch"):
            for key in ("inputs", "outputs", "for_each", "split"):
                if getattr(self, key):
                    raise ValueError(f"{kinds[0]} takes no {key}; let it follow other tasks by 'needs'")
        return self

    @model_validator(mode="after")
    def _is_one_thing(self) -> "Task":
        for one, other in (("for_each", "split"), ("only_if", "skip_if"), ("setup", "teardown")):
            if getattr(self, one) not in (None, False) and getattr(self, other) is not None:
                raise ValueError(f"a task has either '{one}' or '{other}', and not both")
        for many in ("for_each", "split"):
            if getattr(self, many) and (self.setup or self.teardown is not None):
                raise ValueError(f"a task that is a setup or a teardown runs once; it cannot have '{many}'")
        if self.split and self.split.input not in self.inputs:
            raise ValueError(
                f"split.input {self.split.input!r} is no input of the task{near(self.split.input, self.inputs)}"
            )
        if self.split and self.assets and self.assets.outlets:
            raise ValueError(
                "a split task ends once for each part; put 'assets.out' into the task that takes its outputs"
            )
        if self.teardown is not None and self.trigger_rule:
            raise ValueError("a teardown runs whenever its setups have; it takes no trigger_rule")
        return self

    @model_validator(mode="after")
    def _runs_for_items(self) -> "Task":
        if self.split and not all(name.endswith(ROW_ENDINGS) for name in self.filenames.values()):
            raise ValueError(f"split puts {', '.join(ROW_ENDINGS)} files together again; let the task leave no others")
        if self.for_each is None:
            return self
        item = f"{{{self.for_each.item}}}"
        script = self.job.execution_script if self.job else ""
        if not holds_item([script, self.arguments, self.inputs], self.for_each.item):
            raise ValueError(f"nothing in the task takes {item}, the item of for_each")
        if item in self.inputs.values() and not isinstance(self.for_each.items, str):
            raise ValueError(f"{item} cannot be an input: an input is a file, and the items of a list are text")
        return self

    @model_validator(mode="after")
    def _may_be_foreign(self) -> "Task":
        if not is_foreign(self.operator_type or ""):
            return self
        if self.inputs or self.outputs or self.split:
            raise ValueError(f"{self.operator_type} is not windlass's: it takes no inputs and leaves no outputs")
        for name in self.arguments:
            if not _ARGUMENT.fullmatch(name) or keyword.iskeyword(name):
                raise ValueError(f"{name!r} cannot be an argument of {self.operator_type}: it is no name in Python")
            if name in _GIVEN:
                raise ValueError(f"{name} follows from the place of the task; remove it")
        return self

    @cached_property
    def filenames(self) -> dict[str, str]:
        """The names of the files that it leaves, by port."""
        return {port: left.file if isinstance(left, Output) else left for port, left in self.outputs.items()}

    @cached_property
    def checks(self) -> dict[str, dict[str, Any]]:
        """What must be true of the files that it leaves, by the ports of which something is said."""
        written = {port: left.checks for port, left in self.outputs.items() if isinstance(left, Output)}
        return {port: checks for port, checks in written.items() if checks}

    @property
    def arguments(self) -> dict[str, Any]:
        """The operator's own arguments: every key of the task that the language does not know."""
        return dict(self.model_extra or {})

    @cached_property
    def references(self) -> list[str]:
        """The ports that the task reads, as they were written: `group.task.port`, models left out."""
        written = [value for value in self.inputs.values() if is_reference(value)]
        if self.for_each and isinstance(self.for_each.items, str):
            written.append(self.for_each.items)
        conditions = (self.only_if, self.skip_if, self.branch.by if self.branch else None)
        written += [value for value in conditions if value and is_reference(value)]
        return list(dict.fromkeys(written))
