"""One Salesforce org: its rows, its schema as it is now, and what each user may do.

Everything here is derived from the tables and remembered until a schema table changes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from adapters.sandbox.salesforce.custom_fields import field_of_row
from adapters.sandbox.salesforce.instants import written
from adapters.sandbox.salesforce.permissions import Access, access_of
from adapters.sandbox.salesforce.schema import Field, ObjectType, Schema
from adapters.sandbox.salesforce.standard import CURRENCY, STANDARD, WITH_CURRENCY
from adapters.sandbox.salesforce.store import Store
from adapters.sandbox.tables import Row, Tables


class Org:
    """The state behind all requests."""

    def __init__(self, tables: Tables) -> None:
        self.store = Store(tables)
        self._generation = -1
        self._schema = Schema(())
        self._access: dict[str, Access] = {}
        self._remembered: dict[tuple[str, ...], bytes] = {}

    @property
    def schema(self) -> Schema:
        """All objects with the fields that they have now."""
        self._refresh()
        return self._schema

    def access(self, user_id: str) -> Access:
        """Return what a user may do."""
        self._refresh()
        access = self._access.get(user_id)
        if access is None:
            access = self._access[user_id] = access_of(self.store, user_id)
        return access

    def remembered(self, key: tuple[str, ...], make: Callable[[], bytes]) -> bytes:
        """Return what was made under the key, anew when a schema or permission has changed."""
        self._refresh()
        made = self._remembered.get(key)
        if made is None:
            made = self._remembered[key] = make()
        return made

    def row(self, object_type: ObjectType, record_id: str) -> Row | None:
        """Return a record, deleted or not, or None."""
        return self.store.get(object_type.name, record_id)

    def user_named(self, username: str) -> Row | None:
        """Return the user with that name, in any case."""
        for key in self.store.find("User", "Username", username):
            return self.store.get("User", key)
        return None

    def _refresh(self) -> None:
        if self._generation == self.store.generation:
            return
        more: dict[str, list[Field]] = {}
        if self.store.setting("multicurrency"):
            more = {name: [CURRENCY] for name in WITH_CURRENCY}
        for row in self.store.rows("CustomField").values():
            more.setdefault(str(row["TableEnumOrId"]), []).append(field_of_row(row))
        self._schema = Schema(
            each.with_fields(more[each.name]) if each.name in more else each for each in STANDARD
        )
        self._access = {}
        self._remembered = {}
        self._generation = self.store.generation


@dataclass(slots=True)
class Call:
    """One request or action: the org, who asks, and when."""

    org: Org
    user: Row
    at: datetime
    #: of the API, for addresses in answers: `59.0`
    version: str = "59.0"
    #: what the caller calls itself in `Sforce-Call-Options`
    client: str = ""
    #: `at` as records carry it
    stamp: str = field(init=False)
    user_id: str = field(init=False)
    access: Access = field(init=False)

    def __post_init__(self) -> None:
        self.stamp = written(self.at)
        self.user_id = str(self.user["Id"])
        self.access = self.org.access(self.user_id)
