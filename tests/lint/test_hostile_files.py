"""Hostile files: lint says one thing about each, quickly, and does nothing that a file asks for."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TASKS = "tasks: {a: {b: {operator_type: s3_to_file, key: %s, outputs: {data: a.csv}}}}\n"


def pipeline(key: str) -> bytes:
    return ("dag: {name: x}\n" + TASKS % key).encode()


def many_tasks(count: int) -> bytes:
    tasks = "".join(f"    t{i}: {{operator_type: s3_to_file, key: a, needs: [x.unknown{i}]}}\n" for i in range(count))
    return f"dag: {{name: x}}\ntasks:\n  a:\n{tasks}".encode()


def all_need_all(count: int) -> bytes:
    tasks = "".join(f"    t{i}: {{operator_type: s3_to_file, key: a, needs: [a]}}\n" for i in range(count))
    return f"dag: {{name: x}}\ntasks:\n  a:\n{tasks}".encode()


def nested_groups(depth: int) -> bytes:
    return b"dag: {name: x}\ntasks: " + b"{a: " * depth + b"{operator_type: s3_to_file}" + b"}" * depth


def overlays(count: int, tasks: int) -> bytes:
    written = "".join(
        f"    t{i}: {{operator_type: s3_to_file, key: a, outputs: {{data: a.csv}}}}\n" for i in range(tasks)
    )
    over = "".join(f"  e{i}: {{tasks: {{a: {{t0: {{key: b{i}}}}}}}}}\n" for i in range(count))
    return f"dag: {{name: x}}\ntasks:\n  a:\n{written}environments:\n{over}".encode()


def text_file(content: bytes) -> Callable[[Path], None]:
    def write(project: Path) -> None:
        (project / "pipelines/x.yml").write_bytes(content)

    return write


def link(path: str, target: str) -> Callable[[Path], None]:
    def write(project: Path) -> None:
        (project / path).parent.mkdir(exist_ok=True)
        (project / path).symlink_to(target)

    return write


def template(content: str, use: str = "template: t@1") -> Callable[[Path], None]:
    def write(project: Path) -> None:
        (project / "templates").mkdir()
        (project / "templates/t@1.yml").write_text(content)
        (project / "pipelines/x.yml").write_text(f"dag: {{name: x}}\n{use}\n")

    return write


def link_of_templates(project: Path) -> None:
    (project / "templates").symlink_to("/etc")
    (project / "defaults.yml").symlink_to("/etc/passwd")
    (project / ".windlass").mkdir()
    (project / ".windlass/platform").symlink_to("/etc")
    (project / "pipelines/x.yml").write_bytes(pipeline("a"))


def operator(source: bytes) -> Callable[[Path], None]:
    def write(project: Path) -> None:
        (project / "operators").mkdir()
        (project / "operators/own.py").write_bytes(source)
        (project / "pipelines/x.yml").write_bytes(pipeline("a").replace(b"s3_to_file, key: a", b"own"))

    return write


def folder_in_place_of_a_file(project: Path) -> None:
    (project / "pipelines/x.yml").mkdir()


def pipe_in_place_of_a_file(project: Path) -> None:
    os.mkfifo(project / "pipelines/x.yml")


def model_of_other_files(project: Path) -> None:
    (project / "models").mkdir()
    (project / "models/m.yml").write_text(
        "data: {a: ../../etc/passwd}\ncode: [link]\noutputs: {metrics: m.json}\nfiles: []\n"
        "train: {docker_image: i, resource_flavor: f, execution_time: 1 hour, execution_script: '{a} {metrics}'}\n"
    )
    (project / "link").symlink_to("/etc")


HEADER = "template: {description: d, parameters: {p: {type: %s, description: d}}}\n"
TEXT = HEADER % "string" + TASKS % '"$[[ parameters.p ]]"'
MANY = "tasks: {a: {b: {operator_type: notify, connection: a, message: [%s]}}}\n"
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 10)}]\n" for i in range(9)
)
MARKS = b"".join(b"# windlass: ignore[known-pool] %d\n" % i for i in range(20_000))
OWN = b"class Own:\n    inputs = %s\n    def __init__(self, *, outputs): ...\n"
HOSTILE: dict[str, tuple[Callable[[Path], None], str]] = {
    "python tag": (text_file(pipeline("!!python/object/apply:os.system ['touch /tmp/x']")), r"tag .* not allowed"),
    "python name": (text_file(b"!!python/name:os.system\n"), r"tag .* not allowed"),
    "billion laughs": (text_file(LAUGHS.encode()), r"more than 50,000 values"),
    "alias to itself": (text_file(b"dag: &a {name: *a}\n"), r"has no anchor before it"),
    "a hundred thousand brackets": (text_file(b"[" * 100_000), r"nested more than 40 deep"),
    "a hundred thousand braces": (text_file(b"{a: " * 100_000), r"nested more than 40 deep"),
    "NUL": (text_file(b"dag: \x00\n"), r"U\+0000 is not allowed"),
    "bad UTF-8": (text_file(b"dag: \xff\xfe\xfa\n"), r"not UTF-8"),
    "UTF-16": (text_file("dag: {name: x}\n".encode("utf-16")), r"not UTF-8"),
    "escape codes": (text_file(b"dag: \x1b[31m\n"), r"U\+001B is not allowed"),
    "10 MB line": (text_file(b"dag: " + b"x" * 10_000_000), r"at most 1,000,000 are read"),
    "1 MB value": (text_file(pipeline("a").replace(b"s3_to_file", b"x" * 900_000)), r"there is no operator 'xxx"),
    "empty": (text_file(b""), r"the file is empty"),
    "comment only": (text_file(b"# nothing\n"), r"the file is empty"),
    "a word": (text_file(b"hello\n"), r"must be a mapping"),
    "900 tasks with unknown needs": (text_file(many_tasks(900)), r"more problems of this rule follow"),
    "500 tasks that need all 500": (text_file(all_need_all(500)), r"a circle: a.t0 -> a.t0 "),
    "2,000 tasks": (text_file(many_tasks(2_000)), r"more than 1,000 tasks"),
    "groups in 35 groups": (text_file(nested_groups(35)), r"more than 5 groups"),
    "groups in a hundred groups": (text_file(nested_groups(100)), r"nested more than 40 deep"),
    "a wide tree of groups": (
        text_file(b"dag: {name: x}\ntasks: {a: {" + b", ".join(b"g%d: {}" % i for i in range(5_000)) + b"}}\n"),
        r"a task needs one of",
    ),
    "20 environments of 300 tasks": (text_file(overlays(20, 300)), r"1 file, no problems"),
    "100 environments": (text_file(overlays(100, 1)), r"at most 20"),
    "overlay of a name": (
        text_file(
            pipeline("a") + b"environments: {prod: {dag: {name: y}, tasks: {a: {c: {key: b}, b: {needs: []}}}}}\n"
        ),
        r"(?s)dag.name cannot differ.*there is no task or group 'a.c'.*needs is structure",
    ),
    "20,000 unknown keys": (
        text_file(("dag:\n" + "".join(f"  k{i}: 1\n" for i in range(20_000))).encode()),
        r"more problems of this kind",
    ),
    "Jinja gadget": (text_file(pipeline("\"{{ ''.__class__.__mro__[1].__subclasses__() }}\"")), r"1 file, no problems"),
    "templates in every name": (
        text_file(b"dag: {name: '{{ 7*7 }}'}\ntasks: {'{% x %}': {}}\n"),
        r"cannot be used as a name",
    ),
    "import path as operator": (text_file(pipeline("a").replace(b"s3_to_file", b"os.system")), r"there is no operator"),
    "import path that only looks like Airflow's": (
        text_file(pipeline("a").replace(b"s3_to_file", b"airflow.x.Y;import os.Z")),
        r"there is no operator",
    ),
    "import path of an operator": (
        text_file(
            pipeline("a").replace(b"s3_to_file", b"airflow.no.such.Thing").replace(b", outputs: {data: a.csv}", b"")
        ),
        r"1 file, no problems",
    ),
    "SQL of a foreign file": (text_file(pipeline("{file: ../../etc/passwd}")), r"no path inside the project"),
    "docs of a foreign file": (
        text_file(pipeline("a").replace(b"x}", b"x, docs: /etc/passwd.md}")),
        r"no path inside the project",
    ),
    "schedule of a thousand assets": (
        text_file(pipeline("a").replace(b"x}", b"x, schedule: {assets: [" + b"a, " * 20_000 + b"a]}}")),
        r"1 file, no problems",
    ),
    "parameters of the wrong kind": (
        text_file(pipeline("a").replace(b"x}", b"x, params: {a: {type: integer, default: b}, c: 3, d: {type: x}}}")),
        r"(?s)is not of the type integer.*must be a mapping.*there is no type 'x'",
    ),
    "path as operator": (text_file(pipeline("a").replace(b"s3_to_file", b"../../evil")), r"there is no operator"),
    "time zone that is a path": (
        text_file(pipeline("a").replace(b"x}", b"x, timezone: ../../../etc/passwd}")),
        r"time zone",
    ),
    "20,000 ignore comments": (text_file(MARKS + pipeline("a")), r"known-pool|no problems"),
    "ignore comment of a thousand brackets": (
        text_file(pipeline("a") + b"# windlass: ignore" + b"[" * 100_000 + b"\n"),
        r"say which rule",
    ),
    "ignore comment in a file that is no YAML": (
        text_file(b"# windlass: ignore[syntax] no\na: [\n"),
        r"cannot be ignored",
    ),
    "a megabyte that is nearly a password": (
        text_file(pipeline("a").replace(b"x}", b"x, description: '" + b"a://b:" * 150_000 + b"'}")),
        r"no problems",
    ),
    "a megabyte that is nearly a key": (
        text_file(pipeline("a").replace(b"x}", b"x, description: '" + b"-----BEGIN A A " * 60_000 + b"'}")),
        r"no problems",
    ),
    "template that reads a file": (
        text_file(pipeline("\"{{ var.value['a' * 99999] }}{{ conn.\"").replace(b"key", b"key")),
        r"no problems|1:|2:",
    ),
    "schedule of every minute of eight years": (
        text_file(pipeline("a").replace(b"x}", b"x, schedule: '* * * * *', run_time: 1 hour}")),
        r"runs start 1 minute apart",
    ),
    "link to the password file": (link("pipelines/x.yml", "/etc/passwd"), r"leads out of the project"),
    "link to nowhere": (link("pipelines/x.yml", "nowhere"), r"no such file"),
    "link to itself": (link("pipelines/x.yml", "x.yml"), r"no such file"),
    "link to a device": (link("pipelines/x.yml", "/dev/zero"), r"leads out of the project"),
    "linked folder": (link("models", "/etc"), r"nothing to check|leads out"),
    "folder called x.yml": (folder_in_place_of_a_file, r"is a directory"),
    "named pipe": (pipe_in_place_of_a_file, r"not a regular file"),
    "model of foreign files": (model_of_other_files, r"leads out of the project"),
    "operator that runs code": (
        operator(OWN % b"__import__('os').system('touch /tmp/x')"),
        r"must be a literal mapping",
    ),
    "operator that is no Python": (operator(b"class Own(:\n"), r"cannot be read as Python"),
    "operator with NULs": (operator(b"\x00"), r"cannot be read as Python"),
    "operator of brackets": (operator(b"x = " + b"(" * 100_000), r"cannot be read as Python"),
    "operator of minus signs": (operator(b"x = " + b"-" * 100_000 + b"1"), r"cannot be read as Python"),
    "operator with a deep name": (operator(b"x = a" + b".a" * 50_000), r"cannot be read as Python|needs a class"),
    "operator with a deep literal": (operator(OWN % (b"[" * 150 + b"]" * 150)), r"must be a literal|cannot be read"),
    "operator of no class": (operator(b"import os\n"), r"needs a class 'Own'"),
    "operator in Latin-1": (operator(b"# \xe4\n"), r"not UTF-8"),
    "template that is a path": (template(TEXT, "template: ../../etc/passwd@1"), r"not of the form NAME@VERSION"),
    "template with a NUL in its name": (template(TEXT, 'template: "t\\0@1"'), r"not of the form NAME@VERSION"),
    "template that uses itself": (template("template: t@1\n"), r"a template cannot use another template"),
    "template of a template": (
        template(TEXT, "template: t@1\nwith: {p: '$[[ parameters.p ]] {{ ds }} !!python/name:os.system'}"),
        r"2 files, no problems",
    ),
    "parameters that grow": (
        template(
            HEADER % "array" + MANY % ", ".join(['"$[[ parameters.p ]]"'] * 1_000),
            f"template: t@1\nwith: {{p: [{', '.join('x' * 1_000)}]}}",
        ),
        r"with its parameters, template 't@1' has more than 50,000 values",
    ),
    "text of parameters that grows": (
        template(
            HEADER % "string" + TASKS % f"'{'$[[ parameters.p ]]' * 10_000}'",
            f"template: t@1\nwith: {{p: '{'x' * 100_000}'}}",
        ),
        r"with its parameters, template 't@1' has more than",
    ),
    "parameter that nests": (
        template(
            HEADER % "array" + TASKS % ("[" * 30 + '"$[[ parameters.p ]]"' + "]" * 30),
            f"template: t@1\nwith: {{p: {'[' * 30}{']' * 30}}}",
        ),
        r"nested more than 40 deep",
    ),
    "pattern that never ends": (
        template(
            (TEXT.replace("description: d}}", "description: d, pattern: '(a+)+b'}}")),
            f"template: t@1\nwith: {{p: {'a' * 50_000}}}",
        ),
        r"does not have the form",
    ),
    "pattern of patterns": (
        template(TEXT.replace("description: d}}", "description: d, pattern: '((x{1000}){1000}){1000}'}}")),
        r"is no regular expression",
    ),
    "8,000 keys under 8,000 keys": (
        template(
            TEXT + "dag: {" + ", ".join(f"k{i}: $" for i in range(8_000)) + "}\n",
            "template: t@1\nwith: {p: a}\ntasks: {a: {b: {" + ", ".join(f"k{i}: $" for i in range(8_000)) + "}}}",
        ),
        r"more problems of this (kind|rule)",
    ),
    "links in place of templates and defaults": (link_of_templates, r"defaults.yml:1:1: .* leads out of the project"),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What lint did with each hostile project, all in one process under the watch."""
    folder = tmp_path_factory.mktemp("hostile")
    for name, (write, _) in HOSTILE.items():
        (folder / name / "pipelines").mkdir(parents=True)
        write(folder / name)
    done = watch(WATCH.read_text(), folder)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


WATCH = Path(__file__).with_name("watched_lint.py")


def watch(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, folder], capture_output=True, text=True, timeout=60, check=False, cwd=folder
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_a_problem_and_nothing_else(name: str, results: dict[str, dict[str, Any]]) -> None:
    result = results[name]
    assert result["code"] in (0, 1, 2)
    assert "Traceback" not in result["said"]
    assert re.search(HOSTILE[name][1], result["said"]), result["said"][:2000]
    assert all(len(line) < 1000 for line in result["said"].splitlines())
    assert result["seconds"] < 2, "under a second on a machine that does nothing else"


@pytest.mark.parametrize(
    "forbidden",
    [
        "open('/etc/passwd')",
        "open('y', 'w')",
        "__import__('subprocess').run(['true'])",
        "socket.socket()",
        "import own_code",
        "import boto3",
    ],
)
def test_the_watch_itself_sees_what_it_forbids(forbidden: str, tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project/own_code.py").write_text("x = 1\n")
    done = watch(WATCH.read_text().replace("            main()\n", f"            {forbidden}\n"), tmp_path)
    assert done.returncode == 99, done.stderr
