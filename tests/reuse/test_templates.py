"""Pipelines made from templates: what they become, and where their problems are."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.lint.check import check_project
from windlass.lint.report import lint
from windlass.render.project import render_project
from windlass.spec.document import parse_document
from windlass.spec.layer import inside
from windlass.spec.pipeline import Pipeline
from windlass.spec.resolved import resolved
from windlass.spec.shelf import Shelf
from windlass.spec.substitute import filled, names_in, strays_in

from .shop import FILES, ORDERS, TEMPLATE, check, said, write


def orders(folder: Path, **changes: str) -> Pipeline:
    report = check(folder, **changes)
    assert not report.problems, said(report)
    return report.pipelines["pipelines/orders.yml"]


def test_three_lines_become_a_whole_pipeline(tmp_path: Path) -> None:
    pipeline = orders(tmp_path)
    assert pipeline.dag.schedule == "0 3 * * *"
    assert list(pipeline.task_ids) == ["extract.rows", "load.rows"]
    assert pipeline.task_ids["extract.rows"].arguments["sql"] == "select * from orders limit 1000"
    assert pipeline.origins == ("templates/etl@2.yml",)


def test_a_parameter_that_is_the_whole_value_keeps_its_type(tmp_path: Path) -> None:
    template = TEMPLATE.replace("retries: 3", 'retries: "$[[ parameters.rows ]]"')
    pipeline = orders(
        tmp_path, template=template, orders=ORDERS.replace("table: orders", "table: orders, rows: 7, columns: [a, b]")
    )
    assert pipeline.dag.retries == 7
    assert pipeline.task_ids["extract.rows"].arguments["columns"] == ["a", "b"]


def test_what_the_pipeline_says_is_laid_over_the_template(tmp_path: Path) -> None:
    own = (
        ORDERS.replace("orders}", "orders, retries: 1, tags: [a]}", 1)
        + "tasks:\n  report: {done: {operator_type: notify, connection: chat, message: done}}\n"
        + "  extract: {rows: {retries: 9, connection: other}, "
        "more: {operator_type: s3_to_file, key: a, outputs: {d: a}}}\n"
    )
    pipeline = orders(tmp_path, orders=own)
    assert (pipeline.dag.retries, pipeline.dag.tags, pipeline.dag.schedule) == (1, ["a"], "0 3 * * *")
    assert list(pipeline.task_ids) == ["extract.rows", "extract.more", "load.rows", "report.done"], (
        "the template's first"
    )
    assert pipeline.task_ids["extract.rows"].retries == 9
    assert pipeline.task_ids["extract.rows"].arguments["connection"] == "other"


def test_a_schedule_is_replaced_as_a_whole(tmp_path: Path) -> None:
    template = TEMPLATE.replace('schedule: "0 3 * * *"', "schedule: {every: 2 hours}")
    pipeline = orders(
        tmp_path, template=template, orders=ORDERS.replace("orders}", "orders, schedule: {assets: [a]}}", 1)
    )
    assert "assets" in str(resolved(pipeline).dag["schedule"])


def test_environments_of_the_template_and_of_the_pipeline_come_together(tmp_path: Path) -> None:
    pipeline = orders(
        tmp_path,
        template=TEMPLATE + "environments: {dev: {dag: {schedule: null}, tasks: {extract: {rows: {retries: 0}}}}}\n",
        orders=ORDERS + "environments: {dev: {tasks: {extract: {rows: {pool: p}}}}, prod: {dag: {retries: 5}}}\n",
    )
    dev, prod = pipeline.variants["dev"], pipeline.variants["prod"]
    assert dev.dag.schedule is None
    assert (dev.task_ids["extract.rows"].retries, dev.task_ids["extract.rows"].pool) == (0, "p")
    assert prod.dag.retries == 5
    assert prod.dag.schedule == "0 3 * * *"


def test_two_versions_stand_side_by_side(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "templates/etl@1.yml": TEMPLATE.replace("retries: 3", "retries: 1")})
    write(tmp_path, {"pipelines/old.yml": ORDERS.replace("name: orders", "name: old").replace("@2", "@1")})
    report = check_project(tmp_path, None)
    assert {problem.rule for problem in report.problems} == {"newest-template"}
    assert [pipeline.dag.retries for _, pipeline in sorted(report.pipelines.items())] == [1, 3]
    assert Shelf(tmp_path).versions == {"etl": [1, 2]}


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        (ORDERS.replace("etl@2", "elt@2"), "orders.yml:2:11: there is no template 'elt@2'; did you mean 'etl@2'?"),
        (ORDERS.replace("etl@2", "etl@3"), "orders.yml:2:11: template 'etl' has no version 3; it has 2"),
        (ORDERS.replace("etl@2", "etl"), "orders.yml:2:11: template: 'etl' is not of the form NAME@VERSION"),
        (ORDERS.replace("etl@2", "../etl@2"), "orders.yml:2:11: template: '../etl@2' is not of the form NAME@VERSION"),
        (ORDERS.replace("etl@2", "[etl]"), "orders.yml:2:11: template: ['etl'] is not of the form"),
        (ORDERS.replace("template: etl@2\n", ""), "orders.yml:2:1: with is for the parameters of a template"),
        (ORDERS.replace("table:", "tabel:"), "orders.yml:3:8: template 'etl@2' has no parameter 'tabel'; did you mean"),
        (ORDERS.replace("table:", "tabel:"), "orders.yml:3:1: template 'etl@2' needs the parameter 'table' in with"),
        (ORDERS.replace("with: {table: orders}\n", ""), "orders.yml:2:1: template 'etl@2' needs the parameter 'table'"),
        (
            ORDERS.replace("orders}\n", "3}\n").replace("name: 3", "name: orders"),
            "3:15: table: the value 3 is not of the",
        ),
        (ORDERS.replace("table: orders", "table: a b"), "orders.yml:3:15: table: 'a b' does not have the form [a-z_]+"),
        (
            ORDERS.replace("table: orders", "table: a, rows: 0"),
            "orders.yml:3:24: rows: the value 0 is less than the min",
        ),
        (ORDERS.replace("table: orders", "table: a, columns: [3]"), "orders.yml:3:27: argument 'columns' of operator"),
        (ORDERS.replace("{table: orders}", "[a]"), "orders.yml:3:7: with must be a mapping"),
    ],
)
def test_a_wrong_use_is_a_problem_at_the_pipelines_line(orders: str, expected: str, tmp_path: Path) -> None:
    report = check(tmp_path, orders=orders)
    assert any(expected in line for line in said(report)), said(report)
    assert report.pipelines == {} or "argument" in expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("retries: 3", "retires: 3", "etl@2.yml:9:3: unknown key 'retires' in dag; did you mean 'retries'?"),
        ("retries: 3", "retries: x", "etl@2.yml:9:12: retries must be a whole number, not 'x'"),
        ("connection: shop", "connexion: shop", "etl@2.yml:14:7: operator 'pg_to_csv' has no argument 'connexion'"),
        ("extract.rows.data}", "extract.row.data}", "etl@2.yml:20:100: there is no task 'extract.row'"),
    ],
)
def test_a_problem_inside_the_template_is_there_and_names_who_uses_it(
    old: str, new: str, expected: str, tmp_path: Path
) -> None:
    write(tmp_path, {"pipelines/clients.yml": ORDERS.replace("orders", "clients")})
    report = check(tmp_path, template=TEMPLATE.replace(old, new))
    found = [line for line in said(report) if expected in line]
    assert len(found) == 1, said(report)
    assert "(used by pipelines/clients.yml and 1 more)" in found[0]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("$[[ parameters.table ]] limit", "$[[ parameters.tabel ]] limit", "15:12: there is no parameter 'tabel'"),
        ("$[[ parameters.table ]] limit", "$[[ table ]] limit", "15:12: '$[[ table ]]' is no parameter; write"),
        ("$[[ parameters.table ]] limit", "$[[ parameters.columns ]] limit", "the parameter 'columns' is a list"),
        ("dag:\n", "dag:\n  name: x\n", "8:3: the name is the pipeline's own"),
        ("dag:\n", "dag:\n  $[[ parameters.table ]]: x\n", "a parameter can stand in a value, not in a key"),
        (", minimum: 1", ", minimun: 1", "unknown key 'minimun' in template.parameters.rows; did you mean 'minimum'?"),
        ("The table,", "The table, default: A,", "'A' does not have the form [a-z_]+"),
        ('"[a-z_]+"', '"(?=x)"', "is no regular expression without look-around"),
        ("description: Its columns, ", "", "key 'description' is missing in template.parameters.columns"),
        (" limit $[[ parameters.rows ]]", "", "6:5: nothing in the template takes the parameter 'rows'"),
        ("tasks:\n", "task:\n", "unknown key 'task' in the file; did you mean 'tasks'?"),
        (TEMPLATE[: TEMPLATE.index("dag:")], "template: base@1\n", "1:11: a template cannot use another template"),
    ],
)
def test_a_wrong_template_is_a_problem_of_its_own(old: str, new: str, expected: str, tmp_path: Path) -> None:
    report = check(tmp_path, template=TEMPLATE.replace(old, new, 1))
    found = [line for line in said(report) if line.startswith("templates/etl@2.yml:") and expected in line]
    assert found, said(report)
    assert report.pipelines == {}


def test_a_pipeline_of_a_broken_template_says_so_once(tmp_path: Path) -> None:
    report = check(tmp_path, template="dag: [\n")
    assert [line.partition(": ")[0] for line in said(report)] == [
        "pipelines/orders.yml:2:11",
        "templates/etl@2.yml:2:1",
    ]
    assert "cannot be used before it is corrected: templates/etl@2.yml:2: " in said(report)[0]


def test_a_template_without_a_version_in_its_name_gets_advice(tmp_path: Path) -> None:
    report = check_project(write(tmp_path, {"templates/etl.yml": TEMPLATE, "pipelines/orders.yml": ORDERS}), None)
    assert "templates/etl.yml has no version; call the file etl@2.yml" in said(report)[0]
    report = check_project(write(tmp_path, {"templates/etl@two.yml": TEMPLATE}), None)
    assert any(
        "templates/etl@two.yml:1:1: a template's file is called NAME@VERSION.yml" in line for line in said(report)
    )


def test_a_template_of_the_platform_is_found_and_the_repositorys_own_wins(tmp_path: Path) -> None:
    platform = {
        ".windlass/platform/templates/etl@2.yml": TEMPLATE.replace(
            "sql: select * from $[[ parameters.table ]] limit $[[ parameters.rows ]]",
            'sql: {file: "sql/$[[ parameters.table ]]_$[[ parameters.rows ]].sql"}',
        ),
        ".windlass/platform/sql/orders_1000.sql": "select 1",
        "pipelines/orders.yml": ORDERS,
    }
    report = check_project(write(tmp_path, platform), None)
    assert not report.problems, said(report)
    pipeline = report.pipelines["pipelines/orders.yml"]
    assert pipeline.task_ids["extract.rows"].arguments["sql"] == {"file": ".windlass/platform/sql/orders_1000.sql"}
    assert pipeline.origins == (".windlass/platform/templates/etl@2.yml",)
    assert report.files == ["pipelines/orders.yml"], "the platform's files are not this project's to check"
    assert orders(tmp_path).origins == ("templates/etl@2.yml",)


def test_parameters_stand_in_checks_and_the_file_of_an_output_is_no_path_of_the_platform(tmp_path: Path) -> None:
    at_most, unique = ('"$[[ parameters.rows ]]"', '"$[[ parameters.columns ]]"')
    more = f", rows: {{at_most: {at_most}}}, columns: {{id: integer}}, unique: {unique}"
    wanted = {"rows": {"at_most": 1000}, "columns": {"id": "integer"}, "unique": ["id"]}
    for written, checks in (("", {}), (more, {"data": wanted})):
        template = TEMPLATE.replace("{data: rows.csv}", f"{{data: {{file: rows.csv{written}}}}}")
        write(tmp_path, {".windlass/platform/templates/etl@2.yml": template, "pipelines/orders.yml": ORDERS})
        report = check_project(tmp_path, None)
        assert not report.problems, said(report)
        task = report.pipelines["pipelines/orders.yml"].task_ids["extract.rows"]
        assert (task.filenames, task.checks) == ({"data": "rows.csv"}, checks)


def test_paths_in_a_template_of_the_platform_are_the_platforms_and_ports_are_no_paths(tmp_path: Path) -> None:
    template = (
        "template: {description: x, parameters: {table: {type: string, description: x, pattern: '.+'}}}\n"
        "tasks:\n  a:\n"
        "    rows: {operator_type: pg_to_csv, connection: shop, sql: 'sql/$[[ parameters.table ]].sql', "
        "outputs: {data: rows.csv}}\n"
        "    many: {operator_type: airflow.providers.x.Many, sql: [sql/b.sql, '$[[ parameters.table ]]']}\n"
        "    job:\n      job: {docker_image: i, execution_time: 1 hour, execution_script: 'x {sql}'}\n"
        "      inputs: {sql: a.rows.data}\n      outputs: {sql: out.sql}\n"
        "environments: {prod: {tasks: {a: {rows: {sql: sql/prod.sql}}}}}\n"
    )
    names = [f".windlass/platform/sql/{name}.sql" for name in ("orders", "b", "prod")]
    write(tmp_path, {".windlass/platform/templates/etl@2.yml": template, "pipelines/orders.yml": ORDERS})
    write(tmp_path, dict.fromkeys(names, "select 1"))
    report = check_project(tmp_path, None)
    tasks = report.pipelines["pipelines/orders.yml"].task_ids
    assert tasks["a.rows"].arguments["sql"] == names[0]
    assert tasks["a.many"].arguments["sql"] == [names[1], "orders"]
    assert tasks["a.job"].outputs == {"sql": "out.sql"}
    assert report.pipelines["pipelines/orders.yml"].variants["prod"].task_ids["a.rows"].arguments["sql"] == names[2]
    assert not [problem for problem in report.problems if problem.rule == "known-file"], said(report)


def test_the_manifest_tells_when_a_template_changed_what_a_pipeline_is(tmp_path: Path) -> None:
    def source(template: str) -> str:
        report = check(tmp_path, template=template)
        rendered = render_project(tmp_path, "shop", report.pipelines, report.catalog, {})
        return rendered.manifest.pipelines["orders"].source

    assert source(TEMPLATE) != source(TEMPLATE.replace("retries: 3", "retries: 4"))
    assert source(TEMPLATE) == source("# the same\n" + TEMPLATE)


def test_a_pipeline_without_template_keeps_the_digest_of_its_file(tmp_path: Path) -> None:
    import hashlib

    text = "dag: {name: x}\ntasks: {a: {b: {operator_type: s3_to_file, key: a, outputs: {d: a.csv}}}}\n"
    report = check_project(write(tmp_path, {"pipelines/x.yml": text}), None)
    manifest = render_project(tmp_path, "shop", report.pipelines, report.catalog, {}).manifest
    assert manifest.pipelines["x"].source == hashlib.sha256(text.encode()).hexdigest()


@given(st.text(max_size=40))
def test_a_value_comes_out_as_it_went_in_and_is_not_read_again(value: str) -> None:
    assert filled("<$[[ parameters.a ]]>", lambda _: value) == f"<{value}>"
    assert filled("$[[ parameters.a ]]$[[parameters.b]]", {"a": value, "b": "$[[ parameters.a ]]"}.__getitem__) == (
        f"{value}$[[ parameters.a ]]"
    )


@given(st.text(alphabet="$[] parmets.x{}", max_size=60))
def test_any_text_is_filled_or_called_stray(text: str) -> None:
    result = filled(text, lambda _: "")
    if not strays_in(text) and not names_in(text) and "$$[[" not in text:
        assert result == text


def test_two_dollars_stand_for_the_text_itself() -> None:
    assert filled("$$[[ parameters.a ]] $[[ parameters.a ]]", lambda _: "b") == "$[[ parameters.a ]] b"
    assert names_in("$$[[ parameters.a ]]") == set()
    assert strays_in("$$[[ a ]] $[[ a ]] x") == ["$[[ a ]]"]


def test_yaml_in_a_value_stays_text(tmp_path: Path) -> None:
    template = TEMPLATE.replace(', pattern: "[a-z_]+"', "")
    hostile = "a\\ndag: {retries: 9}\\n{{ ds }} {data} ${HOME} $[[ parameters.rows ]] \\\" ' #"
    pipeline = orders(tmp_path, template=template, orders=ORDERS.replace("{table: orders}", f'{{table: "{hostile}"}}'))
    text = parse_document("x.yml", f'a: "{hostile}"'.encode()).value["a"]
    assert pipeline.task_ids["load.rows"].arguments["table"] == text
    assert pipeline.dag.retries == 3


def test_every_value_stands_where_its_place_says(tmp_path: Path) -> None:
    files = {
        **FILES,
        "templates/etl@2.yml": TEMPLATE + "environments: {dev: {dag: {owner: nobody}}}\n",
        "defaults.yml": "dag: {owner: shop, params: {day: {type: string, default: today}}}\n"
        "operators:\n  csv_to_pg: {pool: slow, columns: &some [id, name]}\n  pg_to_csv: {pool: fast}\n"
        "environments: {dev: {dag: {retries: 7}}, prod: {dag: {retries: 8}}}\n",
        "pipelines/orders.yml": ORDERS.replace("table: orders", "table: orders, columns: [first, second]")
        + "tasks: {load: {rows: {queue: q9}}}\nenvironments: {dev: {tasks: {load: {rows: {retries: 11}}}}}\n",
    }
    write(tmp_path, files)
    document = parse_document("pipelines/orders.yml", files["pipelines/orders.yml"].encode())
    whole = Shelf(tmp_path).assembled(document)
    assert whole is not None
    seen = set()
    for location, value in inside(whole.value):
        if isinstance(value, (dict, list)) or "limit" in str(value):
            continue
        place = whole.values[location]
        path = place.path or whole.path
        line = files[path].splitlines()[place.line - 1]
        assert line[place.column - 1 :].strip("\"'").startswith(str(value)), (location, path, place)
        seen.add(path)
    assert seen == files.keys()
    for location, place in whole.keys.items():
        line = files[place.path or whole.path].splitlines()[place.line - 1]
        assert line[place.column - 1 :].startswith(str(location[-1])), (location, place)


def test_what_a_template_lacks_in_a_task_is_said_there_also_if_the_pipeline_says_more(tmp_path: Path) -> None:
    report = check(
        tmp_path,
        template=TEMPLATE.replace("      connection: shop\n", ""),
        orders=ORDERS + "tasks: {extract: {rows: {retries: 1}}}\n",
    )
    assert said(report)[0].startswith("templates/etl@2.yml:12:5: operator 'pg_to_csv' needs the argument 'connection'")


def test_a_file_that_the_pipeline_names_is_the_pipelines_own(tmp_path: Path) -> None:
    template = TEMPLATE.replace(
        "sql: select * from $[[ parameters.table ]] limit $[[ parameters.rows ]]",
        'sql: {file: "$[[ parameters.table ]]"}\n      retries: $[[ parameters.rows ]]',
    ).replace("[a-z_]+", ".+")
    write(tmp_path, {".windlass/platform/templates/etl@2.yml": template, "own.sql": "select 1"})
    write(tmp_path, {"pipelines/orders.yml": ORDERS.replace("table: orders", "table: own.sql")})
    report = check_project(tmp_path, None)
    assert not report.problems, said(report)
    arguments = report.pipelines["pipelines/orders.yml"].task_ids["extract.rows"].arguments
    assert arguments["sql"] == {"file": "own.sql"}


def test_templates_beside_environments_that_are_given_are_the_platforms(tmp_path: Path) -> None:
    write(tmp_path / "platform", {"templates/etl@2.yml": TEMPLATE.replace("retries: 3", "retires: 3")})
    (tmp_path / "platform/environments").mkdir()
    write(tmp_path / "shop", {"pipelines/orders.yml": ORDERS})
    found = lint([], tmp_path / "shop", str(tmp_path / "platform/environments"))
    assert [problem.path for problem in found.problems] == [str(tmp_path / "platform/templates/etl@2.yml")]


def test_a_platform_folder_that_is_a_link_to_elsewhere_is_not_read(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere", {"defaults.yml": "dag: {retries: 9}\n", "templates/etl@2.yml": TEMPLATE})
    plain = "dag: {name: plain}\ntasks: {a: {b: {operator_type: s3_to_file, key: a, outputs: {d: a.csv}}}}\n"
    write(tmp_path / "shop", {"pipelines/orders.yml": ORDERS, "pipelines/plain.yml": plain})
    (tmp_path / "shop/.windlass").mkdir()
    (tmp_path / "shop/.windlass/platform").symlink_to(tmp_path / "elsewhere")
    report = check_project(tmp_path / "shop", None)
    assert len(report.problems) == 3
    assert sum("leads out of the project" in line for line in said(report)) == 3
    assert report.pipelines["pipelines/plain.yml"].dag.retries == 0


# templates that no pipeline uses


BODY = """\
template:
  description: Copies a table.
  parameters:
    table: {type: string, description: Which, pattern: "[A-Z]{3}-[0-9]{4}"}
    days: {type: array, description: On which days}
    file: {type: string, description: A file of SQL, default: sql/slip.sql}
    many: {type: integer, description: How many, minimum: 10}
