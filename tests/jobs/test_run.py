"""`windlass run`: pipelines and tasks on a machine without Airflow, S3 and containers."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.jobs.laptop import ENVIRONMENT, MODEL, Laptop, job

SCRIPT = "(echo id,score; sed 1d {data} | sed s/$/,{{ params.step }}/) > {scores}"
PORTS = ", inputs: {data: extract.clients.data}, split: {input: data, rows: 2}, outputs: {scores: scores.csv}"
SCORES = f"""
  extract:
    clients: {{operator_type: s3_to_file, key: incoming/clients.csv, outputs: {{data: clients.csv}}}}
  transform:
    score: {job(SCRIPT, PORTS)}
  load:
    keep: {{operator_type: deliver, inputs: {{data: transform.score.scores}}, to: "scores/{{ds}}.csv"}}
    tell: {{operator_type: sql, connection: dwh, sql: select 1}}
"""
LIST = """echo '["x", "y z"]' > {list}; echo no > {word}"""
EACH_FILE = ", for_each: {as: file, in: b.each.out}, inputs: {file: '{file}'}, outputs: {twice: t.txt}"
CHOICES = f"""
  a:
    list: {job(LIST, ", outputs: {list: list.json, word: word.txt}")}
  b:
    each: {job("echo {item} > {out}", ", for_each: {as: item, in: a.list.list}, outputs: {out: out.txt}")}
    never: {job("exit 1", ", only_if: a.list.word, needs: [a.list]")}
    files: {job("cat {file} {file} > {twice}", EACH_FILE)}
    all: {job("ls {files}; cat {files}/* > {all}", ", inputs: {files: b.files.twice}, outputs: {all: all.txt}")}
    keep: {{operator_type: deliver, inputs: {{data: b.all.all}}, to: all.txt}}
  c:
    ask: {{approval: {{subject: Go on?}}, needs: [b.keep]}}
    way:
      branch: {{by: "{{{{ params.mode }}}}", cases: {{one: [d.one], two: [d.two]}}}}
      needs: [c.ask]
  d:
    one: {job("true", ", needs: [c.way]")}
    two: {job("true", ", needs: [c.way]")}
    last: {job("true", ", needs: [d.one, d.two], trigger_rule: none_failed_min_one_success")}
  e:
    up: {job("true", ", setup: true, needs: []")}
    work: {job("exit 1", ", needs: [e.up]")}
    down: {job("true", ", teardown: [e.up], needs: [e.work]")}
