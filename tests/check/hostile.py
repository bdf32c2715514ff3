"""A project whose operators do, when their file is loaded, what no operator should do; one pipeline for each."""

from pathlib import Path

OPERATOR = '''from datetime import timedelta
from typing import Any

from airflow.sdk import BaseOperator

{module}

class {name}(BaseOperator):
    """Does nothing when it runs."""

    template_fields = ("value",)

    def __init__(self, *, value: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.value = value
        {init}
'''

MODULES = {
    "ends_all": "import os\n\nos._exit(3)",
    "leaves": "import sys\n\nsys.exit(4)",
    "prints": (
        "print('{\"dags\": 1}' * 10_000)\nimport os\nos.write(1, b'\\xff\\0' * 70_000)\nos.write(2, b'x' * 70_000)"
    ),
    "forks": "import os\n\nos.fork()",
    "daemon": (
        "import ctypes, os, time\n\nif ctypes.CDLL(None).fork() == 0:\n    os.setsid()\n"
        "    if ctypes.CDLL(None).fork() == 0:\n        time.sleep(3600)\n    os._exit(0)"
    ),
    "sleeps": "import time\n\ntime.sleep(3600)",
    "busy": "while True:\n    pass",
    "deaf": "import signal, time\n\nfor one in (2, 15):\n    signal.signal(one, signal.SIG_IGN)\ntime.sleep(3600)",
    "connects": "import socket\n\nsocket.create_connection(('127.0.0.1', PORT), 1)",
    "connects_quietly": (
        "import socket\n\ntry:\n    socket.create_connection(('127.0.0.1', PORT), 1)\nexcept OSError:\n    pass"
    ),
    "reads_keys": "from pathlib import Path\n\nKEYS = Path('HOME/.aws/credentials').read_text()",
    "reads_linked_keys": (
        "import io, os, tempfile\n\nlink = tempfile.mktemp()\nos.symlink('HOME/.aws', link)\n"
        "with io.FileIO(link + '/credentials') as file:\n    KEYS = file.read()"
    ),
    "writes": "with open('HOME/written', 'w') as file:\n    file.write('x')",
    "removes": "import pathlib, shutil\n\nshutil.rmtree(pathlib.Path.home().parent)",
    "writes_own": (
        "import os, tempfile\nfrom pathlib import Path\n\nwith tempfile.TemporaryDirectory() as folder:\n"
        "    Path(folder, 'x').write_text('x')\nopen(os.devnull, 'w').close()"
    ),
    "says_much": "raise ValueError('x' * 60_000_000)",
    "starts": "import subprocess\n\nsubprocess.run(['true'])",
    "eats": "EATEN = bytearray(8 * 1024**3)",
    "imports": "import no_such_thing_here",
    "syntax": "x = = 1",
    "slow": "import time\n\ntime.sleep(1.2)",
}
INITS = {
    "refuses": "raise ValueError(f'cannot be {value}')",
    "tells_time": "import time; self.value = str(time.time_ns())",
    "tells_day": "import datetime; self.value = str(datetime.date.today())",
    "tells_seed": "self.value = list({'a', 'b', 'c', 'd', 'e', 'f', 'g'})",
    "keeps_object": "self.inlets = [object()]",
    "says_secret": "import os; raise ValueError(os.environ.get('AWS_SECRET_ACCESS_KEY', 'nothing'))",
    "fine": "pass",
}


def write_project(folder: Path, port: int, home: str) -> None:
    """Writes the pipelines and operators to `folder`; `port` and `home` are what the hostile ones reach for."""
    for kind in ("operators", "pipelines"):
        (folder / kind).mkdir(parents=True)
    for name in (*MODULES, *INITS):
        module = MODULES.get(name, "").replace("PORT", str(port)).replace("HOME", home)
        class_name = "".join(part.capitalize() for part in name.split("_"))
        source = OPERATOR.replace("{module}", module).replace("{name}", class_name)
        (folder / f"operators/{name}.py").write_text(source.replace("{init}", INITS.get(name, "pass")))
        (folder / f"pipelines/{name}.yml").write_text(
            f"dag: {{name: {name}}}\ntasks:\n  first:\n    ok: {{operator_type: fine}}\n"
            f"  second:\n    bad:\n      operator_type: {name}\n      value: 7\n"
        )
    (folder / "pipelines/unknown_argument.yml").write_text(
        "dag: {name: unknown_argument}\ntasks:\n  run:\n    echo:\n"
        "      operator_type: airflow.providers.standard.operators.bash.BashOperator\n"
        "      bash_command: echo\n      colour: red\n"
    )