dag:
  schedule: "$[[ parameters.many ]] 99 * * *"
  pool: $[[ parameters.table ]]
  retires: 3
tasks:
  a:
    rows:
      operator_type: pg_to_csv
      connection: $[[ parameters.table ]]
      sql: "sql/$[[ parameters.table ]].sql"
      columns: $[[ parameters.days ]]
      outputs: {data: rows.txt}
    other: {operator_type: pg_to_csv, sql: "$[[ parameters.file ]]", outputs: {data: other.csv}}
    load: {operator_type: csv_to_pq, inputs: {data: a.row.data}}
environments:
  prod: {dag: {name: x}}
"""


def test_the_whole_body_of_a_template_that_nobody_uses_is_checked_and_no_example_is(tmp_path: Path) -> None:
    write(tmp_path, {"templates/copy@1.yml": BODY})
    report = check_project(tmp_path, None)
    assert said(report) == [
        "templates/copy@1.yml:6:63: 'sql/slip.sql': there is no such file [known-file]",
        "templates/copy@1.yml:11:3: unknown key 'retires' in dag; did you mean 'retries'? [unknown-key]",
        "templates/copy@1.yml:19:23: output 'data' of operator 'pg_to_csv' is a .csv file, not 'rows.txt' [port-type]",
        "templates/copy@1.yml:20:5: operator 'pg_to_csv' needs the argument 'connection' [known-argument]",
        "templates/copy@1.yml:21:27: there is no operator 'csv_to_pq'; did you mean 'csv_to_pg'? [known-operator]",
        "templates/copy@1.yml:21:53: there is no task 'a.row'; did you mean 'a.rows'? [known-task]",
    ]
    assert lint(["templates/copy@1.yml"], tmp_path, None).problems == report.problems


def test_once_a_pipeline_uses_it_only_what_the_pipeline_makes_of_it_counts(tmp_path: Path) -> None:
    template = "template: {description: x}\ntasks: {a: {b: {operator_type: s3_to_file, outputs: {data: a.csv}}}}\n"
    files = {"templates/etl@1.yml": template}
    assert "needs the argument 'key'" in said(check_project(write(tmp_path, files), None))[0]
    own = "dag: {name: x}\ntemplate: etl@1\ntasks: {a: {b: {key: x}}}\n"
    assert said(check_project(write(tmp_path, {"pipelines/x.yml": own}), None)) == []


def test_a_template_that_pipelines_are_to_go_on_with_is_fine(tmp_path: Path) -> None:
    template = (
        "template: {description: x, parameters: {item: {type: object, description: x}}}\n"
        "dag: {critical: true, schedule: {assets: [news]}, "
        "params: {x: {type: object, default: '$[[ parameters.item ]]'}}}\n"
        "tasks: {a: {b: {operator_type: s3_to_file, key: x, outputs: {data: a.csv}}}}\n"
    )
    write(tmp_path, {"templates/etl@1.yml": template, "templates/only@1.yml": "template: {description: x}\n"})
    write(tmp_path, {"environments/dev.yml": "s3: {code: c, models: m, data: d}\n"})
    assert said(check_project(tmp_path, None)) == []


def test_a_template_of_the_platform_that_nobody_uses_is_the_platforms_to_check(tmp_path: Path) -> None:
    write(tmp_path, {".windlass/platform/templates/copy@1.yml": BODY, "pipelines/x.yml": "dag: {name: x}\n"})
    assert [problem.path for problem in check_project(tmp_path, None).problems] == ["pipelines/x.yml"]


def test_a_pipeline_in_a_folder_of_pipelines_is_not_passed_over(tmp_path: Path) -> None:
    write(tmp_path, {"pipelines/team/x.yml": "dag: {name: x}\n", "pipelines/team/deep/defaults.yml": "dag: {}\n"})
    (tmp_path / "pipelines/link").symlink_to("/")
    (tmp_path / "pipelines/team/sql.sql").write_text("select 1")
    report = check_project(tmp_path, None)
    assert [(problem.path, problem.rule) for problem in report.problems] == [
        ("pipelines/team/deep/defaults.yml", "known-name"),
        ("pipelines/team/x.yml", "known-name"),
    ]
    assert "only files in pipelines/ itself are read" in said(report)[0]
    assert lint(["pipelines/team/x.yml"], tmp_path, None).problems == [report.problems[1]]
