"""Pipelines, stages and properties made: one call each, and met again by label or name.

HubSpot refuses a second pipeline, stage or property of one label or name. What is refused so is
read, and is ours if it is what was wanted; it is never made twice (rule `record-type-pipeline`).
"""

from typing import Final, TypeVar

from pydantic import ValidationError

from adapters.hubspot import names
from adapters.hubspot.errors import Problem, Verdict
from adapters.hubspot.reader import Reader
from adapters.hubspot.sending import Sending, rejected
from adapters.hubspot.wire import GroupList, Json, PipelineList, PipelineRow, PropertyRow, StageRow
from domain.deliveries import Answer, Done, NotSent, Rejected, Unknown
from domain.errors import RetryableError
from domain.facts import Reading
from domain.writes import CreatePipeline, CreateProperty, CreateStage, RenameStage, StageWanted

_PIPELINES: Final = "/crm/v3/pipelines/deals"
_PLURAL_OF: Final = {names.SINGULAR[kind]: names.PLURAL[kind] for kind in names.KINDS}
#: how a property of a type is shown
_FIELD_TYPES: Final = {
    "string": "text",
    "number": "number",
    "date": "date",
    "datetime": "date",
    "enumeration": "select",
    "bool": "booleancheckbox",
}
#: behind the pipelines that people made: the first one is every screen's default
DISPLAY_ORDER: Final = 100
#: tells in an answer that the thing was there before
ADOPTED: Final = "adopted"

_Model = TypeVar("_Model", PipelineRow, PipelineList, StageRow, PropertyRow, GroupList)


class DefinitionWrites:
    """Writes of one account's definitions."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def create_pipeline(self, sending: Sending, write: CreatePipeline) -> Answer:
        """Create a pipeline with its stages; one of that label is adopted, and the answer says so.

        Raises:
            PortError: nothing was created.
        """
        body: Json = {
            "label": write.label,
            "displayOrder": DISPLAY_ORDER,
            "stages": [_stage(stage) for stage in write.stages],
        }
        answer = sending.write("POST", _PIPELINES, body)
        if isinstance(answer, bytes):
            made = _parsed(PipelineRow, answer)
            return Unknown("the answer is no pipeline") if made is None else _pipeline_done(made)
        if not isinstance(answer, Problem):
            return answer
        sending.begun()
        found = sending.read(lambda: self._pipeline(write.label, sending))
        if isinstance(found, NotSent):
            return found
        return rejected(answer) if found is None else _pipeline_done(found, adopted=True)

    def create_stage(self, sending: Sending, write: CreateStage) -> Answer:
        """Add a stage; one of that label in the pipeline is adopted.

        Raises:
            PortError: nothing was created.
        """
        path = f"{_PIPELINES}/{write.pipeline_id}/stages"
        answer = sending.write("POST", path, _stage(write.stage))
        if isinstance(answer, bytes):
            made = _parsed(StageRow, answer)
            return Unknown("the answer is no stage") if made is None else Done(made.id)
        if not isinstance(answer, Problem):
            return answer
        sending.begun()
        found = sending.read(lambda: self._stage(write.pipeline_id, write.stage.label, sending))
        if isinstance(found, NotSent):
            return found
        return rejected(answer) if found is None else _adopted(found.id)

    def rename_stage(self, sending: Sending, write: RenameStage) -> Answer:
        """Give a stage a label.

        Raises:
            PortError: nothing was changed.
        """
        path = f"{_PIPELINES}/{write.pipeline_id}/stages/{write.stage_id}"
        answer = sending.write("PATCH", path, {"label": write.label})
        match answer:
            case bytes():
                return Done(write.stage_id)
            case Problem():
                return rejected(answer)
            case _:
                return answer

    def create_property(self, sending: Sending, write: CreateProperty) -> Answer:
        """Create a property, and the group that ours stand in; an equal one is as good.

        Raises:
            PortError: nothing was created.
        """
        plural = _PLURAL_OF[write.object]
        body: Json = {
            "name": write.name,
            "label": write.label,
            "type": write.type,
            "fieldType": _FIELD_TYPES.get(write.type, "text"),
            "groupName": names.GROUP,
            "hasUniqueValue": write.is_unique,
        }
        there = sending.read(lambda: self._property(plural, write.name, sending))
        if isinstance(there, NotSent):
            return there
        if there is not None:
            return _same_property(there, write)
        group = self._make_group(sending, plural)
        if group is not None:
            return group
        answer = sending.write("POST", f"/crm/v3/properties/{plural}", body)
        match answer:
            case bytes():
                return Done(write.name)
            case Problem() if answer.verdict is Verdict.CONFLICT:
                there = sending.read(lambda: self._property(plural, write.name, sending))
                if isinstance(there, NotSent):
                    return there
                return rejected(answer) if there is None else _same_property(there, write)
            case Problem():
                return rejected(answer)
            case _:
                return answer

    def resolve(
        self, sending: Sending, write: CreatePipeline | CreateStage | RenameStage | CreateProperty
    ) -> Answer:
        """Tell by reading whether the definition is there as wanted.

        Raises:
            PortError: HubSpot does not say.
        """
        match write:
            case CreatePipeline():
                pipeline = self._pipeline(write.label, sending)
                return NotSent("no such pipeline") if pipeline is None else _pipeline_done(pipeline)
            case CreateStage():
                stage = self._stage(write.pipeline_id, write.stage.label, sending)
                return NotSent("no such stage") if stage is None else Done(stage.id)
            case RenameStage():
                stage = self._stage(write.pipeline_id, write.label, sending)
                is_renamed = stage is not None and stage.id == write.stage_id
                return Done(write.stage_id) if is_renamed else NotSent("it has another label")
            case CreateProperty():
                there = self._property(_PLURAL_OF[write.object], write.name, sending)
                return (
                    NotSent("no such property") if there is None else _same_property(there, write)
                )

    def _make_group(self, sending: Sending, plural: str) -> Answer | None:
        """Make our group of properties unless it is there; return why that failed, or None."""
        path = f"/crm/v3/properties/{plural}/groups"
        groups = sending.read(lambda: self._groups(path, sending))
        if isinstance(groups, NotSent):
            return groups
        if names.GROUP in groups:
            return None
        body: Json = {"name": names.GROUP, "label": names.GROUP_LABEL, "displayOrder": -1}
        answer = sending.write("POST", path, body)
        match answer:
            case bytes():
                return None
            case Problem() if answer.verdict is Verdict.CONFLICT:
                return None
            case Problem():
                return rejected(answer)
            case _:
                return answer

    def _groups(self, path: str, sending: Sending) -> frozenset[str]:
        rows = _sound(GroupList, self._reader.raw("GET", path, sending.at)).results
        return frozenset(row.name for row in rows if not row.archived)

    def _pipelines(self, sending: Sending) -> list[PipelineRow]:
        return _sound(PipelineList, self._reader.raw("GET", _PIPELINES, sending.at)).results

    def _pipeline(self, label: str, sending: Sending) -> PipelineRow | None:
        """Return the living pipeline with exactly this label."""
        rows = self._pipelines(sending)
        return next((row for row in rows if row.label == label and not row.archived), None)

    def _stage(self, pipeline_id: str, label: str, sending: Sending) -> StageRow | None:
        """Return the pipeline's living stage with exactly this label."""
        for row in self._pipelines(sending):
            if row.id == pipeline_id:
                stages = (one for one in row.stages if not one.archived)
                return next((one for one in stages if one.label == label), None)
        return None

    def _property(self, plural: str, name: str, sending: Sending) -> PropertyRow | None:
        found = self._reader.try_raw("GET", f"/crm/v3/properties/{plural}/{name}", sending.at)
        return _sound(PropertyRow, found) if isinstance(found, bytes) else None


