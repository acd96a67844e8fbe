"""What the source makes of an org: the baseline, changes, role sets, deletions, merges, gaps."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest

from adapters.salesforce import poller, sweep
from adapters.salesforce.changes import Changes
from adapters.salesforce.wire import Json
from adapters.source import full_pass_begun_at, passed, want_full_pass
from domain.facts import (
    AccountObserved,
    Fact,
    OpportunityObserved,
    RecordDeleted,
    RecordMerged,
    RolesObserved,
    SalesforceCatalogObserved,
    SalesforceContactObserved,
)
from domain.ids import Crm, Kind
from domain.ports import Refresh
from tests.salesforce.org import FIELDS, POLL_SECONDS, Org


def _of(facts: Sequence[Fact], kind: type[Fact]) -> list[Fact]:
    return [fact for fact in facts if isinstance(fact, kind)]


def _opportunities(facts: Sequence[Fact]) -> list[OpportunityObserved]:
    return [fact for fact in facts if isinstance(fact, OpportunityObserved)]


def _role_sets(facts: Sequence[Fact]) -> list[RolesObserved]:
    return [fact for fact in facts if isinstance(fact, RolesObserved)]


def _reading(fact: OpportunityObserved, name: str) -> str | None:
    return next(reading.value for reading in fact.readings if reading.name == name)


class TestBaseline:
    """What was there when we first met the org (rule `entry-salesforce`)."""

    def test_is_read_once_with_its_roles_and_marked(self) -> None:
        org = Org()
        opportunity_id = org.opportunity("Old", Amount=Decimal("12.5"))
        contact_id = org.contact("Smith", "smith@example.com")
        org.role(opportunity_id, contact_id, "Decision Maker")
        org.create("Account", Name="Acme", Website="https://www.Acme.example/about")

        facts = org.poll()

        assert len(facts) == len(("catalog", "account", "contact", "opportunity", "its roles"))
        (opportunity,) = _opportunities(facts)
        (roles,) = _role_sets(facts)
        (account,) = _of(facts, AccountObserved)
        (contact,) = _of(facts, SalesforceContactObserved)
        assert opportunity.reason == roles.reason == "baseline"
        assert [(role.contact_id, role.role) for role in roles.roles] == [
            (contact_id, "Decision Maker")
        ]
        assert isinstance(account, AccountObserved)
        assert account.domain == "acme.example"
        assert isinstance(contact, SalesforceContactObserved)
        assert contact.email == "smith@example.com"
        assert org.poll() == ()

    def test_shows_an_opportunity_without_roles_as_such(self) -> None:
        org = Org()
        org.opportunity()

        (roles,) = _role_sets(org.poll())

        assert roles.roles == ()

    def test_goes_on_page_by_page_after_a_restart(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(poller, "PAGE_SIZE", 3)
        org = Org()
        made = {org.opportunity(f"Number {number}") for number in range(8)}
        found: list[str] = []
        for _ in range(20):
            polled = org.poll_once()
            found += [fact.opportunity_id for fact in _opportunities(polled.facts)]
            org.source = org.new_source()
            if polled.pass_begun_at is not None:
                break

        assert sorted(found) == sorted(made)
        assert org.poll() == ()

    def test_a_poll_whose_facts_were_lost_gives_the_same_facts(self) -> None:
        org = Org()
        org.opportunity()
        lost = org.source.poll(org.at)

        again = org.new_source().poll(org.at)

        assert [fact.id for fact in again.facts] == [fact.id for fact in lost.facts]

    def test_what_comes_while_it_is_read_is_news(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(poller, "PAGE_SIZE", 2)
        org = Org()
        for number in range(4):
            org.opportunity(f"Old {number}")
        org.poll_once()
        org.wait(2)
        new_id = org.opportunity("New")

        facts = org.poll()

        reasons = {fact.opportunity_id: fact.reason for fact in _opportunities(facts)}
        assert reasons.pop(new_id) == "poll"
        assert set(reasons.values()) == {"baseline"}


class TestChanges:
    """What is polled after the baseline."""

    @pytest.fixture
    def org(self) -> Org:
        org = Org()
        org.poll()
        return org

    def test_a_new_opportunity_without_roles_is_shown_as_such(self, org: Org) -> None:
        opportunity_id = org.opportunity("New")
        (roles,) = _role_sets(org.poll())
        org.update("Opportunity", opportunity_id, Description="edited")

        assert (roles.opportunity_id, roles.roles, roles.reason) == (opportunity_id, (), "poll")
        assert _role_sets(org.poll()) == []

    def test_a_new_and_an_edited_opportunity_are_shown_whole(self, org: Org) -> None:
        opportunity_id = org.opportunity("New", Amount=Decimal("1200.10"), Description="a\r\nb")

        (created,) = _opportunities(org.poll())
        org.update("Opportunity", opportunity_id, Amount=None, StageName="Qualification")
        (edited,) = _opportunities(org.poll())

        assert (created.reason, created.by) == ("poll", "Ada Admin")
        assert {reading.name for reading in created.readings} == FIELDS
        assert _reading(created, "Amount") == "1200.1"
        assert _reading(edited, "Amount") is None
        assert edited.stage_name == "Qualification"
        assert not edited.modified_by_us
        assert edited.modified_at == edited.at > created.at

    def test_three_edits_within_one_second_are_each_shown(self, org: Org) -> None:
        """SystemModstamp does not move, so only the content tells."""
        opportunity_id = org.opportunity("A")
        org.poll()
        names: list[str | None] = []
        ids: set[str] = set()
        for name in ("B", "A", "B"):
            org.at += timedelta(milliseconds=200)
            org.update("Opportunity", opportunity_id, Name=name)
            want_full_pass(org.bookmarks, org.at)
            for fact in _opportunities(org.poll_once().facts):
                names.append(_reading(fact, "Name"))
                ids.add(fact.id)

        assert names == ["B", "A", "B"]
        assert len(ids) == 3

    def test_our_own_edit_says_so(self, org: Org) -> None:
        opportunity_id = org.opportunity()
        org.poll()
        org.ours.send("PATCH", f"/sobjects/Opportunity/{opportunity_id}", {"Name": "B"}, org.at)

        (fact,) = _opportunities(org.poll())

        assert fact.modified_by_us

    def test_a_field_that_nobody_sees_is_left_out_and_comes_with_the_schema(self, org: Org) -> None:
        org.fields = FIELDS | {"Region__c"}
        opportunity_id = org.opportunity("A")
        (before,) = _opportunities(org.poll())
        metadata: Json = {"label": "Region", "type": "Text", "length": 40}
        org.admin.send(
            "POST",
            "/tooling/sobjects/CustomField",
            {"FullName": "Opportunity.Region__c", "Metadata": metadata},
            org.at,
        )
        org.update("Opportunity", opportunity_id, Region__c="North")
        want_full_pass(org.bookmarks, org.at)
        (after,) = _opportunities(org.poll())

        assert "Region__c" not in {reading.name for reading in before.readings}
        assert _reading(after, "Region__c") == "North"

    def test_a_late_pass_finds_what_became_visible_late(self, org: Org) -> None:
        """A long transaction stamps its rows before it ends."""
        org.opportunity("early")
        org.poll()
        place = Changes.model_validate_json(
            org.bookmarks.read("salesforce.changes.Opportunity") or ""
        )
        assert place.newest is not None
        late_id = org.opportunity("late")
        hidden = org.sandbox.org.store.get("Opportunity", late_id)
        assert hidden is not None
        stamp = (place.newest - timedelta(seconds=60)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        org.sandbox.org.store.put("Opportunity", late_id, {**hidden, "SystemModstamp": stamp})

        soon = _opportunities(org.poll())
        org.wait(300)
        later = _opportunities(org.poll())

        assert soon == []
        assert [fact.opportunity_id for fact in later] == [late_id]

    def test_a_record_of_the_same_second_that_showed_after_the_poll(self, org: Org) -> None:
        """Polls are further apart than the overlap is long."""
        org.opportunity("first")
        org.wait(0)
        want_full_pass(org.bookmarks, org.at)
        org.at += timedelta(milliseconds=100)
        first = org.poll_once()
        second_id = org.opportunity("second")

        assert [fact.at for fact in _opportunities(first.facts)] == [org.at.replace(microsecond=0)]
        assert [fact.opportunity_id for fact in _opportunities(org.poll())] == [second_id]

    def test_a_quiet_org_is_asked_for_nothing_old(self, org: Org) -> None:
        org.opportunity()
        for _ in range(3):
            org.poll()
        org.wait(800)
        org.poll()
        org.calls.clear()
        org.wait(800)
        org.poll()

        place = org.bookmarks.read("salesforce.changes.Opportunity")
        newest = Changes.model_validate_json(place or "").newest
        assert newest is not None
        after = (newest + timedelta(seconds=1)).strftime("%Y-%m-%dT%H%%3A%M%%3A%SZ")
        asked = [each.url for each in org.calls if "FROM%20Opportunity%20" in each.url]
        assert any(f"SystemModstamp%20%3E%3D%20{after}" in url for url in asked)

    def test_a_page_full_of_one_second_does_not_stop_the_pass(
        self, org: Org, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(poller, "PAGE_SIZE", 3)
        made = {org.opportunity(f"Number {number}") for number in range(10)}

        facts = _opportunities(org.poll())

        assert sorted(fact.opportunity_id for fact in facts) == sorted(made)


class TestRoles:
    """A change of one role shows the whole set."""

    @pytest.fixture
    def org(self) -> Org:
        org = Org()
        org.poll()
        return org

    def test_added_changed_and_deleted_roles(self, org: Org) -> None:
        opportunity_id = org.opportunity()
        first, second = org.contact("One", "1@example.com"), org.contact("Two", "2@example.com")
        org.poll()
        org.role(opportunity_id, first)
        (one,) = _role_sets(org.poll())
        second_role = org.role(opportunity_id, second, "Evaluator")
        (two,) = _role_sets(org.poll())
        org.update("OpportunityContactRole", second_role, Role="Influencer")
        (changed,) = _role_sets(org.poll())
        org.delete("OpportunityContactRole", second_role)
        (left,) = _role_sets(org.poll())

        assert [role.contact_id for role in one.roles] == [first]
        assert [role.contact_id for role in two.roles] == [first, second]
        assert [role.role for role in changed.roles] == [None, "Influencer"]
        assert [role.contact_id for role in left.roles] == [first]
        assert org.poll() == ()

    def test_a_role_of_the_baseline_can_be_deleted(self) -> None:
        org = Org()
        opportunity_id = org.opportunity()
        role_id = org.role(opportunity_id, org.contact("One", "1@example.com"))
        org.poll()
        org.delete("OpportunityContactRole", role_id)

        (fact,) = _role_sets(org.poll())

        assert (fact.opportunity_id, fact.roles) == (opportunity_id, ())

    def test_deleting_an_opportunity_says_nothing_of_its_roles(self, org: Org) -> None:
        opportunity_id = org.opportunity()
        org.role(opportunity_id, org.contact("One", "1@example.com"))
        org.poll()
        org.delete("Opportunity", opportunity_id)

        facts = org.poll()

        assert [type(fact) for fact in facts] == [RecordDeleted]


class TestDeletions:
    """Deleting, undeleting, purging."""

    @pytest.fixture
    def org(self) -> Org:
        org = Org()
        org.poll()
        return org

    def test_a_deletion_and_a_coming_back(self, org: Org) -> None:
        opportunity_id = org.opportunity()
        org.poll()
        org.delete("Opportunity", opportunity_id)
        deleted_at = org.at
        (deleted,) = org.poll()
        org.act("undelete", id=opportunity_id)
        back = _opportunities(org.poll())

        assert isinstance(deleted, RecordDeleted)
        assert (deleted.kind, deleted.record_id) == (Kind.OPPORTUNITY, opportunity_id)
        assert deleted.at == deleted_at
        assert [fact.opportunity_id for fact in back] == [opportunity_id]

    def test_is_told_once_although_two_lists_show_it(self, org: Org) -> None:
        org.delete("Opportunity", org.opportunity())
        want_full_pass(org.bookmarks, org.at + timedelta(days=1))
        first = org.poll()
        second = org.poll()

        assert [type(fact) for fact in first] == [RecordDeleted]
        assert second == ()

    def test_a_purged_contact_is_found_in_the_list_of_deletions(self, org: Org) -> None:
        contact_id = org.contact("One", "1@example.com")
        org.poll()
        org.delete("Contact", contact_id)
        org.sandbox.org.store.drop("Contact", contact_id)
        want_full_pass(org.bookmarks, org.at)

        (fact,) = org.poll()

        assert isinstance(fact, RecordDeleted)
        assert (fact.kind, fact.record_id) == (Kind.CONTACT, contact_id)


class TestMerges:
    """Salesforce moves roles and opportunities to the winner and says nothing of it."""

    def test_of_contacts(self) -> None:
        org = Org()
        opportunity_id = org.opportunity()
        winner, loser = org.contact("Win", "w@example.com"), org.contact("Lose", "l@example.com")
        org.role(opportunity_id, loser)
        org.poll()
        org.act("merge_contacts", winner=winner, losers=[loser])

        facts = org.poll()

        (merged,) = [fact for fact in facts if isinstance(fact, RecordMerged)]
        assert (merged.kind, merged.record_id, merged.winner_id) == (Kind.CONTACT, loser, winner)
        assert not _of(facts, RecordDeleted)
        moved = _role_sets(facts)[-1]
        assert [role.contact_id for role in moved.roles] == [winner]
        assert moved.opportunity_id == opportunity_id

    def test_of_accounts(self) -> None:
        org = Org()
        winner, loser = org.create("Account", Name="Win"), org.create("Account", Name="Lose")
        opportunity_id = org.opportunity(AccountId=loser)
        org.poll()
        org.act("merge_accounts", winner=winner, losers=[loser])

        facts = org.poll()

        (merged,) = [fact for fact in facts if isinstance(fact, RecordMerged)]
        assert (merged.kind, merged.record_id, merged.winner_id) == (Kind.ACCOUNT, loser, winner)
        assert {(fact.opportunity_id, fact.account_id) for fact in _opportunities(facts)} == {
            (opportunity_id, winner)
        }


class TestReconciling:
    """The slow comparison of id sets, and gaps (rule `gap`)."""

    @pytest.fixture
    def org(self) -> Org:
        org = Org()
        org.poll()
        return org

    def _sweep(self, org: Org) -> list[Fact]:
        """Poll for an hour."""
        found = list(org.poll())
        org.wait(3_600)
        found += org.poll()
        org.at += timedelta(seconds=1)
        for _ in range(20):
            assert org.source.due(org.at)
            polled = org.poll_once()
            found += polled.facts
            if not polled.more:
                return found
        raise AssertionError("the comparison does not end")

    def test_a_role_and_an_opportunity_that_no_poll_showed(
        self, org: Org, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sweep, "PAGE_SIZE", 2)
        kept = [org.opportunity(f"Kept {number}") for number in range(3)]
        lost = org.opportunity("Lost")
        role_id = org.role(kept[0], org.contact("One", "1@example.com"))
        org.poll()
        store = org.sandbox.org.store
        store.drop("Opportunity", lost)
        store.drop("OpportunityContactRole", role_id)

        facts = self._sweep(org)

        (deleted,) = _of(facts, RecordDeleted)
        assert isinstance(deleted, RecordDeleted)
        assert deleted.record_id == lost
        (roles,) = _role_sets(facts)
        assert (roles.opportunity_id, roles.roles) == (kept[0], ())

    def test_mere_absence_is_no_deletion_where_records_may_be_hidden(self, org: Org) -> None:
        lost = org.opportunity("Lost")
        org.poll()
        for permission in ("ModifyAllData", "ViewAllData"):
            org.act(
                "set_permission",
                user="integration@sandbox.example",
                permission=permission,
                value=False,
            )
        org.sandbox.org.store.drop("Opportunity", lost)

        assert not _of(self._sweep(org), RecordDeleted)

    def test_a_list_of_deletions_that_does_not_reach_back_is_a_gap(self, org: Org) -> None:
        opportunity_id = org.opportunity()
        role_id = org.role(opportunity_id, org.contact("One", "1@example.com"))
        org.poll()
        org.delete("OpportunityContactRole", role_id)
        org.wait(40 * 86_400)

        facts = list(org.poll())
        for _ in range(5):
            facts += org.poll_once().facts

        assert "OpportunityContactRole" in (org.bookmarks.read("salesforce.gap") or "")
        assert [(fact.opportunity_id, fact.roles) for fact in _role_sets(facts)] == [
            (opportunity_id, ())
        ]


class TestCatalog:
    """Record types, stages, users, fields, permissions."""

    def test_is_told_first_and_then_when_it_changes(self) -> None:
        org = Org()
        first = org.poll()[0]
        quiet = org.poll()
        org.act("create_record_type", name="Renewals 2")
        want_full_pass(org.bookmarks, org.at)
        (changed,) = org.poll()

        assert isinstance(first, SalesforceCatalogObserved)
        assert quiet == ()
        assert isinstance(changed, SalesforceCatalogObserved)
        assert len(changed.record_types) == len(first.record_types) + 1
        assert "ModifyAllData" in first.permissions
        assert first.integration_user_name == "integration@sandbox.example"
        assert first.integration_user_id in {user.id for user in first.users}
        stages = {stage.name: stage for stage in first.stages}
        assert stages["Closed Won"].is_won
        assert all(set(each.stage_names) <= set(stages) for each in first.record_types)
        assert all(each.is_available and each.stage_names for each in first.record_types)
        assert {field.name: field.type for field in first.fields}["Amount"] == "currency"

    def test_is_read_again_soon_where_somebody_doubts_it(self) -> None:
        """The gateway, which shares the schema, has made a field."""
        org = Org()
        org.poll()
        org.schema.forget()
        org.calls.clear()
        org.poll()

        assert any("UserPermissionAccess" in request.url for request in org.calls)
        org.calls.clear()
        org.poll()
        assert not any("UserPermissionAccess" in request.url for request in org.calls)

    def test_an_org_without_record_types_has_the_master_one(self) -> None:
        org = Org()
        store = org.sandbox.org.store
        for record_type_id in list(store.rows("RecordType")):
            store.drop("RecordType", record_type_id)

        catalog = org.poll()[0]

        assert isinstance(catalog, SalesforceCatalogObserved)
        (only,) = catalog.record_types
        assert only.id == "012000000000000AAA"
        assert "Prospecting" in only.stage_names


class TestRhythm:
    """When a poll is due, and what a full pass is."""

    def test_a_pass_is_due_after_the_interval_and_when_wanted(self) -> None:
        org = Org()
        assert org.source.due(org.at)
        org.poll()
        assert not org.source.due(org.at)
        org.wait(POLL_SECONDS)
        assert org.source.due(org.at)

    def test_a_pass_says_when_it_began(self) -> None:
        org = Org()
        begun = org.at
        polled = org.source.poll(org.at)

        assert polled.pass_begun_at == begun
        org.bookmarks.write(*passed(Crm.SALESFORCE, begun))
        assert full_pass_begun_at(org.bookmarks, Crm.SALESFORCE) == begun


class TestReading:
    """Refresh rows."""

    def _wish(self, org: Org, kind: Kind, record_id: str, **more: str) -> Refresh:
        return Refresh(
            crm=Crm.SALESFORCE,
            kind=kind,
            record_id=record_id,
            reason=more.get("reason", "import"),
            cause=more.get("cause", "request 1"),
            at=org.at,
            hint=more.get("hint", ""),
        )

    def test_an_opportunity_comes_with_its_roles_and_if_asked_contacts(self) -> None:
        org = Org()
        opportunity_id = org.opportunity()
        contact_id = org.contact("One", "1@example.com")
        org.role(opportunity_id, contact_id)

        facts = org.source.read(
            [self._wish(org, Kind.OPPORTUNITY, opportunity_id[:15], hint="contacts")], org.at
        )

        assert {type(fact) for fact in facts} == {
            OpportunityObserved,
            RolesObserved,
            SalesforceContactObserved,
        }
        assert {fact.cause for fact in facts} == {"request 1"}
        assert {getattr(fact, "reason", "") for fact in facts} == {"import"}

    def test_each_wish_has_a_fact_of_its_own(self) -> None:
        org = Org()
        account_id = org.create("Account", Name="Acme")
        wishes = [
            self._wish(org, Kind.ACCOUNT, account_id, cause="1"),
            self._wish(org, Kind.ACCOUNT, account_id, cause="2", reason="wanted"),
        ]

        facts = org.source.read(wishes, org.at)

        assert [(fact.cause, getattr(fact, "reason", "")) for fact in facts] == [
            ("1", "import"),
            ("2", "refresh"),
        ]
        assert len({fact.id for fact in facts}) == 2

    def test_deleted_merged_unknown_and_senseless_ids(self) -> None:
        org = Org()
        opportunity_id = org.opportunity()
        org.delete("Opportunity", opportunity_id)
        winner, loser = org.contact("Win", "w@example.com"), org.contact("Lose", "l@example.com")
        org.act("merge_contacts", winner=winner, losers=[loser])
        wishes = [
            self._wish(org, Kind.OPPORTUNITY, opportunity_id),
            self._wish(org, Kind.CONTACT, loser),
            self._wish(org, Kind.OPPORTUNITY, "006000000000000AAA"),
            self._wish(org, Kind.OPPORTUNITY, "'; no id"),
            self._wish(org, Kind.LEAD, "00Q000000000000AAA"),
        ]

        facts = org.source.read(wishes, org.at)

        assert {type(fact) for fact in facts} == {
            RecordDeleted,
            RecordMerged,
            SalesforceContactObserved,
        }

    def test_the_catalog_can_be_asked_for(self) -> None:
        org = Org()
        org.poll()

        (fact,) = org.source.read([self._wish(org, Kind.CATALOG, "")], org.at)

        assert isinstance(fact, SalesforceCatalogObserved)
        assert fact.cause == "request 1"

    def test_an_import_chooses_by_condition_query_or_all(self) -> None:
        org = Org()
        small, large = org.opportunity("S", Amount=1), org.opportunity("L", Amount=1_000)

        def select(where: str) -> set[str]:
            return set(org.source.reader.select(Kind.OPPORTUNITY, where, org.at))

        assert select("") == {small, large}
        assert select("Amount > 10") == {large}
        assert select("SELECT Id FROM Opportunity WHERE Name = 'S'") == {small}
