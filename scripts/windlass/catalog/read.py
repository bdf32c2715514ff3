"""Reads operator files with griffe: their syntax only. An operator that cannot be read so is a problem."""

import ast
import keyword
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.catalog.file_arguments import template_endings
from windlass.catalog.operator import Argument, Catalog, Operator, class_name
from windlass.spec.files import read_inside
from windlass.spec.problem import Problem, near

if TYPE_CHECKING:
    import griffe

    from windlass.catalog.class_values import ClassValues

STANDARD = Path(__file__).parents[1] / "operators"
JOB = "job"
"""The operator behind `job:` tasks; it cannot be named by `operator_type`."""

MADE = {JOB, "branch", "for_each"}
"""Operators that the language has words of its own for; `operator_type` cannot name them."""

_MODULE = re.compile(r"[a-z][a-z0-9_]*")
_NOT_ARGUMENTS = {"self", "task_id", "inputs", "outputs"}
RESERVED = {
    *(
        "DAG",
        "Asset",
        "AssetAll",
        "AssetAny",
        "DeadlineAlert",
        "DeadlineReference",
        "Param",
        "SyncCallback",
        "TaskGroup",
    ),
    *("Notifier", "JobOperator", "ApprovalOperator", "ZoneInfo"),
}
"""Classes that rendered modules import by themselves."""
_UNREADABLE = (SyntaxError, ValueError, TypeError, LookupError, AttributeError, RecursionError, MemoryError)
"""What Python's parser and griffe raise for files that no person would write."""


class _Broken(Exception):
    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line, self.message = line, message


def read_catalog(project: Path, wanted: Collection[str], standard: Path = STANDARD) -> Catalog:
    """The catalogue of the `wanted` standard operators and all of the project's own `operators/*.py`."""
    standard_names = _modules(standard) - MADE
    own_names = _modules(project / "operators")
    operators: dict[str, Operator] = {}
    problems: list[Problem] = []
    classes = {class_name(name): name for name in sorted(standard_names | MADE)}
    for name in sorted(standard_names & set(wanted) - own_names):
        operators[name] = _read(name, standard, f"{name}.py", own=False)
    for name in sorted(own_names):
        path = f"operators/{name}.py"
        try:
            if name in standard_names or name in MADE:
                raise _Broken(1, f"operator {name!r} exists in windlass's standard library; rename this file")
            if class_name(name) in RESERVED:
                raise _Broken(1, f"operator {name!r} would hide Airflow's {class_name(name)}; rename this file")
            if keyword.iskeyword(name) or keyword.iskeyword(class_name(name)):
                raise _Broken(1, f"operator {name!r} is a word of Python; rename this file")
            if other := classes.get(class_name(name)):
                raise _Broken(1, f"operator {name!r} has the class of operator {other!r}; rename this file")
            classes[class_name(name)] = name
            operators[name] = _read(name, project, path, own=True)
        except _Broken as broken:
            problems.append(Problem(path, broken.line, 1, "known-operator", broken.message))
    return Catalog(operators, frozenset(standard_names | own_names), tuple(problems))


def _modules(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.py") if _MODULE.fullmatch(path.stem)}


def _read(name: str, root: Path, path: str, *, own: bool) -> Operator:
    found = read_inside(root, path)
    if isinstance(found, str):
        raise _Broken(1, found)
    try:
        return _operator(name, path, found.decode("utf-8"), own=own)
    except UnicodeDecodeError:
        raise _Broken(1, "the file is not UTF-8 text") from None
    except _UNREADABLE as error:
        line = error.lineno or 1 if isinstance(error, SyntaxError) else 1
        what = error.msg if isinstance(error, SyntaxError) else "nested too deeply or not Python at all"
        raise _Broken(line, f"the file cannot be read as Python: {what}") from None


def _operator(name: str, path: str, source: str, *, own: bool) -> Operator:
    import griffe

    from windlass.catalog.class_values import ClassValues

    values = ClassValues()
    module = griffe.visit(name, filepath=Path(path), code=source, extensions=griffe.Extensions(values))
    wanted = class_name(name)
    found = module.members.get(wanted)
    if not isinstance(found, griffe.Class):
        classes = [member.name for member in module.members.values() if isinstance(member, griffe.Class)]
        raise _Broken(1, f"operator {name!r} needs a class {wanted!r} here{near(wanted, classes)}")
    parameters = {parameter.name: parameter for parameter in _parameters(found)}
    if odd := next((key for key in parameters if not key.isascii()), None):
        raise _Broken(found.lineno or 1, f"{wanted}: write the argument {odd!r} in letters from a to z")
    inputs = _ports(wanted, "inputs", values)
    if inputs and not _fills_inputs(found, values):
        message = f"{wanted}.template_fields must hold 'inputs': else Airflow neither fills them in nor waits for them"
        raise _Broken(found.lineno or 1, message)
    return Operator(
        name=name,
        class_name=wanted,
        description=found.docstring.value if found.docstring else "",
        arguments={key: _argument(value) for key, value in parameters.items() if key not in _NOT_ARGUMENTS},
        inputs=inputs,
        outputs=_ports(wanted, "outputs", values),
        needs=tuple(key for key in ("inputs", "outputs") if key in parameters and parameters[key].required),
        own=own,
        endings=template_endings(wanted, values),
    )


def _parameters(found: "griffe.Class") -> Iterator["griffe.Parameter"]:
    import griffe

    variadic = (griffe.ParameterKind.var_positional, griffe.ParameterKind.var_keyword)
    initializer = found.members.get("__init__")
    if isinstance(initializer, griffe.Function):
        yield from (parameter for parameter in initializer.parameters if parameter.kind not in variadic)


def _argument(parameter: "griffe.Parameter") -> Argument:
    annotation = "" if parameter.annotation is None else str(parameter.annotation)
    default = None if parameter.default is None else str(parameter.default)
    return Argument(annotation.strip("'\""), default)


def _fills_inputs(found: "griffe.Class", values: "ClassValues") -> bool:
    """Whether Airflow treats `inputs` as a template; taken for granted where a base class of its own may say so."""
    node = values.nodes.get((found.name, "template_fields"))
    if node is None:
        return [str(base) for base in found.bases] != ["BaseOperator"]
    try:
        return "inputs" in ast.literal_eval(node)
    except _UNREADABLE:
        return True


def _ports(wanted: str, attribute: str, values: "ClassValues") -> dict[str, str]:
    node = values.nodes.get((wanted, attribute))
    if node is None:
        return {}
    try:
        ports = ast.literal_eval(node)
    except _UNREADABLE:
        ports = None
    if not isinstance(ports, dict) or not all(isinstance(text, str) for pair in ports.items() for text in pair):
        message = f"{wanted}.{attribute} must be a literal mapping of ports to extensions, like {{'data': '.csv'}}"
        raise _Broken(node.lineno, message)
    return ports
