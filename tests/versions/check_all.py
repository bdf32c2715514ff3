"""What `windlass check` finds when it has the DAGs of several bundles loaded by the Airflow that is here, as JSON.

Started as a script in a process of its own: `check_all.py BUNDLE...`.
"""

import json
import sys
from pathlib import Path

from windlass.adapters.airflow_check import DagFile, load_dags, scratch_folder

files = [DagFile(Path(root), path) for root in sys.argv[1:] for path in sorted(Path(root).glob("*/dags/*.py"))]
with scratch_folder() as scratch:
    loaded = load_dags(files, scratch)
found = {
    f"{file.root.name}/{file.path.stem}": {
        "errors": first.get("errors") or second.get("errors") or "",
        "broken": first.get("broken"),
        "ended": [first["ended"], second["ended"]],
        "acts": first.get("acts"),
        "stable": first.get("dags") == second.get("dags"),
    }
    for file, first, second in zip(files, loaded.first, loaded.second, strict=True)
}
sys.stdout.write("\n" + json.dumps(found) + "\n")
