"""What an observation of a record teaches a pair: registers, scope, links, echoes.

A fact carries the whole record; the difference is taken here, field by field, against the pair's
registers. Nothing is written from here: `pairing` weighs what came of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from domain import events
from domain.canonical import NotCanonicalError, Value
from domain.facts import (
    AssociationsObserved,
    DealObserved,
    OpportunityObserved,
    Overwritten,
    Reading,
    RolesObserved,
)
from domain.ids import Crm
from domain.issues import NOT_READABLE
from domain.mapping import CLOSE_DATE, OWNER, STAGE, FieldRule, Mapping
from domain.pair import FieldState, PairState, kind_of
from domain.registers import Lesson, Register, Seen, comes_too_early, is_news, lesson
from domain.rules import RuleId, field_rules, prerequisites, stages, values
from domain.story import Story


@dataclass(frozen=True, slots=True)
class Taught:
    """What came of an observation."""

    #: whether a trigger field differs from what was recorded
    changed: bool
    #: whether the record was never read before
    first: bool
    #: whether something had been called off that is to be weighed again now
    unsettled: bool = False


def opportunity(story: Story, fact: OpportunityObserved) -> Taught:
    """Take an opportunity's fields into the pair."""
    note = events.SideNote(
        created_at=fact.created_at,
        modified_at=fact.modified_at,
        scope_id=fact.record_type_id,
        is_closed=fact.is_closed,
        is_won=fact.is_won,
        account_id=fact.account_id,
        currency_code=fact.currency_code,
        link=fact.linked_deal_id,
    )
    seen = _Record(
        side=Crm.SALESFORCE,
        record_id=fact.opportunity_id,
        read_begun_at=fact.read_begun_at,
        readings={reading.name: reading for reading in fact.readings},
        record_ours=fact.modified_by_us,
        by=fact.by,
        stage=stages.joined(fact.record_type_id, fact.stage_name),
    )
    return _take(story, seen, note)


def deal(story: Story, fact: DealObserved) -> Taught:
    """Take a deal's properties into the pair."""
    readings = {reading.name: reading for reading in fact.readings}
    closed = readings.get("hs_is_closed")
    won = readings.get("hs_is_closed_won")
    note = events.SideNote(
        created_at=fact.created_at,
        modified_at=fact.modified_at,
        scope_id=fact.pipeline_id,
        scope_at=fact.pipeline_at,
        is_closed=closed is not None and closed.value == "true",
        is_won=won is not None and won.value == "true",
        currency_code=fact.currency_code,
        link=fact.link,
        vendor_synced_at=fact.vendor_synced_at,
        vendor_is_active=prerequisites.other_connector_moves(story.pair, fact),
    )
    if fact.stage_at is not None:
        name = _stage_mapping(story).hubspot
        shown = readings.get(name)
        over = shown.overwritten if shown is not None else None
        # A stage of another pipeline says nothing in this one: moves are weighed as such.
        in_here = over is not None and fact.pipeline_at is not None and over.at >= fact.pipeline_at
        readings[name] = Reading(
            name=name,
            value=fact.stage_id,
            at=fact.stage_at,
            by=fact.stage_by,
            ours=fact.stage_ours,
            followed_ours=shown is not None and shown.followed_ours,
            our_value=shown.our_value if shown is not None else None,
            overwritten=over if in_here else None,
        )
    seen = _Record(
        side=Crm.HUBSPOT,
        record_id=fact.deal_id,
        read_begun_at=fact.read_begun_at,
        readings=readings,
        record_ours=False,
        by=fact.by,
        stage=stages.joined(fact.pipeline_id, fact.stage_id),
    )
    return _take(story, seen, note)


def roles(story: Story, fact: RolesObserved) -> Taught:
    """Take the opportunity's contact roles into the pair."""
    read_at = story.pair.roles_read_at
    if read_at is not None and fact.read_begun_at < read_at:
        story.not_because(RuleId.ORDER, "a later reading of the roles is known")
        return Taught(changed=False, first=False)
    before = {role.contact_id for role in story.pair.roles}
    after = {role.contact_id for role in fact.roles}
    if read_at is None or fact.roles != story.pair.roles:
        story.tell(
            events.RolesNoted(
                **story.said(RuleId.CONTACT_ROLE),
                read_begun_at=fact.read_begun_at,
                roles=fact.roles,
            )
        )
    seen(story, Crm.SALESFORCE, "links", fact.read_begun_at)
    return Taught(changed=read_at is not None and before != after, first=read_at is None)


def associations(story: Story, fact: AssociationsObserved) -> Taught:
    """Take the deal's contacts and company into the pair."""
    pair = story.pair
    read_at = pair.associations_read_at
    if read_at is not None and fact.read_begun_at < read_at:
        story.not_because(RuleId.ORDER, "a later reading of the associations is known")
        return Taught(changed=False, first=False)
    before = {contact.contact_id for contact in pair.associations}
    after = {contact.contact_id for contact in fact.contacts}
    company_moved = fact.company_id != pair.company_id
    if read_at is None or company_moved or fact.contacts != pair.associations:
        story.tell(
            events.AssociationsNoted(
                **story.said(RuleId.CONTACT_ROLE),
                read_begun_at=fact.read_begun_at,
                contacts=fact.contacts,
                company_id=fact.company_id,
            )
        )
    seen(story, Crm.HUBSPOT, "links", fact.read_begun_at)
    changed = read_at is not None and (before != after or company_moved)
    return Taught(changed=changed, first=read_at is None)


