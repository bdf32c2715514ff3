"""Where a file that is delivered lies: a path with the run's date and id in it."""

import re
from typing import Any
from urllib.parse import quote

from .errors import RuntimeStop


def delivered_path(to: str, run: Any) -> str:
    """`to` with `{ds}` and `{run_id}` filled in; RuntimeStop when it would leave the `delivered/` folder.

    A run that was started by hand has no logical date: its date is when it was to begin.
    """
    date = run.logical_date or run.run_after or run.start_date
    values = {"ds": date.strftime("%Y-%m-%d"), "run_id": quote(run.run_id, safe=":+@~")}
    unknown = sorted(set(re.findall(r"\{(\w*)\}", to)) - values.keys())
    if unknown:
        raise RuntimeStop(f"to: {to!r} has the unknown placeholder {{{unknown[0]}}}; valid: {{ds}}, {{run_id}}")
    path = re.sub(r"\{(\w+)\}", lambda match: values[match[1]], to)
    if any(part in ("", ".", "..") for part in path.split("/")) or not path.isprintable():
        raise RuntimeStop(f"to: {path!r} is not a path below delivered/; write it relative, without '..'")
    return path
