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

from tests.conftest import examples
from tests.render.every_key_project import files as project_of_every_key
from tests.render.every_key_project import places, with_texts
from tests.render.whole_pipelines import as_yaml

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
    "20,000 groups": (
        text_file(b"dag: {name: x}\ntasks:\n" + b"".join(b"  k%d: {k: 1}\n" % i for i in range(20_000))),
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
    "template with a NUL in its name": (template(TEXT, 'template: "t\\0@1"'), r"U\+0000 is not allowed"),
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


KINDS = (
    "pipelines/x.yml",
    "models/m.yml",
    "environments/e.yml",
    "templates/t@1.yml",
    "defaults.yml",
    "pipelines/defaults.yml",
)
NO_DOCUMENT: dict[str, bytes] = {
    "constructor of Python": b"a: !!python/object/new:os.system [true]\n",
    "module of Python": b"a: !!python/module:antigravity\n",
    "multi of Python": b"!!python/object/apply:subprocess.run\nargs: [[true]]\n",
    "own tag": b"a: !include /etc/passwd\n",
    "tag with a prefix": b"%TAG !x! tag:yaml.org,2002:python/\n---\na: !x!name:os.system\n",
    "version of the future": b"%YAML 9.9\n---\na: 1\n",
    "binary": b"a: !!binary AAAA\n",
    "set": b"a: !!set {b, c}\n",
    "timestamp with a tag": b"a: !!timestamp 2026-01-31\n",
    "merge key": b"a: &a {b: 1}\nc: {<<: *a}\n",
    "list as a key": b"? [a, b]\n: c\n",
    "mapping as a key": b"{a: b}: c\n",
    "alias as a key": b"a: &a b\n*a : c\n",
    "tab before a key": b"a:\n\tb: c\n",
    "nothing but a tab": b"\t\n- a\n\t- b\n",
    "ten thousand lists in lists": b"[" * 10_000 + b"]" * 10_000,
    "ten thousand mappings in mappings": b"{a: " * 10_000 + b"1" + b"}" * 10_000,
    "ten thousand lists in blocks": b"- " * 10_000 + b"a\n",
    "laughs in billions": b"a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    + b"".join(b"%c: &%c [%s]\n" % (98 + i, 98 + i, b", ".join([b"*%c" % (97 + i)] * 10)) for i in range(9)),
    "laughs in one line": b"a: [&a [1, 2], &b [*a, *a], " + b", ".join([b"*b"] * 20_000) + b"]\n",
    "anchor of a hundred thousand letters": b"a: &" + b"x" * 100_000 + b" [*" + b"x" * 100_000 + b"]\n",
    "UTF-16 with its mark": "a: 1\n".encode("utf-16"),
    "UTF-32 with its mark": "a: 1\n".encode("utf-32"),
    "half a character": b"a: \xc3\n",
    "half of a pair": b"a: \xed\xa0\x80\n",
    "overlong slash": b"a: ..\xc0\xaf..\n",
    "NUL in a key": b"a\0b: 1\n",
    "escape of half a pair": b'a: "\\ud800"\n',
    "NUL as an escape": b'a: "\\0"\n',
    "two documents": b"a: 1\n---\nb: 2\n",
    "a line of ten megabytes": b"# " + b"x" * 10_000_000,
    "text without an end": b'a: "' + b"x" * 500_000,
    "brackets that do not match": b"a: [}\n",
    "a comma and no more": b",\n",
    "a percent sign": b"%\n",
    "only marks": b"---\n...\n---\n",
}
"""What no reader should make anything of, wherever it stands."""
ODD_VALUES: dict[str, bytes] = {
    "a hundred thousand digits": b"dag: " + b"9" * 100_000 + b"\n",
    "a hundred thousand digits after a point": b"dag: 0." + b"9" * 100_000 + b"\n",
    "a number that is infinite": b"dag: 1e999999\ntasks: .inf\n",
    "a timestamp": b"dag: 2026-01-31 00:00:00\n",
    "a mark of UTF-8 first": b"\xef\xbb\xbfdag: 1\n",
    "a key of a hundred thousand letters": b"k" * 1_000 + b": 1\n? " + b"k" * 100_000 + b"\n: 1\n",
    "a thousand anchors": b"".join(b"k%d: &a%d 1\n" % (i, i) for i in range(1_000)),
    "ends of lines of an old Mac": b"dag: 1\rtasks: 2\r",
    "keys that are numbers and nothing": b"1: a\n~: b\ntrue: c\n1.5: d\n",
}
"""What YAML can hold and no kind of file takes."""


def everywhere(content: bytes) -> Callable[[Path], None]:
    def write(project: Path) -> None:
        for kind in KINDS:
            (project / kind).parent.mkdir(exist_ok=True)
            (project / kind).write_bytes(content)

    return write


def out_of_the_project(project: Path) -> None:
    """Every reference to a file leads out, by its path or by a link."""
    for folder in ("models", "environments", "templates", "operators", "sql"):
        (project / folder).mkdir()
    for path in ("models/l.yml", "environments/l.yml", "templates/l@1.yml", "operators/l.py", "sql/l.sql", "l.md"):
        (project / path).symlink_to("/etc/passwd")
    (project / "pipelines/x.yml").write_text(
        "dag: {name: x, docs: ../../etc/x.md}\ntasks:\n  a:\n    b: {operator_type: pg_to_csv, connection: c,"
        " sql: {file: ../../../etc/passwd}, outputs: {data: ../a.csv}, docs: /etc/x.md}\n"
        "    c: {operator_type: pg_to_csv, connection: c, sql: {file: sql/l.sql}, outputs: {data: a.csv}, docs: l.md}\n"
        "    d: {operator_type: ../operators/l, inputs: {a: ../../b.c}, needs: [../a]}\n"
        "    e: {operator_type: l, outputs: {data: a/b.csv}}\n"
        "    f: {operator_type: pg_to_csv, connection: c, sql: ../../etc/passwd.sql, outputs: {data: a.csv}}\n"
    )
    (project / "models/m.yml").write_text(
        "data: {a: ../a.csv, b: l.md}\ncode: [../a.py, l.md, operators/../../x]\noutputs: {metrics: ../m.json}\n"
        "files: [/etc]\n"
        "train: {docker_image: i, resource_flavor: f, execution_time: 1 hour, execution_script: '{a} {b} {metrics}'}\n"
    )
    (project / "environments/e.yml").write_text("extends: ../../etc/passwd\n")


def modules_that_run(project: Path) -> None:
    """Modules called like those that Python or windlass import; each would leave a mark."""
    for name in ("yaml", "sitecustomize", "usercustomize", "conftest", "pydantic", "click", "os", "operators/__init__"):
        path = project / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text("open('/tmp/mark', 'w')\n")
    (project / "operators/own.py").write_text(
        "import os\nos.system('true')\nopen('/tmp/mark', 'w')\n\n\nclass Own:\n    outputs = {'*': ''}\n"
        "    def __init__(self, *, value=os.system('true'), key=[open(x) for x in 'ab']): ...\n"
    )
    (project / "pipelines/x.yml").write_text(
        "dag: {name: x}\ntasks:\n  a:\n    b: {operator_type: own, value: '!!python/name:os.system'}\n"
        "    c: {operator_type: airflow.example_dags.tutorial.Dag2}\n"
    )


GADGETS = (
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{% import os %}",
    "{{ config.__class__ }}",
    "${IFS}`id`$(id)",
)


def gadgets(project: Path) -> None:
    """Gadgets in place of every text of the project that writes every key."""
    for i, (path, value) in enumerate(project_of_every_key().items()):
        texts = {
            place: f"{GADGETS[(i + j) % len(GADGETS)]} {j}"
            for j, (place, label) in enumerate(places({path: value}))
            if not label.endswith("(word)")
        }
        (project / path).parent.mkdir(exist_ok=True)
        (project / path).write_text(as_yaml(with_texts({path: value}, texts)[path]))


HOSTILE |= {
    "a way out in every reference": (
        out_of_the_project,
        r"(?s)environments/e.yml:1.*environments/l.yml:1.*models/l.yml:1.*models/m.yml:1.*operators/l.py:1.*"
        r"pipelines/x.yml:1.*pipelines/x.yml:4.*pipelines/x.yml:5.*pipelines/x.yml:6.*pipelines/x.yml:7",
    ),
    "modules that run when they are imported": (modules_that_run, r"no problems"),
    "gadgets in place of every text": (gadgets, r"pipelines/x.yml:1:.*cannot be used as a name"),
    **{name: (everywhere(content), "") for name, content in (NO_DOCUMENT | ODD_VALUES).items()},
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What lint did with each hostile project, all in one process under the watch."""
    folder = tmp_path_factory.mktemp("hostile")
    for name, (write, _) in HOSTILE.items():
        (folder / name / "pipelines").mkdir(parents=True)
        write(folder / name)
    every = ["all"] if examples(100).max_examples > 100 else []
    done = watch(WATCH.read_text(), folder, *every)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


WATCH = Path(__file__).with_name("watched_lint.py")


def watch(program: str, folder: Path, *every: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, folder, *every],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=folder,
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_a_problem_and_nothing_else(name: str, results: dict[str, dict[str, Any]]) -> None:
    lint = results[name]["lint"]
    assert re.search(HOSTILE[name][1], lint["said"]), lint["said"][:2000]
    assert all(len(line) < 1000 for line in lint["said"].splitlines())
    for command, result in results[name].items():
        assert result["code"] in (None, 0, 1, 2), (command, result["said"][-2000:])
        assert "Traceback" not in result["said"], (command, result["said"][-2000:])
        assert result["seconds"] < 2, f"{command} takes under a second on a machine that does nothing else"


@pytest.mark.parametrize("name", [*NO_DOCUMENT, *ODD_VALUES])
def test_what_is_no_document_is_a_problem_of_every_kind_of_file(name: str, results: dict[str, dict[str, Any]]) -> None:
    lines = results[name]["lint"]["said"].splitlines()
    found = {
        kind: [line for line in lines if re.match(rf"{re.escape(kind)}:[1-9]\d*:[1-9]\d*: ", line)] for kind in KINDS
    }
    assert [kind for kind in KINDS if not found[kind]] == [], lines[:20]


def test_what_lint_refuses_is_not_rendered_and_what_it_takes_is(results: dict[str, dict[str, Any]]) -> None:
    for name, result in results.items():
        is_right = result["lint"]["code"] in (None, 0)
        assert "render" not in result or is_right == (result["render"]["code"] in (None, 0)), (
            name,
            result["render"]["said"][-2000:],
        )


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
