"""How often a sensor may look that gives its worker back between two looks."""

from datetime import timedelta

SHORTEST = timedelta(seconds=10)


def check_interval(poke_interval: timedelta, mode: str) -> None:
    """ValueError when Airflow may not yet have noticed that the task was put aside when it begins anew.

    Airflow hears of that up to 5 seconds late (`min_heartbeat_interval`), and then takes the task that runs again for
    one that has died.
    """
    if mode == "reschedule" and poke_interval < SHORTEST:
        raise ValueError(
            f"poke_interval: {poke_interval.total_seconds():g} seconds is too short for mode 'reschedule'; "
            f"take at least {SHORTEST.total_seconds():g} seconds, or mode 'poke'"
        )
