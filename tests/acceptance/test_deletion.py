"""What is deleted, restored and merged in one CRM, and what the other CRM shows then."""

from collections.abc import Iterator

import pytest

from tests.acceptance.user import User
from tests.support.program import eventually, running

FUSE = "[deletes]\nfuse_count = 3\n"


def test_a_late_edit_brings_nothing_back(user: User) -> None:
    """Rules `tombstone`, `delete-never-up`, `once-paired`: only a person brings a deal back."""
    opportunity_id, deal = user.synced("Stays away")
    user.archive_deal(deal["id"])
    user.until_quiet()

    user.edit_opportunity(opportunity_id, Amount=9)
    user.until_quiet()
    assert user.deal_of(opportunity_id) is None
    assert user.deal_of(f"{opportunity_id}:2") is None

    assert user.done("import", "opportunities", "--ids", opportunity_id)["count"] == 1
    user.until_quiet()
    again = user.deal_of(f"{opportunity_id}:2") or {}
    assert (again["dealname"], again["amount"]) == ("Stays away", "9")


def test_an_opportunity_deleted_while_its_deal_is_made_takes_the_deal_along(user: User) -> None:
    """Rules `create-race`, `delete-down`."""
    user.fail(
        "hubspot",
        {"kind": "delay", "match": {"method": "POST", "path": "deals/batch/create"}, "seconds": 2},
    )
    opportunity_id = user.create_opportunity("Raced")
    deal = eventually(lambda: user.deal_of(opportunity_id))
    user.delete_opportunity(opportunity_id)
    user.fail("hubspot")
    user.until_quiet()

    assert user.deal(deal["id"]) is None
    assert user.deal(deal["id"], archived=True) is not None


def test_a_restored_deal_is_attached_again(user: User) -> None:
    """Rule `undelete`: and it is reconciled."""
    opportunity_id, deal = user.synced("Restored", Amount=1)
    user.archive_deal(deal["id"])
    user.until_quiet()
    user.edit_opportunity(opportunity_id, Amount=2)
    user.until_quiet()

    user.act("hubspot", "restore", object="deals", id=deal["id"])
    user.until_quiet()
    assert user.living(deal["id"])["amount"] == "2"

    user.edit_deal(deal["id"], amount="3")
    user.until_quiet()
    assert user.opportunity(opportunity_id)["Amount"] == 3


def test_a_deal_restored_after_its_opportunity_was_undeleted_does_not_take_over(user: User) -> None:
    """Rules `undelete`, `once-paired`: the deal created again keeps the pair."""
    opportunity_id, first = user.synced("Two lives")
    user.delete_opportunity(opportunity_id)
    user.until_quiet()
    user.act("salesforce", "undelete", id=opportunity_id)
    user.until_quiet()
    second = user.deal_of(f"{opportunity_id}:2") or {}

    user.act("hubspot", "restore", object="deals", id=first["id"])
    user.edit_opportunity(opportunity_id, Amount=4)
    user.until_quiet()

    assert user.living(second["id"])["amount"] == "4"
    assert user.living(first["id"])["amount"] != "4"
    assert "DS202" in user.issues(opportunity_id)


def test_merged_deals_keep_the_primary_pair(user: User) -> None:
    """Rule `merge`: the other opportunity stays, detached, with an issue."""
    kept, first = user.synced("Kept by merge")
    lost, second = user.synced("Lost by merge")

    survivor = user.merge_deals(first["id"], second["id"])
    user.until_quiet()
    user.edit_opportunity(kept, Amount=11)
    user.edit_opportunity(lost, Amount=12)
    user.until_quiet()

    assert user.living(survivor)["amount"] == "11"
    assert user.opportunity(lost)["IsDeleted"] is False
    assert "DS601" in user.issues(lost)
    assert user.done("pairs", "show", lost)["state"] == "detached"


def test_the_role_of_a_merged_contact_follows_the_survivor(user: User) -> None:
    """Rule `merge`: Salesforce moves the role without an event."""
    winner = user.create("Contact", LastName="Winner", Email="winner@merge.example")
    loser = user.create("Contact", LastName="Loser", Email="loser@merge.example")
    here = user.create_contact(email="winner@merge.example")
    opportunity_id, deal = user.synced("Merged people")
    user.add_role(opportunity_id, loser)
    user.until_quiet()
    assert user.associated(deal["id"], "contacts") == []

    user.act("salesforce", "merge_contacts", winner=winner, losers=[loser])
    user.until_quiet()

    assert [one["ContactId"] for one in user.roles(opportunity_id)] == [winner]
    assert user.associated(deal["id"], "contacts") == [here]


@pytest.fixture(scope="module")
def careful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """Run a program whose fuse blows at the fourth delete."""
    folder = tmp_path_factory.mktemp("careful")
    (folder / "policy.toml").write_text(FUSE, encoding="utf-8")
    with running(folder / "home", "--empty", "--policy", str(folder / "policy.toml")) as program:
        yield User(program)


def test_many_deletes_wait_for_a_person(careful: User) -> None:
    """Rule `delete-fuse`: other writes go on; an undelete cancels its own."""
    many = [careful.create_opportunity(f"One of many {number}") for number in range(6)]
    careful.until_quiet()
    for opportunity_id in many[:5]:
        careful.delete_opportunity(opportunity_id)
    careful.edit_opportunity(many[5], Amount=7)
    careful.until_quiet()

    held = [one for one in many[:5] if careful.deal_of(one) is not None]
    assert held != []
    assert (careful.deal_of(many[5]) or {})["amount"] == "7"

    careful.act("salesforce", "undelete", id=held[0])
    careful.until_quiet()
    careful.done("writes", "release")
    careful.until_quiet()
    assert [one for one in many if careful.deal_of(one) is not None] == [held[0], many[5]]