"""


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    return Laptop(tmp_path)


def test_a_pipeline_runs_as_a_whole(laptop: Laptop) -> None:
    laptop.pipeline("scores", SCORES, ", params: {step: {type: integer, default: 1}}")
    laptop.write("c.csv", "id\n1\n2\n3\n")
    given = ("--input", "data=c.csv", "--date", "2026-01-31", "--param", "step=7")
    ran = laptop.run("scores", *given, "--json")
    assert ran.code == 0, ran.err
    assert set(ran.states().values()) == {"success"}
    folder = Path(ran.json["folder"])
    assert (folder / "delivered/scores/2026-01-31.csv").read_text() == "id,score\n1,7\n2,7\n3,7\n"
    assert ran.json["tasks"]["transform.score"]["times"] == 2
    (left,) = ran.json["tasks"]["transform.score"]["outputs"]["scores"]
    assert left["rows"] == 3
    assert ran.json["tasks"]["load.tell"]["note"] == "left out: not on a laptop"
    assert (folder / "run.json").exists() and not list(folder.rglob("job"))


def test_all_that_is_missing_is_told_at_once_with_the_line_to_add(laptop: Laptop) -> None:
    laptop.write("models/m.yml", MODEL)
    laptop.write("train.py", "")
    both = job("cat {a} {b} {m}/x > {c}", ", inputs: {a: one.a.data, b: one.b.data, m: model:m}, outputs: {c: c.csv}")
    take = "{{operator_type: s3_to_file, key: {0}, outputs: {{data: {0}.csv}}}}"
    keep = "{operator_type: deliver, inputs: {data: two.c.c}, to: c.csv}"
    laptop.pipeline("p", f"  one: {{a: {take.format('a')}, b: {take.format('b')}}}\n  two: {{c: {both}, d: {keep}}}")
    ran = laptop.run("p")
    assert ran.code == 2, ran.out + ran.err
    assert "  --input one.a.data=PATH   # a.csv, made by one.a; for two.c" in ran.err
    assert "  --input one.b.data=PATH" in ran.err
    assert "  --input model:m=PATH   # model m, a folder; for two.c" in ran.err
    assert not (laptop.folder / ".windlass").exists() or not list((laptop.folder / ".windlass/runs").iterdir())


def test_one_task_runs_with_the_files_that_it_is_given(laptop: Laptop) -> None:
    laptop.pipeline("scores", SCORES, ", params: {step: {type: integer, default: 1}}")
    laptop.write("c.csv", "id\n5\n")
    ran = laptop.run("scores", "score", "--input", "data=c.csv", "--json", "--out", "result")
    assert list(ran.states()) == ["transform.score"]
    assert (laptop.folder / "result/transform.score/scores.csv").read_text() == "id,score\n5,1\n"


def test_a_file_that_is_given_takes_the_place_of_the_tasks_that_make_it(laptop: Laptop) -> None:
    laptop.pipeline("scores", SCORES, ", params: {step: {type: integer, default: 1}}")
    laptop.write("s.csv", "id,score\n")
    ran = laptop.run("scores", "--input", "scores=s.csv", "--json", "--dry-run")
    assert ran.json["tasks"] == ["load.keep"] and ran.json["missing"] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["scorse"], "there is no pipeline 'scorse' here; did you mean 'scores'?"),
        (["scores", "scoer"], "has no task 'scoer'; did you mean 'score'?"),
        (["scores", "clients"], "task 'extract.clients' (s3_to_file) needs an Airflow or a service"),
        (["scores", "--input", "dat=x.csv"], "--input dat: nothing that runs takes an input of that name; did you"),
        (["scores", "--input", "data=x.csv"], "--input data: there is no file 'x.csv'"),
        (["scores", "--input", "data=c.txt"], "'c.txt' does not end with .csv, as 'clients.csv' does"),
        (["scores", "--input", "data=endless.csv"], "'endless.csv' is neither a file nor a folder"),
        (["scores", "--input", "data"], "--input 'data' must read NAME=VALUE"),
        (["scores", "--param", "sep=1"], "has no such parameter; did you mean 'step'?"),
        (["scores", "--param", "step=x"], "--param step: 'x' is not of the type integer; write it like 1"),
        (["scores", "--param", "step=99"], "--param step: 99 is more than the maximum 9"),
        (["scores", "--date", "soon"], "--date: 'soon' is not a time"),
    ],
)
def test_what_is_asked_wrongly_is_one_sentence(laptop: Laptop, arguments: list[str], message: str) -> None:
    laptop.pipeline("scores", SCORES, ", params: {step: {type: integer, default: 1, maximum: 9}}")
    laptop.write("c.txt", "")
    (laptop.folder / "endless.csv").symlink_to("/dev/zero")
    ran = laptop.run(*arguments)
    assert ran.code == 2 and message in ran.err, ran.err


def test_a_task_that_does_not_end_well_is_told_with_its_last_line_and_its_log(laptop: Laptop) -> None:
    after = "{operator_type: deliver, inputs: {data: a.bad.out}, to: x.csv}"
    clean = job("echo cleaned", ", trigger_rule: all_done")
    bad = job("echo going > {out}; echo last words; exit 3", ", outputs: {out: x.csv}")
    laptop.pipeline("p", f"  a:\n    bad: {bad}\n  b:\n    after: {after}\n  c:\n    clean: {clean}\n")
    ran = laptop.run("p", "--json")
    assert ran.code == 1
    assert ran.states() == {"a.bad": "failed", "b.after": "upstream_failed", "c.clean": "success"}
    assert "task a.bad: the script ended with exit code 3 after" in ran.err
    assert "its last line: 'last words'; its log: " in ran.err
    assert Path(ran.json["tasks"]["a.bad"]["log"]).read_text() == "last words\n"


def test_choices_conditions_items_setups_and_approvals_are_as_in_airflow(laptop: Laptop) -> None:
    laptop.pipeline("p", CHOICES, ", params: {mode: {type: string, default: two}}")
    ran = laptop.run("p", "--json")
    states = ran.states()
    assert ran.code == 1, ran.err
    expected = {"b.never": "skipped", "d.one": "skipped", "e.work": "failed"}
    assert states == {name: expected.get(name, "success") for name in states}, ran.err
    assert (Path(ran.json["folder"]) / "delivered/all.txt").read_text() == "x\nx\ny z\ny z\n"
    assert "approval 'Go on?' is taken as given" in ran.err


def test_a_template_that_only_an_airflow_can_fill_is_one_sentence(laptop: Laptop) -> None:
    laptop.pipeline("p", f"  a:\n    b: {job('echo {{ var.value.x }}')}\n")
    ran = laptop.run("p")
    assert ran.code == 1
    assert "execution_script: 'var' is undefined; outside of Airflow templates know dag, dag_run" in ran.err


def test_ctrl_c_ends_all_jobs_and_says_where_things_are(laptop: Laptop) -> None:
    sleep = job("echo $$ > pid; echo begun; sleep 300", "", "10 minutes")
    laptop.pipeline("p", f"  a:\n    b: {sleep}\n    c: {sleep}\n  z:\n    d: {sleep}\n")
    process = laptop.start("p", "--jobs", "2", "--out", "result")
    pids = [laptop.folder / f"result/a.{name}/job/work/pid" for name in "bc"]
    end = time.monotonic() + 60
    while not all(pid.exists() and pid.read_text().strip() for pid in pids):
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the run was interrupted and all of its jobs were ended; what there is lies in" in err
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid.read_text()), 0)
    assert (laptop.folder / "result/run.json").exists()


MAKE = r"printf 'id,x\n1,2\n2,4\n3,6\n' > {out}"
FILES = f"""
  a:
    make: {job(MAKE, ", outputs: {out: a.csv}")}
    check: {{operator_type: check_data, rows: {{at_least: 3}}, unique: [id], inputs: {{data: a.make.out}}}}
    lines: {{operator_type: convert, inputs: {{data: a.make.out}}, outputs: {{out: a.jsonl}}, needs: [a.check]}}
    cut: {{operator_type: split_csv, rows: 2, inputs: {{data: a.make.out}}, outputs: {{parts: part.csv}}}}
    again: {{operator_type: merge_csv, inputs: {{parts: a.cut.parts}}, outputs: {{data: again.csv}}}}
  b:
    lines: {{operator_type: deliver, inputs: {{data: a.lines.out}}, to: "{{ds}}/a.jsonl"}}
    again: {{operator_type: deliver, inputs: {{data: a.again.data}}, to: "{{{{ params.where }}}}/again.csv"}}