@dataclass(frozen=True, slots=True)
class _Record:
    """An observed record, whichever CRM it is of."""

    side: Crm
    record_id: str
    read_begun_at: datetime
    readings: dict[str, Reading]
    record_ours: bool
    by: str
    stage: Value


def _take(story: Story, record: _Record, note: events.SideNote) -> Taught:
    before = story.pair.side(record.side)
    modified_at = note.modified_at
    unsettled = story.pair.unsettled
    first = before.read_at is None
    notes = tuple(_field_notes(story, record, note))
    moved = before.note is not None and before.note.scope_id != note.scope_id
    account_moved = (
        before.note is not None
        and before.note.account_id != note.account_id
        and story.context.policy.switches.company_sync
    )
    nothing = not first and not notes and before.note == note and _nothing_unseen(story, record)
    if nothing and not _comes_too_early(story, record):
        return Taught(changed=False, first=False, unsettled=unsettled)
    story.tell(
        events.SideNoted(
            **story.said(RuleId.VALUE_TIME),
            side=record.side,
            record_id=record.record_id,
            read_begun_at=record.read_begun_at,
            note=note,
            fields=notes,
        )
    )
    _echoes(story, record, notes)
    moved_on = before.note is not None and before.note.modified_at < modified_at
    if moved_on and _comes_too_early(story, record):
        _look_again(story, record)
    changed = any(n.kind != Lesson.KNOWN for n in notes)
    changed = changed or moved or account_moved
    return Taught(changed=changed, first=first, unsettled=unsettled)


def _field_notes(story: Story, record: _Record, note: events.SideNote) -> list[events.FieldNote]:
    """Return what each mapped field taught; a field that taught nothing is left out."""
    notes: list[events.FieldNote] = []
    before = story.pair.side(record.side).note
    for mapping in story.context.policy.mappings:
        name = mapping.salesforce if record.side is Crm.SALESFORCE else mapping.hubspot
        reading = record.readings.get(name)
        if reading is None:
            continue
        try:
            value = _value(story, mapping, record, reading)
        except NotCanonicalError as error:
            field_rules.hold(story, mapping, record.side, NOT_READABLE.code, str(error))
            continue
        exact = reading.at is not None
        low = reading.at if exact else (before.modified_at if before is not None else None)
        shown = Seen(
            value=value,
            low=low,
            high=reading.at or note.modified_at,
            exact=exact,
            ours=reading.ours,
            automatic=reading.automatic,
            may_rewrite=mapping.name == CLOSE_DATE,
            record_ours=record.record_ours,
            by=reading.by or record.by,
        )
        state = story.pair.field(mapping.name)
        register = state.on(record.side)
        what = lesson(register, shown, read_begun_at=record.read_begun_at, skew=story.context.skew)
        if what is Lesson.KNOWN and (
            _filled_since_our_create(state, record.side, shown)
            or _given_since_our_create(story, mapping, record, shown)
        ):
            what = Lesson.CHANGED
        if what is not None and mapping.rule is not FieldRule.DONT_SYNC:
            notes.append(
                events.FieldNote(
                    field=mapping.name,
                    value=value,
                    low=shown.low,
                    high=shown.high,
                    kind=what,
                    by="rewritten" if what is Lesson.REWRITTEN else shown.by,
                    before=_before(register, what, record) if what is not Lesson.KNOWN else None,
                    **_followed(story, mapping, record, reading, note),
                )
            )
        if reading.overwritten is not None and mapping.rule is not FieldRule.DONT_SYNC:
            notes.extend(_overwritten(story, mapping, record, reading.overwritten, note))
    return notes


def _overwritten(
    story: Story, mapping: Mapping, record: _Record, found: Overwritten, note: events.SideNote
) -> Iterator[events.FieldNote]:
    """Yield the edit that our write went over, made between look and call, if it is news."""
    if mapping.name == STAGE:
        value: Value = stages.joined(note.scope_id, found.value)
    else:
        try:
            value = values.read(mapping, found.value, story.context)
        except NotCanonicalError:
            return  # it could not have crossed
    register = story.pair.field(mapping.name).on(record.side)
    shown = Seen(value=value, low=found.at, high=found.at, exact=True, ours=False, by=found.by)
    if is_news(register, shown):
        yield events.FieldNote(
            field=mapping.name,
            value=value,
            low=found.at,
            high=found.at,
            kind=Lesson.CHANGED,
            by=found.by,
            overwritten=True,
            before=register.replaced,
        )


