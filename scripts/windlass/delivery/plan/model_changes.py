"""Which versions of models a change replaces, with their metrics and the difference."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from windlass.delivery.plan.impact import Impact, Kind, Subject, impact_of
from windlass.delivery.plan.shown import one_line
from windlass.spec.model import Gate, ModelVersion

Metrics = Mapping[str, float]


@dataclass(frozen=True)
class ModelChange:
    """One model: the version that was live (None: new) and the one that will be (None: removed), and its gates."""

    name: str
    before: str | None
    after: str | None
    metrics_before: Metrics
    metrics_after: Metrics
    gates: Mapping[str, Gate] = field(default_factory=dict)

    @property
    def impact(self) -> Impact:
        """What the rules say."""
        kind: Kind = "added" if self.before is None else "removed" if self.after is None else "changed"
        return impact_of(Subject(("model",), kind))

    @property
    def difference(self) -> Metrics:
        """How much each metric grows that both versions have."""
        both = sorted(self.metrics_before.keys() & self.metrics_after.keys())
        return {name: self.metrics_after[name] - self.metrics_before[name] for name in both}

    def describe(self) -> str:
        """The change in one line, with its sign."""
        sign = "+" if self.before is None else "-" if self.after is None else "~"
        return f"{sign} model {self.name} {self.versions()}{self.figures()}"

    def versions(self) -> str:
        """`old -> new`, or the only one."""
        return " -> ".join(version for version in (self.before, self.after) if version)

    def figures(self) -> str:
        """`: accuracy 0.95 -> 0.97 (+0.02)` for each metric; nothing where none was measured."""
        names = sorted(self.metrics_before.keys() | self.metrics_after.keys())
        shown = [f"{one_line(name)} {self._figure(name)}" for name in names]
        return f": {', '.join(shown)}" if shown else ""

    def measured(self) -> Iterator[tuple[str, str, str, str, str]]:
        """For each metric its name, what it was, will be, the difference and its gate; empty where there is none."""
        for name in sorted(self.metrics_before.keys() | self.metrics_after.keys()):
            values = [
                f"{metrics[name]:.4g}" if name in metrics else ""
                for metrics in (self.metrics_before, self.metrics_after)
            ]
            grown = f"{self.difference[name]:+.2g}" if name in self.difference else ""
            gate = _bounds(self.gates[name]) if name in self.gates else ""
            yield one_line(name), values[0], values[1], grown, gate

    def _figure(self, name: str) -> str:
        values = [f"{metrics[name]:.4g}" for metrics in (self.metrics_before, self.metrics_after) if name in metrics]
        if name in self.difference:
            return f"{values[0]} -> {values[1]} ({self.difference[name]:+.2g})"
        if self.before and self.after:
            return f"{values[0]} -> (none)" if name in self.metrics_before else f"(none) -> {values[0]}"
        return values[0]

    def as_json(self) -> dict[str, Any]:
        """The change for a machine."""
        return {
            "name": self.name,
            "before": self.before,
            "after": self.after,
            "metrics_before": dict(self.metrics_before),
            "metrics_after": dict(self.metrics_after),
            "difference": dict(self.difference),
            "gates": {name: gate.model_dump(mode="json", exclude_none=True) for name, gate in self.gates.items()},
            "impact": self.impact,
        }


def compare_models(
    before: Mapping[str, str],
    after: Mapping[str, str],
    described_before: Mapping[str, ModelVersion],
    described_after: Mapping[str, ModelVersion],
) -> tuple[ModelChange, ...]:
    """Each model whose pinned version differs, by name; `described_*` are the versions that could be read."""
    return tuple(
        ModelChange(
            name,
            before.get(name),
            after.get(name),
            _metrics(described_before, name),
            _metrics(described_after, name),
            dict(described_after[name].gates) if name in described_after else {},
        )
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    )


def _metrics(models: Mapping[str, ModelVersion], name: str) -> Metrics:
    return dict(models[name].metrics) if name in models else {}


def _bounds(gate: Gate) -> str:
    """`at least 0.9, not below live`."""
    given = gate.model_dump(exclude_none=True)
    return ", ".join(f"{bound.replace('_', ' ')} {value}" for bound, value in given.items())
