"""Which lines the audit log has, and what they say."""

from datetime import timedelta

import pytest

from domain import events, writes
from domain.events import Event
from domain.ids import Crm, Kind, WriteId
from domain.ports import StoredEvent
from domain.rules import RuleId
from domain.writes import WRITES, AssociateContact
from projections import audit_line
from projections.audit_line import OBJECTS, AuditField, AuditLine, LineKind
from tests.support.happenings import AT, closed, pair, parked, said, summary, waits, write

DECIDED_AT = AT + timedelta(seconds=3)


def lines(event: Event) -> tuple[AuditLine, ...]:
    stored = StoredEvent(id=7, stream=event.stream, version=2, event=event, source="s", offset=1)
    return audit_line.lines(stored, DECIDED_AT)


def line(event: Event) -> AuditLine:
    (only,) = lines(event)
    return only


def test_a_decided_write_says_what_why_and_from_which_fact() -> None:
    decided = write(pair("a"))

    said_of_it = line(decided)

    assert said_of_it.kind is LineKind.DECIDED
    assert said_of_it.id == f"{pair('a')}:2:0"
    assert (said_of_it.crm, said_of_it.object, said_of_it.operation) == (
        "hubspot",
        "deal",
        "update",
    )
    assert said_of_it.fields == (AuditField("amount", before="1", after="2"),)
    assert said_of_it.write_id == decided.write.id
    assert (said_of_it.at, said_of_it.cause.at) == (DECIDED_AT, AT)
    assert said_of_it.policy_version == 1


def test_an_association_names_its_contact() -> None:
    association = AssociateContact(id=WriteId("w"), stream=pair("a"), contact_id="77")
    decided = events.WriteDecided(
        **said(pair("a"), rule=RuleId.CONTACT_ROLE), write=association, reason="it has a role"
    )

    assert line(decided).contact_id == "77"
    assert line(decided).fields == (AuditField("contact", after="77"),)


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        ("done", LineKind.DELIVERED),
        ("rejected", LineKind.REJECTED),
        ("unknown", LineKind.UNKNOWN),
        ("held", LineKind.HELD),
        ("cancelled", LineKind.CANCELLED),
    ],
)
def test_an_outcome_is_a_line_of_the_same_write(outcome: str, kind: LineKind) -> None:
    decided = write(pair("a"))

    said_of_it = line(closed(decided, outcome))

    assert (said_of_it.kind, said_of_it.write_id) == (kind, decided.write.id)


def test_a_decision_not_to_write_says_why() -> None:
    nothing = events.NothingDecided(**said(pair("a")), reason="the sync is off")

    assert (line(nothing).kind, line(nothing).reason) == (LineKind.NOT_WRITTEN, "the sync is off")


def test_a_parked_fact_is_a_decision_not_to_write() -> None:
    assert line(parked(pair("a"))).kind is LineKind.NOT_WRITTEN
    assert "boom" in line(parked(pair("a"))).reason


def test_a_withdrawn_write_is_cancelled() -> None:
    withdrawn = events.WriteWithdrawn(
        **said(pair("a")), write_id=WriteId("w"), reason="changed back"
    )

    assert (line(withdrawn).kind, line(withdrawn).write_id) == (LineKind.CANCELLED, "w")


def test_what_a_person_changed_is_observed_and_what_was_only_read_is_not() -> None:
    def noted(kind: str) -> events.SideNoted:
        note = events.FieldNote(
            field="name", value="New", low=None, high=AT, kind=kind, by="ada", before="Old"
        )
        return events.SideNoted(
            **said(pair("a")),
            side=Crm.SALESFORCE,
            record_id="006000000000001AAA",
            read_begun_at=AT,
            note=events.SideNote(created_at=AT, modified_at=AT, scope_id=None),
            fields=(note,),
        )

    assert lines(noted("known")) == ()
    changed = line(noted("changed"))
    assert (changed.kind, changed.object) == (LineKind.OBSERVED, "opportunity")
    assert changed.opportunity_id == changed.record_id == "006000000000001AAA"
    assert changed.fields == (AuditField("name", before="Old", after="New", by="ada"),)


def test_the_losing_value_is_kept() -> None:
    settled = events.FieldSettled(
        **said(pair("a"), rule=RuleId.WHO_WINS),
        field="amount",
        salesforce="2",
        hubspot="2",
        winner=Crm.SALESFORCE,
        how="ambiguous",
        losing="3",
        winner_by="ada",
        losing_by="bob",
        losing_at=AT,
    )

    assert line(settled).fields == (
        AuditField("amount", after="2", losing="3", by="ada", losing_by="bob"),
    )
    assert line(settled).ambiguous
    assert line(settled).reason == (
        "salesforce's value (set by ada) stands (ambiguous);"
        " hubspot's '3' (set by bob at 2026-11-24T09:00:00.000Z) lost"
    )


def test_a_buried_record_is_named() -> None:
    buried = events.RecordBuried(
        **said(pair("a")), crm=Crm.HUBSPOT, kind=Kind.DEAL, record_id="1", read_begun_at=AT
    )

    assert (line(buried).object, line(buried).record_id) == ("deal", "1")


@pytest.mark.parametrize("event", [summary(pair("a")), waits(pair("a"), "catalog")])
def test_what_only_keeps_the_books_leaves_no_line(event: Event) -> None:
    assert lines(event) == ()


def test_every_class_of_write_has_an_object() -> None:
    assert set(WRITES) == set(OBJECTS)
    assert not hasattr(writes, "DeleteOpportunity")
