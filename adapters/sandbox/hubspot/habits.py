"""What HubSpot sets by itself when a record is created or changed.

* `pipeline` is the account's default one where none is given.
* `closedate` is filled in on creation, and rewritten when a person moves a deal into a closed
  stage, from lost to won too, but not from won to won.
* `lifecyclestage` does not go backwards by the API unless it was emptied first: the value is
  ignored, the call succeeds.
"""

from typing import Literal, TypeAlias, get_args

from adapters.sandbox.hubspot import instants, pipelines
from adapters.sandbox.hubspot.actors import HUBSPOT, PERSON
from adapters.sandbox.hubspot.kinds import CONTACTS, DEALS, Kind
from adapters.sandbox.hubspot.portal import Edit, Portal, edit_of
from adapters.sandbox.hubspot.rows import Record, text
from adapters.sandbox.tables import Tables

Rewriting: TypeAlias = Literal["person", "everyone", "nobody"]
REWRITING: tuple[str, ...] = get_args(Rewriting)
Written: TypeAlias = dict[str, tuple[str, Edit]]


def set_rewriting(tables: Tables, whose: str) -> None:
    """Choose whose closing of a deal rewrites `closedate`: as HubSpot, everybody's or nobody's."""
    tables.put("habit", "closedate", {"whose": whose})


def _rewriting(tables: Tables) -> str:
    row = tables.get("habit", "closedate")
    return "person" if row is None else text(row, "whose")


def on_creation(portal: Portal, kind: Kind, written: Written, edit: Edit) -> None:
    """Add what HubSpot fills in; `written` holds no blanks."""
    by_hubspot = edit_of(HUBSPOT, edit.ms)
    if kind is CONTACTS:
        written.setdefault("lifecyclestage", ("lead", by_hubspot))
    if kind is not DEALS:
        return
    written.setdefault("pipeline", (pipelines.DEFAULT, by_hubspot))
    stage = written.get("dealstage", ("", edit))[0]
    closed = pipelines.is_closed(portal, stage)
    if "closedate" not in written or (closed and _rewriting(portal.tables) == "everyone"):
        ms = edit.ms if closed else instants.end_of_month(edit.ms, portal.zone())
        written["closedate"] = (instants.iso(ms), by_hubspot)


def on_change(portal: Portal, kind: Kind, record: Record, written: Written, edit: Edit) -> None:
    """Add what HubSpot sets because of the change, and leave out what it ignores."""
    if "lifecyclestage" in written and edit.actor is not PERSON:
        _keep_forward(record, written)
    if kind is DEALS and "dealstage" in written:
        _rewrite_close_date(portal, record, written, edit)


def _keep_forward(record: Record, written: Written) -> None:
    order = pipelines.LIFECYCLE_ORDER
    before, after = record["values"].get("lifecyclestage"), written["lifecyclestage"][0]
    if before in order and after in order and order.index(after) < order.index(before):
        del written["lifecyclestage"]


def _rewrite_close_date(portal: Portal, record: Record, written: Written, edit: Edit) -> None:
    before, after = record["values"].get("dealstage", ""), written["dealstage"][0]
    if not pipelines.is_closed(portal, after):
        return
    if pipelines.is_closed(portal, before) and (
        pipelines.is_won(portal, before) == pipelines.is_won(portal, after)
    ):
        return
    match _rewriting(portal.tables):
        case "everyone":
            author = edit if edit.actor is PERSON else edit_of(HUBSPOT, edit.ms)
            written["closedate"] = (edit.iso, author)
        case "person" if edit.actor is PERSON and "closedate" not in written:
            written["closedate"] = (edit.iso, edit)
        case _:
            return
