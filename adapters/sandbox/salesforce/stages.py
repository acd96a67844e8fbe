"""The stages that a new org has, and adding, renaming and taking away stages and record types.

This is what an admin does in the set-up screens.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from adapters.sandbox.box import ActionRefusedError
from adapters.sandbox.salesforce import ids, processes
from adapters.sandbox.salesforce.org import Call
from adapters.sandbox.tables import JsonValue, Row

RECORD_TYPE_PREFIX = "012"
STAGE_PREFIX = "01J"


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage as an admin would type it in."""

    label: str
    probability: int
    forecast: str
    closed: bool = False
    won: bool = False


STANDARD_STAGES = (
    Stage("Prospecting", 10, "Pipeline"),
    Stage("Qualification", 10, "Pipeline"),
    Stage("Needs Analysis", 20, "Pipeline"),
    Stage("Value Proposition", 50, "Pipeline"),
    Stage("Id. Decision Makers", 60, "Pipeline"),
    Stage("Perception Analysis", 70, "Pipeline"),
    Stage("Proposal/Price Quote", 75, "Pipeline"),
    Stage("Negotiation/Review", 90, "Pipeline"),
    Stage("Closed Won", 100, "Closed", closed=True, won=True),
    Stage("Closed Lost", 0, "Omitted", closed=True),
)
#: by record type of a new org: its sales process
STANDARD_PROCESSES = {
    "New Business": (
        "Prospecting",
        "Qualification",
        "Needs Analysis",
        "Value Proposition",
        "Proposal/Price Quote",
        "Negotiation/Review",
        "Closed Won",
        "Closed Lost",
    ),
    "Renewal": (
        "Qualification",
        "Proposal/Price Quote",
        "Negotiation/Review",
        "Closed Won",
        "Closed Lost",
    ),
}


def audit(call: Call) -> Row:
    """Return the fields that say who made a row, and when."""
    return {
        "CreatedDate": call.stamp,
        "CreatedById": call.user_id,
        "LastModifiedDate": call.stamp,
        "LastModifiedById": call.user_id,
        "SystemModstamp": call.stamp,
    }


def add_stage(call: Call, stage: Stage) -> str:
    """Add a stage after all others and return its id."""
    store = call.org.store
    stage_id = ids.numbered(STAGE_PREFIX, store.tables.next_number(f"id:{STAGE_PREFIX}"))
    order = [int(str(row["SortOrder"])) for row in store.rows("OpportunityStage").values()]
    row: Row = {
        "Id": stage_id,
        "MasterLabel": stage.label,
        "ApiName": stage.label,
        "IsActive": True,
        "SortOrder": max(order, default=0) + 1,
        "IsClosed": stage.closed,
        "IsWon": stage.won,
        "ForecastCategoryName": stage.forecast,
        "DefaultProbability": float(stage.probability),
        "Description": None,
        **audit(call),
    }
    store.put("OpportunityStage", stage_id, row)
    return stage_id


def add_record_type(call: Call, name: str, stages: Sequence[str] | None) -> str:
    """Add a record type of opportunities with its sales process and return its id.

    Raises:
        ActionRefusedError: the name is taken, or a stage does not exist.
    """
    store = call.org.store
    developer_name = re.sub(r"\W+", "_", name).strip("_")
    taken = {str(row["DeveloperName"]).lower() for row in store.rows("RecordType").values()}
    if not developer_name or developer_name.lower() in taken:
        raise ActionRefusedError(f"a record type named '{name}' exists already, or cannot exist")
    if stages is None:
        offered = [str(row["ApiName"]) for row in processes.stages(call.org) if row["IsActive"]]
    else:
        offered = [str(_stage_row(call, each)["ApiName"]) for each in stages]
    number = store.tables.next_number(f"id:{RECORD_TYPE_PREFIX}")
    record_type_id = ids.numbered(RECORD_TYPE_PREFIX, number)
    row: Row = {
        "Id": record_type_id,
        "Name": name,
        "DeveloperName": developer_name,
        "NamespacePrefix": None,
        "Description": None,
        "SobjectType": "Opportunity",
        "IsActive": True,
        **audit(call),
    }
    store.put("RecordType", record_type_id, row)
    set_process(call, record_type_id, offered)
    return record_type_id


def set_process(call: Call, record_type_id: str, stages: Sequence[str]) -> None:
    """Replace the stages that a record type offers."""
    names: list[JsonValue] = list(stages)
    call.org.store.put(processes.PROCESS, record_type_id, {"stages": names})


def offer_stage(call: Call, record_type_id: str, name: str) -> None:
    """Let a record type offer one more stage, in the order of all stages."""
    offered = {str(row["ApiName"]) for row in processes.stages_of(call.org, record_type_id)}
    offered.add(str(_stage_row(call, name)["ApiName"]))
    ordered = [str(row["ApiName"]) for row in processes.stages(call.org)]
    set_process(call, record_type_id, [each for each in ordered if each in offered])


def withdraw_stage(call: Call, record_type_id: str | None, name: str) -> None:
    """Take a stage from one record type, or make it inactive everywhere."""
    row = _stage_row(call, name)
    if record_type_id is None:
        call.org.store.put(
            "OpportunityStage",
            str(row["Id"]),
            {
                **row,
                "IsActive": False,
                "LastModifiedDate": call.stamp,
                "SystemModstamp": call.stamp,
            },
        )
        return
    offered = [str(each["ApiName"]) for each in processes.stages_of(call.org, record_type_id)]
    set_process(call, record_type_id, [each for each in offered if each != row["ApiName"]])


def relabel_stage(call: Call, name: str, label: str) -> None:
    """Give a stage another label; its API name, and so every record, stays as it is."""
    row = _stage_row(call, name)
    moved: Row = {"LastModifiedDate": call.stamp, "SystemModstamp": call.stamp}
    call.org.store.put("OpportunityStage", str(row["Id"]), {**row, "MasterLabel": label, **moved})


def rename_stage(call: Call, name: str, label: str) -> None:
    """Rename a stage, in every sales process and on every opportunity that is in it.

    Raises:
        ActionRefusedError: there is no such stage, or the new name is taken.
    """
    row = _stage_row(call, name)
    other = processes.stage_named(call.org, label)
    if other is not None and other["Id"] != row["Id"]:
        raise ActionRefusedError(f"a stage named '{label}' exists already")
    store = call.org.store
    old = row["ApiName"]
    moved: Row = {"LastModifiedDate": call.stamp, "SystemModstamp": call.stamp}
    renamed: Row = {**row, "MasterLabel": label, "ApiName": label, **moved}
    store.put("OpportunityStage", str(row["Id"]), renamed)
    for key, process in list(store.rows(processes.PROCESS).items()):
        names = process["stages"]
        if isinstance(names, list) and old in names:
            set_process(call, key, [label if each == old else str(each) for each in names])
    for key, opportunity in list(store.rows("Opportunity").items()):
        if opportunity["StageName"] == old:
            # A mass replacement moves the system's stamp, not the people's.
            changed: Row = {"StageName": label, "SystemModstamp": call.stamp}
            store.put("Opportunity", key, {**opportunity, **changed})


def _stage_row(call: Call, name: str) -> Row:
    row = processes.stage_named(call.org, name)
    if row is None:
        known = ", ".join(str(each["ApiName"]) for each in processes.stages(call.org))
        raise ActionRefusedError(f"no stage is named '{name}'; there are: {known}")
    return row