def _stage(wanted: StageWanted) -> Json:
    metadata: Json = {
        "isClosed": "true" if wanted.is_closed else "false",
        "probability": wanted.probability,
    }
    return {"label": wanted.label, "displayOrder": wanted.order, "metadata": metadata}


def _pipeline_done(row: PipelineRow, *, adopted: bool = False) -> Done:
    stages = tuple(
        Reading(name=f"stage.{stage.label}", value=stage.id)
        for stage in row.stages
        if not stage.archived
    )
    return Done(row.id, ((Reading(name=ADOPTED, value="true"),) if adopted else ()) + stages)


def _adopted(record_id: str) -> Done:
    return Done(record_id, (Reading(name=ADOPTED, value="true"),))


def _same_property(there: PropertyRow, wanted: CreateProperty) -> Done | Rejected:
    if there.type == wanted.type and (there.has_unique_value or not wanted.is_unique):
        return Done(wanted.name)
    unique = "unique " if wanted.is_unique else ""
    return Rejected(
        code="PROPERTY_DIFFERS",
        message=f"expected {wanted.object} property {wanted.name} to be a {unique}{wanted.type},"
        f" found a {'unique ' if there.has_unique_value else ''}{there.type};"
        " archive that property, then retry",
        fields=(wanted.name,),
    )


def _parsed(model: type[_Model], body: bytes) -> _Model | None:
    try:
        return model.model_validate_json(body)
    except ValidationError:
        return None


def _sound(model: type[_Model], body: bytes) -> _Model:
    parsed = _parsed(model, body)
    if parsed is None:
        raise RetryableError(f"expected a {model.__name__} of HubSpot, found a body that is none")
    return parsed
