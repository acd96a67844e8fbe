"""The gateway against the sandbox: each write, what its answer means, and what a loss leaves."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from typing_extensions import override

from adapters.http_transport import (
    DirectTransport,
    HttpRequest,
    HttpResponse,
    HttpTransport,
    NoAnswerError,
    NotSentError,
)
from adapters.hubspot.auth import fixed_token
from adapters.hubspot.calls import Calls
from adapters.hubspot.gateway import HubSpotGateway
from adapters.sandbox.hubspot.actors import ENGINE_TOKEN
from domain import facts, writes
from domain.canonical import FieldType
from domain.deliveries import Addressed, Answer, Done, Gateway, NotSent, Rejected, Target, Unknown
from domain.errors import RetryableError, ThrottledError, UnauthenticatedError
from domain.facts import Reading
from domain.ids import Crm, Kind, StreamId, WriteId
from domain.policy import Policy
from domain.writes import FieldChange, StageWanted, Write
from tests.hubspot.portal import BASE_URL, Portal

STAGES = (
    StageWanted(stage_name="P", label="Prospect", order=0, is_closed=False, probability="0.1"),
    StageWanted(stage_name="W", label="Won", order=1, is_closed=True, probability="1.0"),
)


def change(name: str, wire: str | None, kind: FieldType = FieldType.TEXT) -> FieldChange:
    return FieldChange(field=name, name=name, type=kind, after=wire, wire=wire)


@dataclass
class Faulty(HttpTransport):
    """A transport that fails at the n-th request to a path, before or after its effect."""

    inner: DirectTransport
    path: str = ""
    error: Exception | None = None
    response: HttpResponse | None = None
    after_effect: bool = False
    skip: int = 0
    sent: list[HttpRequest] = field(default_factory=list)

    @override
    def send(self, request: HttpRequest, *, timeout_seconds: float) -> HttpResponse:
        self.sent.append(request)
        struck = bool(self.path) and self.path in request.url
        if struck and self.skip:
            self.skip -= 1
            struck = False
        if not struck or self.after_effect:
            answer = self.inner.send(request, timeout_seconds=timeout_seconds)
            if not struck:
                return answer
        if self.error is not None:
            raise self.error
        assert self.response is not None
        return self.response


class Desk:
    """A gateway over a portal that has our key properties."""

    def __init__(self) -> None:
        self.database_goes = False
        self.portal = Portal()
        self.portal.unique_property("deals", "dealsync_opportunity_id")
        self.portal.unique_property("companies", "dealsync_account_id")
        self.faults = Faulty(self.portal.transport())
        calls = Calls(self.faults, base_url=BASE_URL, token=fixed_token(ENGINE_TOKEN))
        self.gateway = HubSpotGateway(calls, self._policy)
        self.count = 0

    def _policy(self) -> Policy:
        """Return the policy, from a database that goes away with the first write."""
        if self.database_goes and any("/batch/" in one.url for one in self.faults.sent):
            raise RetryableError("expected the database to answer")
        return self.portal.policy

    def write(
        self,
        write_class: Callable[..., Write],
        record_id: str | None = None,
        **fields: Any,  # noqa: ANN401 - of any write
    ) -> Addressed:
        self.count += 1
        stream = StreamId(f"stream-{self.count}")
        write = write_class(id=WriteId(f"write-{self.count}"), stream=stream, **fields)
        return Addressed(write, Target(stream, record_id))

    def create(self, key: str, *fields: FieldChange) -> Addressed:
        usual = (
            change("dealname", "Harbour crane"),
            change("pipeline", "default"),
            change("dealstage", "qualifiedtobuy"),
        )
        return self.write(writes.CreateDeal, key=key, fields=usual + fields)

    def update(self, deal_id: str, *fields: FieldChange) -> Addressed:
        return self.write(writes.UpdateDeal, deal_id, pipeline_id="default", fields=fields)

    def send(self, *wanted: Addressed) -> tuple[Answer, ...]:
        return self.gateway.send(wanted, self.portal.later())

    def resolve(self, *wanted: Addressed) -> tuple[Answer, ...]:
        return self.gateway.resolve(wanted, self.portal.later())

    def properties(self, plural: str, record_id: str, *names: str) -> dict[str, Any]:
        path = f"/crm/v3/objects/{plural}/{record_id}?properties={','.join(names)}"
        shown = self.portal.call("GET", path)["properties"]
        return {name: shown.get(name) for name in names}

    def count_of(self, plural: str) -> int:
        answer = self.portal.call("POST", f"/crm/v3/objects/{plural}/search", {"limit": 1})
        return int(answer["total"])

    def contacts_of(self, deal_id: str) -> list[str]:
        path = f"/crm/v4/objects/deals/{deal_id}/associations/contacts"
        return [str(row["toObjectId"]) for row in self.portal.call("GET", path)["results"]]


@pytest.fixture(name="desk")
def desk_() -> Desk:
    return Desk()


def record_id(answer: Answer) -> str:
    assert isinstance(answer, Done)
    assert answer.record_id is not None
    return answer.record_id


def shown(answer: Answer) -> dict[str, str | None]:
    assert isinstance(answer, Done)
    return {reading.name: reading.value for reading in answer.readings}


def test_it_is_a_gateway(desk: Desk) -> None:
    gateway: Gateway = desk.gateway

    assert gateway.crm is Crm.HUBSPOT


# -- creates ------------------------------------------------------------------------------------


def test_a_batch_of_creates_answers_each_write(desk: Desk) -> None:
    good, bad, other = desk.send(
        desk.create("006A", change("amount", "12.5")),
        desk.create("006B", change("hubspot_owner_id", "nobody")),
        desk.create("006C", change("description", None)),
    )

    assert shown(good)["amount"] == "12.5"
    assert shown(good)["dealsync_opportunity_id"] == "006A"
    assert isinstance(bad, Rejected)
    assert bad.fields == ("hubspot_owner_id",)
    assert record_id(other) != record_id(good)
    assert len([one for one in desk.faults.sent if one.url.endswith("/batch/create")]) == 1


def test_a_key_that_is_taken_is_the_record_that_has_it(desk: Desk) -> None:
    (first,) = desk.send(desk.create("006A"))

    again, other = desk.send(desk.create("006A"), desk.create("006B"))

    assert record_id(again) == record_id(first)
    assert record_id(other) != record_id(first)
    assert desk.count_of("deals") == 2


def test_an_unknown_property_refuses_only_its_own_write(desk: Desk) -> None:
    good, bad = desk.send(desk.create("006A"), desk.create("006B", change("no_such_property", "x")))

    assert isinstance(good, Done)
    assert isinstance(bad, Rejected)
    assert bad.fields == ("no_such_property",)


def test_a_create_whose_answer_was_lost_is_settled_by_its_key(desk: Desk) -> None:
    create, lost = desk.create("006A"), desk.create("006B")
    desk.faults.path, desk.faults.error = "/batch/create", NoAnswerError("cut off")
    desk.faults.after_effect = True

    assert isinstance(desk.send(create)[0], Unknown)
    desk.faults.after_effect = False
    assert isinstance(desk.send(lost)[0], Unknown)
    desk.faults.path = ""
    done, not_there = desk.resolve(create, lost)

    assert shown(done)["dealsync_opportunity_id"] == "006A"
    assert isinstance(not_there, NotSent)
    assert desk.count_of("deals") == 1


def test_a_lost_create_is_found_in_the_bin_too(desk: Desk) -> None:
    create = desk.create("006A")
    deal_id = record_id(desk.send(create)[0])
    desk.portal.archive("deals", deal_id)

    assert record_id(desk.resolve(create)[0]) == deal_id


def test_a_company_is_created_once_by_the_accounts_id(desk: Desk) -> None:
    fields = (change("name", "Acme"), change("domain", "acme.example"))
    create = desk.write(writes.CreateCompany, key="001A", fields=fields)

    first, again = desk.send(create), desk.send(create)

    assert record_id(first[0]) == record_id(again[0]) == record_id(desk.resolve(create)[0])
    assert desk.count_of("companies") == 1


# -- updates ------------------------------------------------------------------------------------


def test_an_update_sets_and_clears_and_shows_what_holds(desk: Desk) -> None:
    deal_id = desk.portal.deal(description="old", amount="1")

    (answer,) = desk.send(
        desk.update(deal_id, change("amount", "99.90"), change("description", None))
    )

    assert record_id(answer) == deal_id
    held = desk.properties("deals", deal_id, "amount", "description")
    assert held["amount"] == "99.90"
    assert not held["description"]
    assert shown(answer)["amount"] == "99.90"


def test_what_was_sent_is_answered_though_the_database_is_away_by_then(desk: Desk) -> None:
    deal_id = desk.portal.deal(amount="1")
    desk.database_goes = True

    (answer,) = desk.send(desk.update(deal_id, change("amount", "5")))

    assert record_id(answer) == deal_id
    assert shown(answer)["amount"] == "5"


def test_changes_of_one_record_go_together_and_the_later_wins(desk: Desk) -> None:
    deal_id = desk.portal.deal()

    answers = desk.send(
        desk.update(deal_id, change("amount", "1"), change("dealname", "One")),
        desk.update(deal_id, change("amount", "2")),
    )

    assert [record_id(answer) for answer in answers] == [deal_id, deal_id]
    assert desk.properties("deals", deal_id, "amount", "dealname") == {
        "amount": "2",
        "dealname": "One",
    }


def test_an_update_of_a_deleted_deal_is_refused_as_gone(desk: Desk) -> None:
    living, deleted = desk.portal.deal(), desk.portal.deal()
    desk.portal.archive("deals", deleted)

    done, gone = desk.send(
        desk.update(living, change("amount", "1")), desk.update(deleted, change("amount", "1"))
    )

    assert isinstance(done, Done)
    assert isinstance(gone, Rejected)
    assert gone.gone
    resolved = desk.resolve(desk.update(deleted, change("amount", "1")))[0]
    assert isinstance(resolved, Rejected)
    assert resolved.gone


def test_a_refused_value_names_its_property_and_the_others_are_taken(desk: Desk) -> None:
    one, two = desk.portal.deal(), desk.portal.deal()

    refused, done = desk.send(
        desk.update(one, change("amount", "not a number")), desk.update(two, change("amount", "7"))
    )

    assert isinstance(refused, Rejected)
    assert (refused.fields, refused.gone) == (("amount",), False)
    assert isinstance(done, Done)


def test_an_update_whose_answer_was_lost_is_settled_by_reading(desk: Desk) -> None:
    deal_id = desk.portal.deal(amount="1")
    taken = desk.update(deal_id, change("amount", "5.0", FieldType.DECIMAL))
    desk.faults.path, desk.faults.error = "/batch/update", NoAnswerError("cut off")
    desk.faults.after_effect = True

    assert isinstance(desk.send(taken)[0], Unknown)
    desk.faults.path = ""
    done, lost = desk.resolve(taken, desk.update(deal_id, change("amount", "6")))

    assert isinstance(done, Done)
    assert isinstance(lost, NotSent)


def test_a_lost_update_that_somebody_wrote_over_in_part_took_effect(desk: Desk) -> None:
    deal_id = desk.portal.deal(dealname="ours", description="theirs")
    name = change("dealname", "ours").model_copy(update={"before": "old"})
    description = change("description", "ours").model_copy(update={"before": "old"})

    (answer,) = desk.resolve(desk.update(deal_id, name, description))

    assert isinstance(answer, Done)


def test_a_lost_update_that_somebody_took_back_took_effect(desk: Desk) -> None:
    """The history shows it; the values alone look as if it had never been there."""
    deal_id = desk.portal.deal(amount="1")
    sent_at = desk.portal.later()
    taken = replace(desk.update(deal_id, change("amount", "5")), sent_at=sent_at)
    desk.send(taken)
    desk.portal.later()
    desk.portal.change("deals", deal_id, amount="1")

    (answer,) = desk.resolve(taken)

    assert isinstance(answer, Done)
    assert {reading.value for reading in answer.readings if reading.name == "amount"} == {"1"}


def test_an_earlier_write_of_the_same_value_proves_nothing(desk: Desk) -> None:
    deal_id = desk.portal.deal(amount="1")
    desk.send(desk.update(deal_id, change("amount", "5")))
    desk.portal.later()
    desk.portal.change("deals", deal_id, amount="1")
    sent_at = desk.portal.later(60)

    lost = replace(desk.update(deal_id, change("amount", "5")), sent_at=sent_at)

    assert isinstance(desk.resolve(lost)[0], NotSent)


def test_an_earlier_write_proves_nothing_whatever_the_clocks_say(desk: Desk) -> None:
    """Within the skew it seems to be later than the call; but then somebody set what we found."""
    deal_id = desk.portal.deal(amount="1")
    desk.send(desk.update(deal_id, change("amount", "5")))
    sent_at = desk.portal.later()
    desk.portal.change("deals", deal_id, amount="4")

    again = change("amount", "5").model_copy(update={"before": "4"})
    lost = replace(desk.update(deal_id, again), sent_at=sent_at - timedelta(seconds=5))

    assert isinstance(desk.resolve(lost)[0], NotSent)


def test_contact_and_company_are_updated_by_their_own_ids(desk: Desk) -> None:
    contact_id = desk.portal.create("contacts", email="ada@example.com")
    company_id = desk.portal.create("companies", name="Acme")

    (contact,) = desk.send(
        desk.write(
            writes.UpdateContact, contact_id, fields=(change("lifecyclestage", "opportunity"),)
        )
    )
    (company,) = desk.send(
        desk.write(
            writes.UpdateCompany,
            company_id=company_id,
            fields=(change("dealsync_account_id", "001A"),),
        )
    )

    assert shown(contact)["lifecyclestage"] == "opportunity"
    assert record_id(company) == company_id


def test_without_a_living_record_nothing_is_sent(desk: Desk) -> None:
    (answer,) = desk.send(
        desk.write(writes.UpdateDeal, pipeline_id="default", fields=(change("amount", "1"),))
    )

    assert isinstance(answer, NotSent)
    assert desk.faults.sent == []


# -- archiving ----------------------------------------------------------------------------------


def test_archiving_is_done_once_and_stays_done(desk: Desk) -> None:
    deal_id = desk.portal.deal()
    archive = desk.write(writes.ArchiveDeal, deal_id, pipeline_id="default")

    assert isinstance(desk.resolve(archive)[0], NotSent)
    assert record_id(desk.send(archive)[0]) == deal_id
    assert record_id(desk.send(archive)[0]) == deal_id
    assert record_id(desk.resolve(archive)[0]) == deal_id
    assert desk.count_of("deals") == 0


# -- associations -------------------------------------------------------------------------------


def test_a_contact_is_associated_without_a_label_and_removed_again(desk: Desk) -> None:
    deal_id = desk.portal.deal()
    contact_id = desk.portal.create("contacts", email="ada@example.com")
    associate = desk.write(writes.AssociateContact, deal_id, contact_id=contact_id)
    dissociate = desk.write(writes.DissociateContact, deal_id, contact_id=contact_id)

    assert isinstance(desk.resolve(associate)[0], NotSent)
    assert record_id(desk.send(associate)[0]) == deal_id
    assert record_id(desk.send(associate)[0]) == deal_id, "twice is harmless"
    assert isinstance(desk.resolve(associate)[0], Done)
    assert desk.contacts_of(deal_id) == [contact_id]
    assert isinstance(desk.resolve(dissociate)[0], NotSent)
    assert isinstance(desk.send(dissociate)[0], Done)
    assert isinstance(desk.send(dissociate)[0], Done), "twice is harmless"
    assert isinstance(desk.resolve(dissociate)[0], Done)
    assert desk.contacts_of(deal_id) == []


def test_a_missing_contact_is_refused_and_the_deal_is_not_gone(desk: Desk) -> None:
    deal_id = desk.portal.deal()
    contact_id = desk.portal.create("contacts", email="ada@example.com")

    done, refused, gone = desk.send(
        desk.write(writes.AssociateContact, deal_id, contact_id=contact_id),
        desk.write(writes.AssociateContact, deal_id, contact_id="1999999999"),
        desk.write(writes.AssociateContact, "3999999999", contact_id=contact_id),
    )

    assert isinstance(done, Done)
    assert isinstance(refused, Rejected)
    assert not refused.gone
    assert isinstance(gone, Rejected)
    assert gone.gone


def test_a_company_becomes_the_primary_one(desk: Desk) -> None:
    deal_id = desk.portal.deal()
    first = desk.portal.create("companies", name="First")
    second = desk.portal.create("companies", name="Second")
    for company_id in (first, second):
        associate = desk.write(writes.AssociateCompany, deal_id, company_id=company_id)
        assert isinstance(desk.send(associate)[0], Done)
        assert isinstance(desk.resolve(associate)[0], Done)

    found = desk.portal.source().read([desk.portal.wish(Kind.DEAL, deal_id)], desk.portal.later())

    (observed,) = [one for one in found if isinstance(one, facts.AssociationsObserved)]
    assert observed.company_id == second
    former = desk.write(writes.AssociateCompany, deal_id, company_id=first)
    assert isinstance(desk.resolve(former)[0], NotSent)
    dissociate = desk.write(writes.DissociateCompany, deal_id, company_id=second)
    assert isinstance(desk.send(dissociate)[0], Done)


# -- definitions --------------------------------------------------------------------------------


def pipeline(desk: Desk, label: str = "Salesforce - A") -> Addressed:
    return desk.write(writes.CreatePipeline, record_type_id="012A", label=label, stages=STAGES)


def test_a_pipeline_of_our_label_is_adopted_and_never_made_twice(desk: Desk) -> None:
    assert isinstance(desk.resolve(pipeline(desk))[0], NotSent)
    (made,) = desk.send(pipeline(desk))
    (again,) = desk.send(pipeline(desk))

    assert set(shown(made)) == {"stage.Prospect", "stage.Won"}
    assert record_id(again) == record_id(made) == record_id(desk.resolve(pipeline(desk))[0])
    assert isinstance(again, Done)
    assert again.readings[0] == Reading(name="adopted", value="true")
    found = desk.portal.call("GET", "/crm/v3/pipelines/deals")["results"]
    assert [one["label"] for one in found].count("Salesforce - A") == 1
    assert found[0]["id"] == "default", "people's own pipeline stays the first"


def test_a_full_account_refuses_with_its_own_code(desk: Desk) -> None:
    desk.portal.act("set_pipeline_limit", count=1)

    (answer,) = desk.send(pipeline(desk))

    assert isinstance(answer, Rejected)
    assert "LIMIT" in answer.code


def test_stages_are_added_adopted_and_renamed(desk: Desk) -> None:
    pipeline_id = record_id(desk.send(pipeline(desk))[0])
    wanted = StageWanted(
        stage_name="N", label="Negotiation", order=2, is_closed=False, probability="0.5"
    )
    create = desk.write(
        writes.CreateStage, record_type_id="012A", pipeline_id=pipeline_id, stage=wanted
    )
    assert isinstance(desk.resolve(create)[0], NotSent)
    stage_id = record_id(desk.send(create)[0])
    assert record_id(desk.send(create)[0]) == stage_id
    assert record_id(desk.resolve(create)[0]) == stage_id

    rename = desk.write(
        writes.RenameStage, pipeline_id=pipeline_id, stage_id=stage_id, label="Haggling"
    )
    assert isinstance(desk.resolve(rename)[0], NotSent)
    assert record_id(desk.send(rename)[0]) == stage_id
    assert record_id(desk.resolve(rename)[0]) == stage_id


def test_a_property_comes_with_its_group_and_an_equal_one_is_as_good(desk: Desk) -> None:
    fields = {"object": "contact", "name": "dealsync_total_revenue", "label": "Total revenue"}
    create = desk.write(writes.CreateProperty, type="number", **fields)
    other = desk.write(writes.CreateProperty, type="string", **fields)

    assert isinstance(desk.resolve(create)[0], NotSent)
    assert record_id(desk.send(create)[0]) == "dealsync_total_revenue"
    assert isinstance(desk.send(create)[0], Done)
    assert isinstance(desk.resolve(create)[0], Done)
    (differs,) = desk.send(other)
    assert isinstance(differs, Rejected)
    assert differs.code == "PROPERTY_DIFFERS"


# -- looks --------------------------------------------------------------------------------------


def test_a_look_shows_each_record_once_and_nothing_for_what_has_none(desk: Desk) -> None:
    deal_id, deleted = desk.portal.deal(), desk.portal.deal()
    desk.portal.archive("deals", deleted)
    contact_id = desk.portal.create("contacts", email="ada@example.com")
    stream = StreamId("s")
    to_salesforce = writes.UpdateOpportunity(
        id=WriteId("w"), stream=stream, pipeline_id="default", fields=()
    )
    wanted = [
        desk.update(deal_id, change("amount", "1")),
        desk.update(deal_id, change("amount", "2")),
        desk.update(deleted, change("amount", "2")),
        desk.write(writes.UpdateContact, contact_id, fields=()),
        desk.create("006A"),
        pipeline(desk),
        Addressed(to_salesforce, Target(stream, "006A", counterpart_id=deal_id)),
    ]

    found = desk.gateway.look(wanted, desk.portal.later())

    assert sorted(type(one).__name__ for one in found) == [
        "DealObserved",
        "HubSpotContactObserved",
        "RecordDeleted",
    ]
    assert {one.reason for one in found} == {"look"}


# -- failures -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (HttpResponse(429, (), b'{"policyName": "TEN_SECONDLY_ROLLING"}'), ThrottledError),
        (HttpResponse(429, (), b'{"policyName": "DAILY"}'), ThrottledError),
        (HttpResponse(401, (), b"{}"), UnauthenticatedError),
        (HttpResponse(403, (), b'{"category": "MISSING_SCOPES"}'), UnauthenticatedError),
        (HttpResponse(423, (), b"{}"), RetryableError),
        (HttpResponse(503, (), b"{}"), RetryableError),
    ],
)
def test_before_any_effect_a_send_raises(
    desk: Desk, response: HttpResponse, error: type[Exception]
) -> None:
    desk.faults.path, desk.faults.response = "/batch/create", response

    with pytest.raises(error):
        desk.send(desk.create("006A"))


def test_a_connection_that_was_never_made_raises(desk: Desk) -> None:
    desk.faults.path, desk.faults.error = "/batch/create", NotSentError("refused")

    with pytest.raises(RetryableError):
        desk.send(desk.create("006A"))


@pytest.mark.parametrize("status", [408, 500, 502, 504, 524])
def test_an_error_that_may_have_had_its_effect_is_unknown(desk: Desk, status: int) -> None:
    desk.faults.path, desk.faults.response = "/batch/create", HttpResponse(status)

    assert isinstance(desk.send(desk.create("006A"))[0], Unknown)


def test_an_answer_that_cannot_be_read_is_unknown(desk: Desk) -> None:
    desk.faults.path, desk.faults.response = "/batch/create", HttpResponse(201, (), b"<html>")
    desk.faults.after_effect = True
    create = desk.create("006A")

    assert isinstance(desk.send(create)[0], Unknown)
    desk.faults.path = ""
    assert isinstance(desk.resolve(create)[0], Done)


def test_after_an_effect_a_throttle_is_an_answer(desk: Desk) -> None:
    bad = desk.create("006B", change("no_such_property", "x"))
    # the whole batch is refused, the first goes alone, the second meets the throttle
    desk.faults.path, desk.faults.skip = "/batch/create", 2
    desk.faults.response = HttpResponse(429, (), b'{"policyName": "SECONDLY"}')

    done, throttled = desk.send(desk.create("006A"), bad)

    assert isinstance(done, Done)
    assert isinstance(throttled, NotSent)
    assert isinstance(throttled.retry_at, datetime)


def test_a_conflict_that_cannot_be_read_now_goes_again_later(desk: Desk) -> None:
    desk.send(desk.create("006A"))
    desk.faults.path, desk.faults.error = "/batch/read", NoAnswerError("cut off")

    assert isinstance(desk.send(desk.create("006A"))[0], NotSent)


def test_a_token_stands_in_no_message(desk: Desk) -> None:
    desk.faults.path, desk.faults.response = "/batch/create", HttpResponse(401, (), b"{}")

    with pytest.raises(UnauthenticatedError) as raised:
        desk.send(desk.create("006A"))

    assert ENGINE_TOKEN not in str(raised.value)
