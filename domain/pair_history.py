"""How events fold into a pair: every event class that a pair's stream can hold.

`evolve` only records what was decided: it reads no policy and no clock, and never fails. It copies
the pair once; the functions below it amend that copy, which nobody else has seen yet.
"""

from typing import Final

from domain import events, registers
from domain.canonical import Value
from domain.copying import amend, replace
from domain.ids import Crm
from domain.mapping import STAGE
from domain.pair import (
    EVERY_FIELD,
    NO_FIELD,
    Agreed,
    FieldState,
    Held,
    Pair,
    PairState,
    Side,
    Unseen,
)
from domain.registers import Asked, Foreign, Lesson, Ours, Register
from domain.rules import RuleId
from domain.writes import (
    AddContactRole,
    ArchiveDeal,
    AssociateCompany,
    AssociateContact,
    CreateDeal,
    CreateOpportunity,
    DissociateCompany,
    DissociateContact,
    FieldChange,
    RemoveContactRole,
    UpdateDeal,
    Write,
)

#: our own link fields in both CRMs
_LINK_FIELDS: Final = ("DealSync_Deal_Id__c", "dealsync_opportunity_id")


def evolve(pair: Pair, event: events.Event) -> Pair:
    """Fold one event of the pair's stream."""
    pair = replace(pair, version=pair.version + 1)
    match event:
        case events.RecordFounded():
            return _own(pair, event.crm, event.record_id)
        case events.RecordBuried():
            return _bury(pair, event)
        case events.RecordRevived():
            return _own(pair, event.crm, event.record_id)
        case events.SideNoted():
            return _note_side(pair, event)
        case events.RefreshWanted():
            return _ask_again(pair, event)
        case events.RolesNoted():
            return _note_roles(pair, event)
        case events.AssociationsNoted():
            return _note_associations(pair, event)
        case events.ContactLinkCrossed():
            crossed = {(event.side, event.contact_id)}
            return amend(pair, crossing=pair.crossing - crossed)
        case events.SyncEntered():
            return _enter(pair)
        case events.CounterpartLinked():
            return _link(pair, event)
        case events.CounterpartDropped():
            side = pair.side(event.side)
            ids = {k: v for k, v in side.ids.items() if k != event.record_id}
            current = None if side.current == event.record_id else side.current
            return _with_side(pair, event.side, replace(side, ids=ids, current=current))
        case events.PairAbsorbed():
            return amend(pair, absorbed_into=event.into)
        case events.SyncStopped():
            return amend(pair, state=PairState.STOPPED)
        case events.SyncResumed():
            return amend(pair, state=PairState.LIVE, put_back=None)
        case events.PairDetached():
            while_stopped = event.rule is RuleId.DELETE_DOWN and pair.state is PairState.STOPPED
            deleted_at = event.at if while_stopped else None
            return amend(pair, state=PairState.DETACHED, deleted_while_stopped=deleted_at)
        case events.PairDeleted():
            return amend(pair, state=PairState.DELETED, deleted_down=True)
        case events.FieldSettled():
            return _settle(pair, event)
        case events.FieldHeld():
            return _hold(pair, event)
        case events.FieldFreed():
            return _free(pair, event)
        case events.WriteDecided():
            return _ask(pair, event.write)
        case events.WriteClosed():
            return _close(pair, event)
        case events.EchoSeen():
            unseen = tuple(u for u in pair.unseen if u.write_id != event.write_id)
            return amend(pair, unseen=unseen)
        case events.IssueOpened():
            issues = {**pair.issues, (event.code, event.subject): event.text}
            return amend(pair, issues=issues)
        case events.IssueClosed():
            gone = (event.code, event.subject)
            return amend(pair, issues={k: v for k, v in pair.issues.items() if k != gone})
        case events.WaitingChanged():
            return amend(pair, waiting=event.keys)
        case events.SummaryChanged():
            return amend(pair, summary=event)
        case events.FactParked():
            return amend(pair, parked=(*pair.parked, event))
        case events.ParkedFactSettled():
            parked = tuple(p for p in pair.parked if p.position != event.position)
            return amend(pair, parked=parked)
        case _:
            return pair