def _before(register: Register, what: Lesson, record: _Record) -> Value:
    """Return what stood there before a change, as far as it is known."""
    if what is Lesson.REWRITTEN and register.delivered is not None:
        return register.delivered.value
    stale = register.learned_at is not None and record.read_begun_at < register.learned_at
    # Somebody edited between our look and our write: they saw what our value went over.
    return register.replaced if stale else register.known


class _Followed(TypedDict, total=False):
    followed_ours: bool
    our_value: Value


def _followed(
    story: Story, mapping: Mapping, record: _Record, reading: Reading, note: events.SideNote
) -> _Followed:
    """Return which value of ours an edit's author had before the eyes, in the register's form."""
    if not reading.followed_ours:
        return {}
    if mapping.name == STAGE and record.side is Crm.HUBSPOT:
        return {"followed_ours": True, "our_value": f"{note.scope_id or ''}/{reading.our_value}"}
    try:
        value = values.read(mapping, reading.our_value, story.context)
    except NotCanonicalError:
        return {}
    return {"followed_ours": True, "our_value": value}


def _filled_since_our_create(state: FieldState, side: Crm, shown: Seen) -> bool:
    """Tell whether somebody, or a default, gave a field a value that our create left blank.

    What both sides are to hold was agreed on before this one was ever read.
    """
    register = state.on(side)
    is_first = not register.seen and register.asked is None
    return is_first and state.base is not None and shown.value is not None and not shown.ours


def _given_since_our_create(story: Story, mapping: Mapping, record: _Record, shown: Seen) -> bool:
    """Tell whether somebody gave a field a value that our create could not give it.

    Its rule lets it not cross that way, or it had no counterpart, so nothing is agreed on yet. The
    integration user owns an opportunity without an owner; that is nobody's change (rule `owner`).
    """
    side = record.side
    register = story.pair.field(mapping.name).on(side)
    is_first = not register.seen and register.asked is None
    made_by_us = story.pair.side(side).note is None and story.pair.state is PairState.LIVE
    agreed = any(field.base is not None for field in story.pair.fields.values())
    if not (is_first and made_by_us and agreed) or shown.value is None or shown.ours:
        return False
    seen = story.context.catalog.salesforce
    ours = seen.integration_user_id if seen is not None else None
    return not (mapping.name == OWNER and side is Crm.SALESFORCE and shown.value == ours)


def _comes_too_early(story: Story, record: _Record) -> bool:
    """Tell whether a reading may show what came of a write whose answer is not in yet.

    What the CRM made of the value cannot be told from what was there before; no later poll would
    show it again, so the record is read once more.
    """
    if not record.record_ours:
        return False
    for mapping in story.context.policy.mappings:
        name = mapping.salesforce if record.side is Crm.SALESFORCE else mapping.hubspot
        reading = record.readings.get(name)
        if reading is None or mapping.rule is FieldRule.DONT_SYNC:
            continue
        try:
            value = _value(story, mapping, record, reading)
        except NotCanonicalError:
            continue
        register = story.pair.field(mapping.name).on(record.side)
        if comes_too_early(register, value, record.read_begun_at):
            return True
    return False


def _look_again(story: Story, record: _Record) -> None:
    story.tell(
        events.RefreshWanted(
            **story.said(RuleId.NOT_TAKEN),
            crm=record.side,
            kind=kind_of(record.side),
            record_id=record.record_id,
            because="read while our write was on its way",
        )
    )


def _value(story: Story, mapping: Mapping, record: _Record, reading: Reading) -> Value:
    if mapping.name == STAGE:
        return record.stage
    return values.read(mapping, reading.value, story.context)


def _stage_mapping(story: Story) -> Mapping:
    mapping = story.context.policy.mapping(STAGE)
    assert mapping is not None, "the seven default mappings are always present"
    return mapping


def _nothing_unseen(story: Story, record: _Record) -> bool:
    return not any(
        u.side is record.side and u.part == "fields" and u.answered_at <= record.read_begun_at
        for u in story.pair.unseen
    )


def _echoes(story: Story, record: _Record, notes: tuple[events.FieldNote, ...]) -> None:
    """Say of each done write of fields whether this reading confirms it."""
    rewritten = any(note.kind == Lesson.REWRITTEN for note in notes)
    how = "rewritten" if rewritten else "confirmed"
    seen(story, record.side, "fields", record.read_begun_at, how=how)


def seen(
    story: Story, side: Crm, part: str, read_begun_at: datetime, *, how: str = "confirmed"
) -> None:
    """Say of each done write that this reading shows it (rule `echo`).

    Args:
        story: the telling.
        side: where was read.
        part: what was read: `fields`, `links`, `deletion`.
        read_begun_at: writes answered later are not shown yet.
        how: confirmed, or rewritten by the CRM.
    """
    for unseen in story.pair.unseen:
        if unseen.side is side and unseen.part == part and unseen.answered_at <= read_begun_at:
            story.tell(
                events.EchoSeen(**story.said(RuleId.ECHO), write_id=unseen.write_id, how=how)
            )
