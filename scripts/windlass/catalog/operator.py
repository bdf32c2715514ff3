"""What is known of an operator: its class, its arguments and its ports, as the source says."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from windlass.spec.problem import Problem

ANY = "*"
"""Stands for any number of ports, whatever their names: `inputs = {"*": ""}`."""
ONE = "?"
"""Stands for exactly one port, whatever its name: `outputs = {"?": ".csv"}`."""


@dataclass(frozen=True)
class Argument:
    """A keyword argument; `annotation` and `default` are source text, empty and None where there is none."""

    annotation: str = ""
    default: str | None = None

    @property
    def required(self) -> bool:
        """Whether a task must give it."""
        return self.default is None


def extension(ports: Mapping[str, str], port: str) -> str | None:
    """The extension that the file of `port` has, "" for any; None when there is no such port."""
    return next((ports[name] for name in (port, ONE, ANY) if name in ports), None)


@dataclass(frozen=True)
class Operator:
    """An operator class; `inputs` and `outputs` map each port to the extension of its file (`.csv`, "" for any)."""

    name: str
    class_name: str
    description: str
    arguments: Mapping[str, Argument]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    needs: tuple[str, ...] = ()
    """Which of `inputs` and `outputs` a task must give."""
    own: bool = False
    """Whether it is the project's own, and not one of windlass's standard library."""
    endings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By argument the endings with which Airflow would take a text for a file: the class's `template_ext`."""


@dataclass(frozen=True)
class Catalog:
    """The operators that were asked for, by `operator_type`; `names` are all that exist, `problems` what is broken."""

    operators: Mapping[str, Operator] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()


def class_name(operator_type: str) -> str:
    """The class of an operator: `s3_to_file` is `S3ToFile`."""
    return "".join(part.capitalize() for part in operator_type.split("_"))