def _with_side(pair: Pair, crm: Crm, side: Side) -> Pair:
    if crm is Crm.SALESFORCE:
        return amend(pair, salesforce=side)
    return amend(pair, hubspot=side)


def _own(pair: Pair, crm: Crm, record_id: str) -> Pair:
    side = pair.side(crm)
    if side.ids and record_id not in side.ids:
        pair = _with_another_record(pair, crm)
        side = pair.side(crm)
    ids = {**side.ids, record_id: True}
    pair = _with_side(pair, crm, replace(side, ids=ids, current=record_id))
    return _both_there(pair)


def _with_another_record(pair: Pair, crm: Crm) -> Pair:
    """Forget a side's earlier record, and what was agreed with it: this one existed before."""
    pair = _with_new_record(pair, crm)
    fields = {name: replace(state, base=None, held={}) for name, state in pair.fields.items()}
    side = replace(pair.side(crm), note=None, read_at=None)
    return _with_side(amend(pair, fields=fields, shown_state=None, adopting=True), crm, side)


def _with_new_record(pair: Pair, crm: Crm) -> Pair:
    """Forget what an earlier record of a side held and what people did to it there."""
    fields = {
        name: state.with_register(crm, Register(asked=state.on(crm).asked))
        for name, state in pair.fields.items()
    }
    return amend(pair, fields=fields)


def _both_there(pair: Pair) -> Pair:
    """A waiting pair whose two records are there is live."""
    if pair.salesforce.current is None or pair.hubspot.current is None:
        return pair
    if pair.state is PairState.WAITING:
        return amend(pair, state=PairState.LIVE, was_paired=True)
    return pair


def _bury(pair: Pair, event: events.RecordBuried) -> Pair:
    side = pair.side(event.crm)
    current = None if side.current == event.record_id else side.current
    ids = {**side.ids, event.record_id: False}
    side = replace(side, ids=ids, current=current, buried_at=event.read_begun_at)
    return _with_side(pair, event.crm, side)


def _note_side(pair: Pair, event: events.SideNoted) -> Pair:
    side = pair.side(event.side)
    if side.read_at is None or event.read_begun_at >= side.read_at:
        side = replace(side, note=event.note, read_at=event.read_begun_at)
        pair = _with_side(pair, event.side, side)
    fields = dict(pair.fields)
    for note in event.fields:
        state = fields.get(note.field, NO_FIELD)
        register = registers.learn(
            state.on(event.side),
            Lesson(note.kind),
            foreign=Foreign(note.value, note.low, note.high, note.by),
            read_begun_at=event.read_begun_at,
            followed=Ours(note.our_value) if note.followed_ours else None,
            overwritten=note.overwritten,
        )
        fields[note.field] = state.with_register(event.side, register)
    changed = any(note.kind != Lesson.KNOWN for note in event.fields)
    return amend(pair, fields=fields, unsettled=False, refused={} if changed else pair.refused)


def _ask_again(pair: Pair, event: events.RefreshWanted) -> Pair:
    side = pair.side(event.crm)
    if side.note is None or event.record_id != side.current:
        return pair
    return _with_side(pair, event.crm, replace(side, asked_again_at=side.note.modified_at))


def _note_roles(pair: Pair, event: events.RolesNoted) -> Pair:
    before = {role.contact_id for role in pair.roles}
    after = {role.contact_id for role in event.roles}
    pair = _links_moved(pair, Crm.SALESFORCE, before, after)
    return amend(pair, roles=event.roles, roles_read_at=event.read_begun_at)


def _note_associations(pair: Pair, event: events.AssociationsNoted) -> Pair:
    before = {contact.contact_id for contact in pair.associations}
    after = {contact.contact_id for contact in event.contacts}
    pair = _links_moved(pair, Crm.HUBSPOT, before, after)
    return amend(
        pair,
        associations=event.contacts,
        associations_read_at=event.read_begun_at,
        company_id=event.company_id,
    )


def _links_moved(pair: Pair, side: Crm, before: set[str], after: set[str]) -> Pair:
    """Remember which contact links were added or removed on a side."""
    added = {(side, contact_id) for contact_id in after - before} - pair.made_links
    removed = {(side, contact_id) for contact_id in before - after}
    return amend(
        pair,
        crossing=(pair.crossing - removed) | added,
        removed_links=(pair.removed_links - added) | removed,
        made_links=pair.made_links - removed,
    )


