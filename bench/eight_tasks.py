"""One pipeline of eight tasks in every language that is compared: windlass, Python, dag-factory and airflow-config."""

from collections.abc import Mapping

BASH = "airflow.providers.standard.operators.bash.BashOperator"
GROUPS: Mapping[str, tuple[str, ...]] = {
    "extract": ("orders", "clients", "prices"),
    "check": ("orders", "clients"),
    "load": ("orders", "clients", "prices"),
}
"""Three stages, each after the one before it."""

KINDS = ("rendered", "hand-written", "dag-factory, one loader", "dag-factory, a loader each")


def name_of(number: int) -> str:
    """The DAG's id."""
    return f"shop_{number:04}"


def windlass(name: str) -> str:
    """The pipeline whose tasks are Airflow's own operators, as in the other languages."""
    lines = [f"dag: {{name: {name}, schedule: '@daily', start_date: 2026-01-01, owner: shop, retries: 1}}", "tasks:"]
    for group, tasks in GROUPS.items():
        lines.append(f"  {group}:")
        for task in tasks:
            lines.append(f'    {task}: {{operator_type: {BASH}, bash_command: "echo {group} {task} {{{{ ds }}}}"}}')
    return "\n".join(lines) + "\n"


def windlass_ports(name: str) -> str:
    """A pipeline whose tasks are windlass's operators and jobs with ports, of which lint and render have more to do.

    Schedules, names of tasks and texts are its own: what windlass remembers of another pipeline is of little use here.
    """
    number = int("".join(letter for letter in name if letter.isdigit()) or 0)
    orders, clients, prices, sums = (f"{what}_{number}" for what in ("orders", "clients", "prices", "sums"))
    days = f"{number % 28 + 1} * *" if number % 2 else f"* * {number % 7}"
    return f"""dag:
  name: {name}
  description: Sums of shop {number}.
  schedule: "{number % 60} {number % 24} {days}"
  timezone: Europe/Berlin
  start_date: 2026-01-01
  owner: shop
  base_resource: cpu-1gb
  retries: 1
tasks:
  extract:
    {orders}: {{operator_type: s3_to_file, key: "{orders}/{{{{ ds }}}}.csv", outputs: {{data: orders.csv}}}}
    {clients}: {{operator_type: s3_to_file, key: "{clients}/{{{{ ds }}}}.csv", outputs: {{data: clients.csv}}}}
    {prices}: {{operator_type: s3_to_file, key: "{prices}/{{{{ ds }}}}.csv", outputs: {{data: prices.csv}}}}
  check:
    {orders}: {{operator_type: check_data, rows: {{at_least: {number + 1}}}, inputs: {{data: extract.{orders}.data}}}}
    {clients}: {{operator_type: check_data, rows: {{at_least: {number + 1}}}, inputs: {{data: extract.{clients}.data}}}}
  transform:
    join:
      job:
        docker_image: python3-11
        execution_time: 10 minutes
        execution_script: python join.py {{orders}} {{clients}} --out {{joined}}
      inputs: {{orders: extract.{orders}.data, clients: extract.{clients}.data}}
      outputs: {{joined: joined.csv}}
    {sums}:
      job:
        docker_image: python3-11
        execution_time: 10 minutes
        execution_script: python sums.py {{rows}} {{prices}} --out {{sums}}
      inputs: {{rows: transform.join.joined, prices: extract.{prices}.data}}
      outputs: {{sums: sums.csv}}
  load:
    deliver: {{operator_type: deliver, to: "shop/{number}/{{ds}}.csv", inputs: {{data: transform.{sums}.sums}}}}
"""


def by_hand(name: str) -> str:
    """The module that a person writes."""
    lines = [
        "from datetime import datetime",
        "",
        "from airflow.providers.standard.operators.bash import BashOperator",
        "from airflow.sdk import DAG, TaskGroup",
        "",
        "with DAG(",
        f'    dag_id="{name}",',
        '    schedule="@daily",',
        "    start_date=datetime(2026, 1, 1),",
        "    catchup=False,",
        '    default_args={"owner": "shop", "retries": 1},',
        "):",
    ]
    for group, tasks in GROUPS.items():
        lines.append(f'    with TaskGroup("{group}") as {group}:')
        lines += [
            f'        BashOperator(task_id="{task}", bash_command="echo {group} {task} {{{{ ds }}}}")' for task in tasks
        ]
    return "\n".join([*lines, f"    {' >> '.join(GROUPS)}", ""])


def dag_factory(name: str) -> str:
    """The same in dag-factory's YAML."""
    lines = [
        f"{name}:",
        "  schedule: '@daily'",
        "  start_date: 2026-01-01",
        "  catchup: false",
        "  default_args: {owner: shop, retries: 1}",
        "  task_groups:",
        *(f"    {group}: {{dependencies: [{', '.join(_before(group))}]}}" for group in GROUPS),
        "  tasks:",
    ]
    for group, tasks in GROUPS.items():
        for task in tasks:
            # task ids have to differ over all groups, since they are the mapping's keys
            lines += [
                f"    {group}_{task}:",
                f"      operator: {BASH}",
                f'      bash_command: "echo {group} {task} {{{{ ds }}}}"',
                f"      task_group_name: {group}",
            ]
    return "\n".join(lines) + "\n"


def airflow_config(name: str) -> str:
    """The same in airflow-config's YAML; without groups, whose order the tasks name themselves."""
    lines = [
        "# @package _global_",
        "_target_: airflow_config.Configuration",
        "default_dag_args: {_target_: airflow_config.DagArgs, start_date: '2026-01-01', catchup: false}",
        "default_args: {_target_: airflow_config.TaskArgs, owner: shop, retries: 1}",
        "dags:",
        f"  {name}:",
        "    schedule: '@daily'",
        "    tasks:",
    ]
    for group, tasks in GROUPS.items():
        before = [f"{one}_{task}" for one in _before(group) for task in GROUPS[one]]
        for task in tasks:
            lines += [
                f"      {group}_{task}:",
                "        _target_: airflow_config.BashTask",
                f'        bash_command: "echo {group} {task} {{{{ ds }}}}"',
                f"        dependencies: [{', '.join(before)}]",
            ]
    return "\n".join(lines) + "\n"


def _before(group: str) -> list[str]:
    """The group before it, if there is one."""
    names = list(GROUPS)
    place = names.index(group)
    return names[place - 1 : place] if place else []