"""
WHERE = ", params: {where: {type: string, default: there}}"


def test_operators_that_need_only_files_do_what_they_do_in_airflow(laptop: Laptop) -> None:
    laptop.pipeline("p", FILES, WHERE)
    ran = laptop.run("p", "--date", "2026-01-31", "--json")
    assert ran.code == 0, ran.out + ran.err
    delivered = Path(ran.json["folder"]) / "delivered"
    assert (delivered / "2026-01-31/a.jsonl").read_text().splitlines()[0] == '{"id": 1, "x": 2}'
    assert (delivered / "there/again.csv").read_text() == "id,x\n1,2\n2,4\n3,6\n"
    laptop.pipeline("p", FILES.replace("at_least: 3", "at_least: 4"), WHERE)
    ran = laptop.run("p", "--json")
    assert ran.code == 1, ran.out + ran.err
    assert (ran.states()["a.check"], ran.states()["a.lines"]) == ("failed", "upstream_failed")
    assert "task a.check: the number of rows is 3, less than 4" in ran.err


def test_an_environments_own_values_hold_with_env(laptop: Laptop) -> None:
    tasks = f"  a:\n    b: {job('echo {{ params.x }} $WINDLASS_ENVIRONMENT')}\n"
    overlay = "environments:\n  dev: {dag: {params: {x: {default: of dev}}}}\n"
    laptop.pipeline("p", tasks + overlay, ", params: {x: {type: string, default: usual}}")
    assert "[a.b] usual local" in laptop.run("p").err
    assert "[a.b] of dev dev" in laptop.run("p", "--env", "dev").err


def test_with_env_a_job_has_the_memory_of_its_flavor(laptop: Laptop) -> None:
    small = ENVIRONMENT + "flavors: {cpu-1gb: {cpus: 1, memory: 64Mi}}\nimages: {python3-11: 'python:3.11-slim'}\n"
    laptop.write("environments/dev.yml", small)
    laptop.write("hungry.py", "import time\nheld = bytes([1]) * 200_000_000\ntime.sleep(float(len(held) > 0))\n")
    laptop.pipeline("p", f"  a:\n    b: {job(f'python {laptop.folder}/hungry.py')}\n")
    ran = laptop.run("p", "--env", "dev")
    assert (ran.code, "needs more memory than the 64Mi of its flavor 'cpu-1gb'" in ran.err) == (1, True), ran.err
    ran = laptop.run("p")
    assert (ran.code, "jobs have no limit of memory here; --env ENV" in ran.err) == (0, True), ran.err


def test_a_run_that_cannot_begin_leaves_no_folder(laptop: Laptop) -> None:
    tasks = "  a:\n    b: {operator_type: s3_to_file, key: x.csv, outputs: {x: x.csv}}\n"
    tasks += f"    c: {job('cat {x}', ', inputs: {x: a.b.x}')}\n"
    laptop.pipeline("p", tasks)
    assert laptop.run("p", "--from-run", "s3://data/dev/transfer/other/r").code == 2
    assert list((laptop.folder / ".windlass/runs").iterdir()) == []
