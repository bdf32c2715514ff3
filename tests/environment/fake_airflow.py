"""An Airflow in memory that keeps and masks variables, connections and pools as Airflow 3.3.2 does over its API."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pydantic import SecretStr

from windlass.spec.airflow_object import MASK, MASKED, Key, Live, Wanted
from windlass.spec.errors import DeliveryError, ServiceError

Content = dict[str, str | None]


@dataclass
class FakeAirflow:
    """Objects by key; `before` and `after` see each call and may raise. Every maskable field is shown masked."""

    objects: dict[Key, Content] = field(default_factory=dict)
    before: Callable[[str], None] = lambda call: None
    after: Callable[[str], None] = lambda call: None
    calls: list[str] = field(default_factory=list)
    masks: bool = True

    def read(self) -> dict[Key, Live]:
        with self._call("read"):
            return {key: Live(key, self._shown(key, content)) for key, content in self.objects.items()}

    def create(self, wanted: Wanted) -> None:
        with self._call(f"create {wanted.key.path}"):
            if wanted.key in self.objects:
                raise ServiceError(f"{wanted.key}: 409")
            self.objects[wanted.key] = plain(wanted)

    def change(self, wanted: Wanted) -> None:
        with self._call(f"change {wanted.key.path}"):
            if wanted.key not in self.objects:
                raise DeliveryError(f"{wanted.key}: 404")
            password = self.objects[wanted.key].get("password")
            self.objects[wanted.key] = plain(wanted)
            if "password" in self.objects[wanted.key] and not self.objects[wanted.key]["password"]:
                self.objects[wanted.key]["password"] = password  # Airflow takes none away

    def delete(self, key: Key) -> None:
        with self._call(f"delete {key.path}"):
            self.objects.pop(key, None)

    def _shown(self, key: Key, content: Content) -> dict[str, SecretStr | None]:
        masked = MASKED[key.kind] if self.masks else set()
        return {
            name: None if not value else SecretStr(MASK if name in masked else value) for name, value in content.items()
        }

    @contextmanager
    def _call(self, name: str) -> Iterator[None]:
        self.calls.append(name)
        self.before(name)
        try:
            yield
        finally:
            self.after(name)


def plain(wanted: Wanted) -> Content:
    """The fields as Airflow would keep them."""
    return {name: value.get_secret_value() if value is not None else None for name, value in wanted.fields.items()}
