"""The metrics that a training job writes: one flat JSON object of finite numbers."""

import json
import math
import sys
from pathlib import Path

from windlass.spec.errors import WindlassError

MAX_BYTES = 100_000
LARGEST = sys.float_info.max


def read_metrics(path: Path) -> dict[str, float | int]:
    """The metrics in `path`; WindlassError says what else is in there."""
    if path.stat().st_size > MAX_BYTES:
        raise WindlassError(f"{path.name} is larger than {MAX_BYTES:,} bytes; write one flat object of numbers")
    try:
        metrics = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise WindlassError(f"{path.name} is not JSON: {str(error)[:200]}") from error
    if not isinstance(metrics, dict):
        raise WindlassError(
            f'{path.name} must hold one object of numbers like {{"accuracy": 0.97}}, not {_kind(metrics)}'
        )
    for name, value in metrics.items():
        if not name.isprintable():
            raise WindlassError(f"{path.name}: {name!a} is no name for a metric; take printable characters")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise WindlassError(f"{path.name}: {name!r} must be a number, not {_kind(value)}")
        if abs(value) > LARGEST or math.isnan(value):
            shown = value if isinstance(value, float) else "too large"
            raise WindlassError(f"{path.name}: {name!r} is {shown}; a metric must be a finite number")
    return metrics


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
