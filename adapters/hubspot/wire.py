"""HubSpot's answers, parsed: what is read here and nothing more; what is unknown is ignored.

The shapes are those of captured bodies where these and the published specification disagree:
values may be null, ids of associations are numbers, `subCategory` is a text. No meaning is given
here; that is `translate`'s.
"""

from datetime import datetime
from typing import Annotated, TypeAlias

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from domain.canonical import Value

#: parsed JSON
Json: TypeAlias = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


def _as_text(found: object) -> object:
    """Take a number where HubSpot writes ids now as numbers, now as texts."""
    return str(found) if isinstance(found, int) and not isinstance(found, bool) else found


IdText = Annotated[str, BeforeValidator(_as_text)]


class _Wire(BaseModel):
    model_config = ConfigDict(
        extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True
    )


class HistoryRow(_Wire):
    """One value that a property has had."""

    value: Value = None
    timestamp: AwareDatetime
    source_type: str = ""
    source_id: IdText | None = None


class RecordRow(_Wire):
    """A deal, contact or company."""

    id: IdText
    properties: dict[str, Value] = Field(default_factory=dict)
    properties_with_history: dict[str, list[HistoryRow]] = Field(default_factory=dict)
    created_at: AwareDatetime
    updated_at: AwareDatetime
    archived: bool = False
    archived_at: AwareDatetime | None = None
    object_write_trace_id: IdText | None = None


class NextPage(_Wire):
    """Where the next page begins."""

    after: IdText


class Paging(_Wire):
    """Says whether there is more."""

    next: NextPage | None = None


class RecordPage(_Wire):
    """A page of a list or of a search."""

    results: list[RecordRow] = Field(default_factory=list)
    paging: Paging | None = None
    #: searches only
    total: int | None = None

    @property
    def after(self) -> str | None:
        """Return where the next page begins, None at the end."""
        return None if self.paging is None or self.paging.next is None else self.paging.next.after


class RecordBatch(_Wire):
    """A batch answer: results in any order, and errors beside them."""

    results: list[RecordRow] = Field(default_factory=list)
    errors: list[dict[str, object]] = Field(default_factory=list)


class AssociationType(_Wire):
    """One way in which two records are associated."""

    category: str = "HUBSPOT_DEFINED"
    type_id: int
    label: str | None = None


class AssociationTarget(_Wire):
    """The other record, and all the ways."""

    to_object_id: IdText
    association_types: list[AssociationType] = Field(default_factory=list)


class AssociationFrom(_Wire):
    """The record that was asked about."""

    id: IdText


class AssociationRow(_Wire):
    """One record's associations with one kind."""

    from_: AssociationFrom = Field(alias="from")
    to: list[AssociationTarget] = Field(default_factory=list)
    paging: Paging | None = None


class AssociationBatch(_Wire):
    """A batch answer; a record without associations is among the errors, or nowhere."""

    results: list[AssociationRow] = Field(default_factory=list)
    errors: list[dict[str, object]] = Field(default_factory=list)


class StageMetadata(_Wire):
    """What a stage means; HubSpot writes both as texts."""

    is_closed: str = "false"
    probability: str = "0.0"


class StageRow(_Wire):
    """A stage of a pipeline."""

    id: IdText
    label: str
    display_order: int = 0
    metadata: StageMetadata = StageMetadata()
    archived: bool = False


class PipelineRow(_Wire):
    """A pipeline with its stages."""

    id: IdText
    label: str
    display_order: int = 0
    stages: list[StageRow] = Field(default_factory=list)
    archived: bool = False


class PipelineList(_Wire):
    """All pipelines of one kind of record."""

    results: list[PipelineRow] = Field(default_factory=list)


class OwnerRow(_Wire):
    """An owner: a person, or a queue."""

    id: IdText
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    archived: bool = False


class OwnerPage(_Wire):
    """A page of owners."""

    results: list[OwnerRow] = Field(default_factory=list)
    paging: Paging | None = None


class OptionRow(_Wire):
    """An allowed value."""

    value: str
    label: str = ""
    display_order: int = 0
    hidden: bool = False


class ModificationMetadata(_Wire):
    """What may be changed."""

    read_only_value: bool = False


class PropertyRow(_Wire):
    """A property's definition."""

    name: str
    label: str = ""
    type: str
    field_type: str = ""
    options: list[OptionRow] = Field(default_factory=list)
    calculated: bool = False
    external_options: bool = False
    has_unique_value: bool = False
    archived: bool = False
    modification_metadata: ModificationMetadata = ModificationMetadata()


class PropertyList(_Wire):
    """All properties of one kind of record."""

    results: list[PropertyRow] = Field(default_factory=list)


class GroupRow(_Wire):
    """A group of properties."""

    name: str
    archived: bool = False


class GroupList(_Wire):
    """All groups of properties of one kind of record."""

    results: list[GroupRow] = Field(default_factory=list)


class AccountDetails(_Wire):
    """The account."""

    portal_id: IdText
    time_zone: str = "UTC"


class TokenOwner(_Wire):
    """Whom a private app's token stands for."""

    hub_id: IdText
    app_id: IdText
    scopes: list[str] = Field(default_factory=list)


def instant_of(at: datetime) -> str:
    """Return epoch milliseconds, as searches take them."""
    return str(int(at.timestamp() * 1000))
