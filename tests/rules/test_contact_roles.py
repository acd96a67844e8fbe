"""Contacts cross by role and association, and removals by policy."""

from domain.facts import ContactAssociation, ContactRole, Reconsider
from domain.ids import salesforce_id
from domain.policy import ContactRemoval, Contacts, Policy, Switches
from domain.rules import RuleId
from domain.writes import AddContactRole, AssociateContact, DissociateContact, RemoveContactRole
from tests.support.scenario import Scenario

ANN, CLEO = salesforce_id("003000000000001"), salesforce_id("003000000000002")
MIRROR = Policy(switches=Switches(contact_removal=ContactRemoval.MIRROR))


def live(policy: Policy | None = None) -> Scenario:
    return Scenario().adopted(policy).linked_contacts((ANN, "77")).live()


def test_a_role_associates_its_contact_with_the_deal() -> None:
    scenario = live()

    scenario.when(scenario.roles(40, ANN))

    (write,) = scenario.asked(AssociateContact)
    assert write.contact_id == "77"
    assert RuleId.CONTACT_ROLE


def test_an_association_adds_a_role() -> None:
    scenario = live(Policy(contacts=Contacts(default_role="Decision Maker")))

    scenario.when(scenario.associations(40, "77"))

    (write,) = scenario.asked(AddContactRole)
    assert (write.contact_id, write.role) == (ANN, "Decision Maker")


def test_what_we_added_coming_back_adds_nothing() -> None:
    scenario = live()
    scenario.when(scenario.roles(40, ANN))
    (write,) = scenario.asked(AssociateContact)
    scenario.given(scenario.done(write, 41))

    scenario.when(scenario.associations(42, "77"))

    assert scenario.writes() == ()


def test_a_contact_that_is_not_known_waits_and_completes() -> None:
    scenario = live().given(Scenario().roles(40, CLEO))
    assert scenario.all_asked(AssociateContact) == ()
    assert f"contact:salesforce:{CLEO}" in scenario.pair().waiting
    scenario.linked_contacts((CLEO, "78"))

    scenario.when(
        Reconsider(
            id=scenario.fact_id(),
            at=scenario.now,
            stream=scenario.pair().stream,
            because=f"contact:salesforce:{CLEO}",
        )
    )

    assert [w.contact_id for w in scenario.asked(AssociateContact)] == ["78"]
    assert RuleId.CONTACT_PENDING


def test_several_rows_of_one_contact_are_one_association() -> None:
    scenario = live()

    scenario.when(scenario.roles(40, ANN, ANN))

    assert len(scenario.asked(AssociateContact)) == 1
    assert RuleId.CONTACT_MANY


def test_a_removal_does_not_cross_and_is_not_restored() -> None:
    scenario = live().given(Scenario().roles(40, ANN))
    scenario.given(scenario.associations(41, "77"))

    scenario.when(scenario.roles(50))

    assert scenario.writes() == ()
    assert scenario.given(scenario.associations(51, "77")).writes() == ()
    assert RuleId.CONTACT_REMOVAL


def test_mirror_removes_an_association_that_we_made() -> None:
    scenario = live(MIRROR)
    scenario.when(scenario.roles(40, ANN))
    (write,) = scenario.asked(AssociateContact)
    scenario.given(scenario.done(write, 41), scenario.associations(42, "77"))

    scenario.when(scenario.roles(50))

    assert [w.contact_id for w in scenario.asked(DissociateContact)] == ["77"]


def test_mirror_leaves_what_a_person_made() -> None:
    scenario = live(MIRROR).given(Scenario().associations(39, "77"))
    scenario.given(scenario.roles(40, ANN))

    scenario.when(scenario.roles(50))

    assert scenario.asked(DissociateContact) == ()


def test_mirror_leaves_a_labelled_association_with_an_issue() -> None:
    scenario = live(MIRROR)
    scenario.when(scenario.roles(40, ANN))
    (write,) = scenario.asked(AssociateContact)
    labelled = (ContactAssociation(contact_id="77", labelled=True),)
    scenario.given(scenario.done(write, 41), scenario.associations(42, contacts=labelled))

    scenario.when(scenario.roles(50))

    assert scenario.asked(DissociateContact) == ()
    assert {"DS501"} == scenario.issues()


def test_mirror_removes_a_role_that_we_made() -> None:
    scenario = live(MIRROR)
    scenario.when(scenario.associations(40, "77"))
    (write,) = scenario.asked(AddContactRole)
    row = ContactRole(id="00K9", contact_id=ANN)
    scenario.given(scenario.done(write, 41), scenario.roles(42, roles=(row,)))

    scenario.when(scenario.associations(50))

    assert [w.role_id for w in scenario.asked(RemoveContactRole)] == ["00K9"]


def test_a_removal_that_was_lost_is_decided_again() -> None:
    scenario = live(MIRROR)
    scenario.when(scenario.associations(40, "77"))
    (write,) = scenario.asked(AddContactRole)
    row = ContactRole(id="00K9", contact_id=ANN)
    scenario.given(scenario.done(write, 41), scenario.roles(42, roles=(row,)))
    scenario.when(scenario.associations(50))
    (removal,) = scenario.asked(RemoveContactRole)

    scenario.when(scenario.cancelled(removal, 60, "lost: no effect was found", RuleId.ONCE))

    assert [w.role_id for w in scenario.asked(RemoveContactRole)] == ["00K9"]