def _enter(pair: Pair) -> Pair:
    crossing = {(Crm.SALESFORCE, role.contact_id) for role in pair.roles}
    crossing |= {(Crm.HUBSPOT, contact.contact_id) for contact in pair.associations}
    both = pair.salesforce.current is not None and pair.hubspot.current is not None
    return amend(
        pair,
        state=PairState.LIVE if both else PairState.WAITING,
        was_paired=pair.was_paired or both,
        crossing=pair.crossing | crossing,
        removed_links=frozenset(),
        deleted_down=False,
        deleted_while_stopped=None,
    )


def _link(pair: Pair, event: events.CounterpartLinked) -> Pair:
    side = pair.side(event.side)
    if side.ids and side.current != event.record_id:
        if event.how in ("adopted", "requested"):
            pair = _with_another_record(pair, event.side)
        elif event.how == "merged":
            pair = _with_new_record(pair, event.side)
        side = pair.side(event.side)
    ids = {**side.ids, **dict.fromkeys(event.buried_ids, False), event.record_id: True}
    return _both_there(
        _with_side(pair, event.side, replace(side, ids=ids, current=event.record_id))
    )


def _with_field(pair: Pair, name: str, state: FieldState) -> Pair:
    return amend(pair, fields={**pair.fields, name: state})


def _settle(pair: Pair, event: events.FieldSettled) -> Pair:
    state = pair.field(event.field)
    state = replace(
        state,
        base=Agreed(event.salesforce, event.hubspot, event.winner),
        salesforce=registers.settle(state.salesforce),
        hubspot=registers.settle(state.hubspot),
    )
    if event.how == "adopted":
        pair = amend(pair, adopting=False)
    return _with_field(pair, event.field, state)


def _hold(pair: Pair, event: events.FieldHeld) -> Pair:
    state = pair.field(event.field)
    held = {**state.held, event.side: Held(event.code, event.detail, event.value)}
    return _with_field(pair, event.field, replace(state, held=held))


def _free(pair: Pair, event: events.FieldFreed) -> Pair:
    if event.field == EVERY_FIELD:
        return amend(pair, refused={})
    state = pair.field(event.field)
    held = {k: v for k, v in state.held.items() if k is not event.side}
    return _with_field(pair, event.field, replace(state, held=held))


def _ask(pair: Pair, write: Write) -> Pair:
    """Remember what an open write asks its side to hold."""
    pair = amend(pair, open={**pair.open, write.id: write})
    side = write.CRM
    fields = dict(pair.fields)
    for change in write.fields:
        if not change.guarded:
            continue
        state = fields.get(change.field)
        if state is None and not isinstance(write, CreateDeal | CreateOpportunity):
            continue
        state = state or NO_FIELD
        other = state.on(side.other).foreign
        asked = Asked(write.id, _asked_value(pair, write, change), other.high if other else None)
        fields[change.field] = state.with_register(side, registers.ask(state.on(side), asked))
    pair = amend(pair, fields=fields)
    match write:
        case CreateDeal() | CreateOpportunity():
            record = pair.side(side)
            record = replace(record, creating=write.id)
            return _with_side(pair, side, record)
        case AssociateContact() | AddContactRole():
            crossed = {(side.other, write.counterpart_id)}
            return _made(amend(pair, crossing=pair.crossing - crossed), side, write.contact_id)
        case AssociateCompany():
            return amend(pair, made_company=write.company_id)
        case DissociateCompany():
            return amend(pair, made_company=None)
        case DissociateContact():
            return _unmade(pair, Crm.HUBSPOT, write.contact_id)
        case RemoveContactRole():
            return _unmade(pair, Crm.SALESFORCE, write.contact_id)
        case UpdateDeal():
            return _shown(pair, write)
        case _:
            return pair


def _asked_value(pair: Pair, write: Write, change: FieldChange) -> Value:
    """Return the register's form of a change: a stage's carries its record type or pipeline."""
    if change.field != STAGE or change.after is None:
        return change.after
    scope_field = "RecordTypeId" if write.CRM is Crm.SALESFORCE else "pipeline"
    moved = next((c.after for c in write.fields if c.field == scope_field), None)
    note = pair.side(write.CRM).note
    scope = moved or (note.scope_id if note is not None else None) or ""
    return f"{scope}/{change.after}"


