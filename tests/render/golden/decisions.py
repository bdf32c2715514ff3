"""Rendered by windlass from pipelines/decisions.yml; change it there."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, Param, TaskGroup, cross_downstream
from digits.operators.branch import Branch
from digits.operators.job import JobOperator
from digits.runtime.conditions import only_if, skip_if

with DAG(
    dag_id="decisions",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")),
    catchup=False,
    default_args={"owner": "airflow", "retries": 0, "execution_timeout": timedelta(hours=1)},
    params={"full": Param(False, type="boolean")},
):
    with TaskGroup(group_id="check"):
        check_state = JobOperator(
            task_id="state",
            execution_script="echo full > {word}",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
            outputs={"word": "word.txt"},
            execution_timeout=None,
        )
        check_approve = ApprovalOperator(
            task_id="approve",
            subject="Score all clients of {{ ds }}?",
            body="**Please look** at the numbers.\n",
            defaults=["Reject"],
            response_timeout=timedelta(hours=4),
            assigned_users=[{"id": "alice", "name": "alice"}],
            fail_on_reject=True,
            execution_timeout=None,
        )
        check_simple = ApprovalOperator(task_id="simple", subject="Go on?", execution_timeout=None)

    with TaskGroup(group_id="choose"):
        choose_way = Branch(
            task_id="way",
            by=check_state.output["word"],
            cases={"full": ["load.everything", "load.also"], "delta": ["late.first"]},
            default=["load.nothing"],
        )
        choose_mode = Branch(task_id="mode", by="{{ params.full }}", cases={"True": ["load.also"]})

    with TaskGroup(group_id="load"):
        load_everything = JobOperator(
            task_id="everything",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
            execution_timeout=None,
        )
        load_also = JobOperator(
            task_id="also",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
            execution_timeout=None,
        )
        load_nothing = JobOperator(
            task_id="nothing",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
            execution_timeout=None,
        )
        load_sometimes = JobOperator(
            task_id="sometimes",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
            pre_execute=only_if("{{ params.full }}"),
            execution_timeout=None,
        )
        load_seldom = JobOperator(
            task_id="seldom",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
            pre_execute=skip_if(task="check.state", port="word"),
            execution_timeout=None,
        )

    with TaskGroup(group_id="late"):
        late_first = JobOperator(
            task_id="first",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
            execution_timeout=None,
        )
        late_second = JobOperator(
            task_id="second",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
            execution_timeout=None,
        )

    with TaskGroup(group_id="join"):
        join_report = JobOperator(
            task_id="report",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
            trigger_rule="none_failed_min_one_success",
            execution_timeout=None,
        )

    [check_state, check_approve, check_simple] >> choose_mode
    cross_downstream([choose_way, choose_mode], [load_everything, load_also, load_nothing, load_sometimes])
    check_state >> load_seldom
    choose_way >> late_first >> late_second
    [late_first, late_second] >> join_report
