"""Who may be whose counterpart (rules `contact-identity`, `account-identity`)."""

from domain.facts import Candidate
from domain.ids import Crm, Kind
from projections import reactions, signals
from projections.reactions import CARRIED_ID, DOMAIN, EMAIL, NAME
from projections.signals import Key, Shared

SF = "003000000000001AAA"
ACC = "001000000000001AAA"


def key(crm: Crm, kind: Kind, what: str, value: str) -> Key:
    return Key(crm, kind, what, value)


def test_the_larger_side_counts_for_an_address() -> None:
    found_by = frozenset({(EMAIL, "a@b")})
    shared = {
        key(Crm.HUBSPOT, Kind.CONTACT, EMAIL, "a@b"): Shared(3, ("1", "2", "3")),
        key(Crm.SALESFORCE, Kind.CONTACT, EMAIL, "a@b"): Shared(1, (SF,)),
    }

    found = signals.contact_candidates(found_by, shared, dead=())

    assert found == (Candidate(record_id=SF, kind="email", count=3),)


def test_a_carried_id_of_a_deleted_contact_is_no_candidate() -> None:
    found_by = frozenset({(CARRIED_ID, SF)})

    assert signals.contact_candidates(found_by, {}, dead={SF}) == ()
    assert signals.contact_candidates(found_by, {}, dead=()) == (
        Candidate(record_id=SF, kind="id", count=1),
    )


def test_a_company_is_named_once_for_each_kind() -> None:
    found_by = frozenset({(DOMAIN, "acme.example"), (NAME, "acme")})
    shared = {
        key(Crm.HUBSPOT, Kind.COMPANY, CARRIED_ID, ACC): Shared(1, ("5",)),
        key(Crm.HUBSPOT, Kind.COMPANY, DOMAIN, "acme.example"): Shared(2, ("5", "6")),
        key(Crm.HUBSPOT, Kind.COMPANY, NAME, "acme"): Shared(1, ("5",)),
    }

    found = signals.account_candidates(ACC, found_by, shared)

    assert [(c.kind, c.record_id, c.count) for c in found] == [
        ("id", "5", 1),
        ("domain", "5", 2),
        ("domain", "6", 2),
        ("name", "5", 1),
    ]


def test_keys_name_records_and_instants() -> None:
    ref = reactions.key_ref(f"contact:salesforce:{SF}")
    assert ref is not None
    assert ref.text == f"salesforce:contact:{SF}"
    assert reactions.ref_of(ref.text) == ref
    assert reactions.key_ref("catalog") is None
    assert reactions.key_instant("time:2026-11-24T10:00:00.000Z") is not None
    assert reactions.key_instant("time:soon") is None
    assert reactions.key_instant("policy") is None