def _made(pair: Pair, side: Crm, contact_id: str) -> Pair:
    return amend(pair, made_links=pair.made_links | {(side, contact_id)})


def _unmade(pair: Pair, side: Crm, contact_id: str) -> Pair:
    return amend(pair, made_links=pair.made_links - {(side, contact_id)})


def _shown(pair: Pair, write: UpdateDeal | CreateDeal) -> Pair:
    state = next((c.after for c in write.fields if c.field == "dealsync_state"), None)
    return pair if state is None else amend(pair, shown_state=state)


def _close(pair: Pair, event: events.WriteClosed) -> Pair:
    if event.outcome in ("unknown", "held"):
        return pair
    write = pair.open.get(event.write_id)
    if write is None:
        return pair
    pair = amend(pair, open={k: v for k, v in pair.open.items() if k != write.id})
    side = pair.side(write.CRM)
    if side.creating == write.id:
        pair = _with_side(pair, write.CRM, replace(side, creating=None))
    done = event.outcome == "done"
    if done and write.CREATES and side.ids and event.record_id not in side.ids:
        pair = _with_new_record(pair, write.CRM)
    fields = dict(pair.fields)
    for change in write.fields:
        state = fields.get(change.field)
        if state is None:
            continue
        register = registers.close(
            state.on(write.CRM),
            write.id,
            sent_at=event.sent_at if done else None,
            answered_at=event.answered_at if done else None,
        )
        fields[change.field] = state.with_register(write.CRM, register)
    pair = amend(pair, fields=fields)
    if done:
        return _done(pair, write, event)
    return _not_done(pair, write, event)


def _done(pair: Pair, write: Write, event: events.WriteClosed) -> Pair:
    if event.answered_at is not None:
        unseen = Unseen(write.id, write.CRM, event.answered_at, _part(write))
        pair = amend(pair, unseen=(*pair.unseen, unseen))
    pair = _linked(pair, write)
    match write:
        case CreateDeal():
            pair = _shown(pair, write)
        case AssociateCompany():
            pair = amend(pair, company_id=write.company_id)
        case DissociateCompany():
            pair = amend(pair, company_id=None)
        case _:
            pass
    refused = {k: v for k, v in pair.refused.items() if k != write.topic}
    return amend(pair, refused=refused)


def _part(write: Write) -> str:
    """Return which reading shows that a write was done."""
    if isinstance(write, ArchiveDeal):
        return "deletion"
    links = AssociateContact | DissociateContact | AssociateCompany | DissociateCompany
    return "links" if isinstance(write, links | AddContactRole | RemoveContactRole) else "fields"


def _linked(pair: Pair, write: Write) -> Pair:
    """Remember the link that a done write put on a record."""
    side = pair.side(write.CRM)
    link = next((c.after for c in write.fields if c.name in _LINK_FIELDS), None)
    if link is None or side.note is None:
        return pair
    note = side.note.model_copy(update={"link": link})
    return _with_side(pair, write.CRM, replace(side, note=note))


def _not_done(pair: Pair, write: Write, event: events.WriteClosed) -> Pair:
    """Undo what deciding the write took for granted."""
    match write:
        case AssociateContact() | AddContactRole():
            again = {(write.CRM.other, write.counterpart_id)}
            pair = _unmade(pair, write.CRM, write.contact_id)
            pair = amend(pair, crossing=pair.crossing | again)
        case DissociateContact() | RemoveContactRole() if event.outcome == "cancelled":
            pair = _made(pair, write.CRM, write.contact_id)
        case AssociateCompany():
            pair = amend(pair, made_company=None)
        case UpdateDeal():
            if any(change.field == "dealsync_state" for change in write.fields):
                # Nobody knows what it shows: blank differs from every state.
                pair = amend(pair, shown_state="")
        case _:
            pass
    if event.outcome == "rejected" and not event.fields:
        refused = {**pair.refused, write.topic: (event.code, event.message)}
        return amend(pair, refused=refused)
    switched_off = event.rule is RuleId.DEAL_SYNC_SWITCH
    return amend(pair, unsettled=pair.unsettled or not switched_off)
