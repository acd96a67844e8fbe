"""Reads what the org is made of: record types, stages, users, fields, and our permissions.

Which stages a record type offers only the User Interface API tells: OpportunityStage lists them for
the whole org.
"""

import hashlib
from datetime import datetime
from functools import lru_cache
from typing import Final

from adapters.salesforce import names, soql, wire
from adapters.salesforce.connection import Connection
from adapters.salesforce.errors import ReadRefusedError
from adapters.salesforce.schema import FieldDescribed, Schema
from adapters.salesforce.translate import Look
from adapters.salesforce.wire import Row
from domain.facts import (
    FieldSeen,
    OpportunityStageSeen,
    PersonSeen,
    RecordTypeSeen,
    SalesforceCatalogObserved,
)
from domain.ids import FactId, derived

#: the prefix of a permission's column in UserPermissionAccess
_PERMISSION_PREFIX: Final = "Permissions"
#: what anything of ours asks about (rule `permission`)
_PERMISSIONS: Final = ("ApiEnabled", "ModifyAllData", "ModifyMetadata", "ViewAllData")
_FINGERPRINT_BYTES: Final = 8
#: fields read lately: every catalog shows them again
_REMEMBERED: Final = 2_048


class CatalogReader:
    """Reads the whole catalog of one org.

    Args:
        connection: the org.
        schema: its describes; forgotten at every reading, because this is how it is found stale.
    """

    def __init__(self, connection: Connection, schema: Schema) -> None:
        self._connection = connection
        self._schema = schema

    def read(self, look: Look) -> SalesforceCatalogObserved:
        """Return the catalog as it is.

        Raises:
            PortError: Salesforce did not answer.
        """
        at = look.begun_at
        self._schema.forget()
        session = self._connection.session(at)
        users = self._users(at)
        fact = SalesforceCatalogObserved(
            id=FactId(""),
            at=at,
            cause=look.cause,
            read_begun_at=at,
            reason=look.reason,
            organization_id=session.organization_id,
            integration_user_id=session.user_id,
            integration_user_name=self._user_name(session.user_id, at),
            record_types=self._record_types(session.organization_id, at),
            stages=self._stages(at),
            users=users,
            fields=self._fields(at),
            permissions=self.permissions(at),
        )
        parts = (
            "fact",
            fact.TOPIC,
            look.reason,
            fingerprint(fact),
            at.isoformat(),
            str(fact.cause),
        )
        return fact.model_copy(update={"id": FactId(derived(*parts))})

    def permissions(self, at: datetime) -> tuple[str, ...]:
        """Return the names of what the integration user may do, of those that we ask about."""
        columns = [f"{_PERMISSION_PREFIX}{name}" for name in _PERMISSIONS]
        rows = self._connection.query(soql.select(columns, "UserPermissionAccess", limit=1), at)
        return tuple(
            name
            for name in _PERMISSIONS
            if any(row.flag(f"{_PERMISSION_PREFIX}{name}") for row in rows)
        )

    def _record_types(self, organization_id: str, at: datetime) -> tuple[RecordTypeSeen, ...]:
        available = self._schema.record_types(names.OPPORTUNITY, at)
        rows = self._connection.query(
            soql.select(
                ("Id", "Name", "IsActive", "CreatedDate"),
                "RecordType",
                where="SobjectType = 'Opportunity'",
                order="Id",
            ),
            at,
        )
        if not rows:
            return (self._master(organization_id, at),)
        return tuple(
            RecordTypeSeen(
                id=row.id,
                name=row.required("Name"),
                is_active=row.flag("IsActive"),
                is_available=row.id in available,
                created_at=row.instant("CreatedDate"),
                stage_names=self._stage_names(row.id, at),
            )
            for row in rows
        )

    def _master(self, organization_id: str, at: datetime) -> RecordTypeSeen:
        organization = self._connection.query(
            soql.select(
                ("Id", "CreatedDate"), "Organization", where=soql.is_in("Id", (organization_id,))
            ),
            at,
        )
        return RecordTypeSeen(
            id=names.MASTER_RECORD_TYPE,
            name="Master",
            is_active=True,
            is_available=True,
            created_at=organization[0].instant("CreatedDate") if organization else at,
            stage_names=self._stage_names(names.MASTER_RECORD_TYPE, at),
        )

    def _stage_names(self, record_type_id: str, at: datetime) -> tuple[str, ...]:
        """Return the stages of a record type's sales process; none if it offers none any more."""
        path = (
            f"/ui-api/object-info/{names.OPPORTUNITY}/picklist-values"
            f"/{record_type_id}/{names.STAGE_FIELD}"
        )
        try:
            body = self._connection.get(path, at)
        except ReadRefusedError:
            return ()
        values = wire.sequence(wire.mapping(body, "picklist values").get("values"), "values")
        return tuple(Row(wire.mapping(each, "a value")).required("value") for each in values)

    def _stages(self, at: datetime) -> tuple[OpportunityStageSeen, ...]:
        columns = (
            "ApiName",
            "MasterLabel",
            "IsActive",
            "IsClosed",
            "IsWon",
            "DefaultProbability",
            "SortOrder",
        )
        rows = self._connection.query(
            soql.select(columns, "OpportunityStage", order="SortOrder"), at
        )
        return tuple(
            OpportunityStageSeen(
                name=row.required("ApiName"),
                label=row.required("MasterLabel"),
                is_active=row.flag("IsActive"),
                is_closed=row.flag("IsClosed"),
                is_won=row.flag("IsWon"),
                probability=row.number("DefaultProbability"),
                order=row.number("SortOrder"),
            )
            for row in rows
        )

    def _users(self, at: datetime) -> tuple[PersonSeen, ...]:
        """Return the people; portal and automated users own no opportunities."""
        rows = self._connection.query(
            soql.select(
                ("Id", "Email", "Name", "IsActive"),
                "User",
                where="UserType = 'Standard'",
                order="Id",
            ),
            at,
        )
        return tuple(
            PersonSeen(
                id=row.id,
                email=row.text("Email") or "",
                name=row.text("Name") or "",
                is_active=row.flag("IsActive"),
            )
            for row in rows
        )

    def _user_name(self, user_id: str, at: datetime) -> str:
        rows = self._connection.query(
            soql.select(("Id", "Username"), "User", where=soql.is_in("Id", (user_id,))), at
        )
        return (rows[0].text("Username") or "") if rows else ""

    def _fields(self, at: datetime) -> tuple[FieldSeen, ...]:
        described = self._schema.fields(names.OPPORTUNITY, at)
        return tuple(_field(field) for _, field in sorted(described.items()))


@lru_cache(_REMEMBERED)
def _field(field: FieldDescribed) -> FieldSeen:
    return FieldSeen(
        object="opportunity",
        name=field.name,
        type=field.type,
        is_writable=field.updateable,
        values=field.values,
    )


def fingerprint(fact: SalesforceCatalogObserved) -> str:
    """Return a short text that differs when the catalog differs, whenever it was read."""
    shown = fact.model_dump_json(exclude={"id", "at", "cause", "read_begun_at", "reason"})
    return hashlib.blake2b(shown.encode(), digest_size=_FINGERPRINT_BYTES).hexdigest()
