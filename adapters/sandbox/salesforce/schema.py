"""What an object and a field are, and every object of this org by name, custom fields included.

The standard objects stand in `standard`; custom fields are rows that the Tooling API made.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

FieldType: TypeAlias = Literal[
    "id",
    "string",
    "textarea",
    "email",
    "phone",
    "url",
    "double",
    "int",
    "currency",
    "percent",
    "date",
    "datetime",
    "boolean",
    "picklist",
    "multipicklist",
    "reference",
]

TEXT_TYPES = frozenset({"string", "textarea", "email", "phone", "url"})
NUMBER_TYPES = frozenset({"double", "int", "currency", "percent"})
ID_TYPES = frozenset({"id", "reference"})
#: texts longer than this cannot be filtered or sorted by
LONG_TEXT = 255


@dataclass(frozen=True, slots=True)
class PicklistValue:
    """One value of a picklist that is not the stage."""

    value: str
    label: str
    default: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object, in the words of describe."""

    name: str
    type: FieldType
    label: str
    #: characters, for texts
    length: int = 0
    #: digits altogether and after the point, for numbers
    precision: int = 0
    scale: int = 0
    createable: bool = True
    updateable: bool = True
    nillable: bool = True
    #: Salesforce fills it in where a create leaves it out
    defaulted: bool = False
    default: str | bool | None = None
    calculated: bool = False
    external_id: bool = False
    unique: bool = False
    case_sensitive: bool = False
    restricted: bool = False
    values: tuple[PicklistValue, ...] = ()
    refers_to: str = ""
    relationship: str = ""
    custom: bool = False

    @property
    def required(self) -> bool:
        """Whether a create must give it."""
        return self.createable and not self.nillable and not self.defaulted

    @property
    def filterable(self) -> bool:
        """Whether a query may filter or sort by it."""
        return not (self.type == "textarea" and self.length > LONG_TEXT)


@dataclass(frozen=True, slots=True)
class ChildRelationship:
    """Records of another object that refer to this one, under a name."""

    name: str
    object_name: str
    field_name: str


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One object; `fields` in the order of describe."""

    name: str
    label: str
    plural: str
    prefix: str
    fields: tuple[Field, ...]
    children: tuple[ChildRelationship, ...] = ()
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    #: a deleted record stays, marked, and may come back
    undeletable: bool = False
    mergeable: bool = False
    replicateable: bool = False
    #: only the Tooling API knows it
    tooling: bool = False
    by_name: Mapping[str, Field] = field(init=False, default_factory=dict)
    by_relationship: Mapping[str, Field] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        names = {each.name: each for each in self.fields}
        names.update({each.name.lower(): each for each in self.fields})
        object.__setattr__(self, "by_name", names)
        object.__setattr__(
            self,
            "by_relationship",
            {each.relationship.lower(): each for each in self.fields if each.relationship},
        )

    def field(self, name: str) -> Field | None:
        """Return the field of that name, in any case."""
        return self.by_name.get(name) or self.by_name.get(name.lower())

    def with_fields(self, more: Iterable[Field]) -> "ObjectType":
        """Return this object with further fields at the end."""
        return replace(self, fields=(*self.fields, *more))

    @property
    def has_record_types(self) -> bool:
        """Whether its records may have a record type."""
        return "RecordTypeId" in self.by_name


class Schema:
    """All objects of the org at one moment."""

    def __init__(self, objects: Iterable[ObjectType]) -> None:
        self._objects = {each.name.lower(): each for each in objects}
        self._by_prefix = {each.prefix: each for each in self._objects.values() if each.prefix}

    def object(self, name: str) -> ObjectType | None:
        """Return the object of that name, in any case."""
        return self._objects.get(name.lower())

    def of_id(self, record_id: str) -> ObjectType | None:
        """Return the object whose key prefix an id has."""
        return self._by_prefix.get(record_id[:3])

    def all(self) -> Iterable[ObjectType]:
        """Return every object, standard ones first."""
        return self._objects.values()
