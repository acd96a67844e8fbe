"""What the gateway does with writes, and how it settles those whose answer was lost."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal

import pytest
from typing_extensions import override

from adapters.http_transport import HttpRequest, HttpResponse, HttpTransport, NoAnswerError
from adapters.salesforce import names
from adapters.salesforce.auth import PasswordGrant
from adapters.salesforce.connection import Connection
from adapters.salesforce.gateway import SalesforceGateway, wire_value
from adapters.salesforce.schema import Schema
from domain.canonical import FieldType
from domain.deliveries import Addressed, Answer, Done, NotSent, Rejected, Target, Unknown
from domain.errors import RetryableError, ThrottledError, UnauthenticatedError
from domain.facts import OpportunityObserved, RecordDeleted, SalesforceContactObserved
from domain.ids import StreamId, WriteId
from domain.writes import (
    AddContactRole,
    ArchiveDeal,
    CreateField,
    CreateOpportunity,
    FieldChange,
    RemoveContactRole,
    UpdateOpportunity,
    Write,
)
from tests.salesforce.org import FIELDS, INTEGRATION, URL, WORD, Org

STREAM = StreamId("stream")


class Line(HttpTransport):
    """A line to an org that can break before or after it was heard."""

    def __init__(self, org: Org) -> None:
        """Make a sound line."""
        self._inner = org.transport
        #: called with each request that is no reading
        self.before: Callable[[HttpRequest], HttpResponse | None] = lambda _: None
        self.loses_answers = False
        self.loses_readings = False

    @override
    def send(self, request: HttpRequest, *, timeout_seconds: float) -> HttpResponse:
        if request.method == "GET" or "oauth2" in request.url:
            if self.loses_readings and "query" in request.url:
                raise NoAnswerError("the line broke")
            return self._inner.send(request, timeout_seconds=timeout_seconds)
        instead = self.before(request)
        if instead is not None:
            return instead
        answer = self._inner.send(request, timeout_seconds=timeout_seconds)
        if self.loses_answers:
            raise NoAnswerError("the line broke")
        return answer


class Desk:
    """An org with our field in it, and the gateway to it."""

    def __init__(self, org: Org) -> None:
        """Set up an org."""
        self.org = org
        self.line = Line(org)
        grant = PasswordGrant(
            client_id="sandbox", username=INTEGRATION, client_secret=WORD, password=WORD
        )
        connection = Connection(transport=self.line, url=URL, grant=grant)
        self.gateway = SalesforceGateway(
            connection=connection, schema=Schema(connection), fields=lambda: FIELDS
        )

    @property
    def at(self) -> datetime:
        """Return the time."""
        return self.org.at

    def send(self, *wanted: Addressed) -> tuple[Answer, ...]:
        """Send writes."""
        return self.gateway.send(wanted, self.at)

    def resolve(self, *wanted: Addressed) -> tuple[Answer, ...]:
        """Settle writes."""
        return self.gateway.resolve(wanted, self.at)

    def count(self, of: str) -> int:
        """Count the living records of an object."""
        return len(self.org.admin.query(f"SELECT Id FROM {of}", self.at))  # noqa: S608 - a test


@pytest.fixture
def desk() -> Desk:
    desk = Desk(Org())
    desk.send(_addressed(_create_field()))
    return desk


def _addressed(write: Write, record_id: str | None = None, other: str | None = None) -> Addressed:
    return Addressed(write, Target(STREAM, record_id, other))


def _id(number: int = 1) -> WriteId:
    return WriteId(f"write {number}")


def _create_field(name: str = names.LINK_FIELD) -> CreateField:
    return CreateField(
        id=_id(), stream=STREAM, object="opportunity", name=name, label="Deal", length=64
    )


def _change(name: str, value: str | None, kind: FieldType = FieldType.TEXT) -> FieldChange:
    return FieldChange(field=name, name=name, type=kind, after=value, wire=value)


def _create(key: str, name: str = "Acme", *more: FieldChange) -> Addressed:
    fields = (
        _change("Name", name),
        _change("StageName", "Prospecting", FieldType.PICKLIST),
        _change("CloseDate", "2026-06-30", FieldType.DATE),
        _change("Amount", "1200.5", FieldType.DECIMAL),
        *more,
    )
    return _addressed(CreateOpportunity(id=_id(), stream=STREAM, key=key, fields=fields))


def _update(opportunity_id: str | None, *changes: FieldChange) -> Addressed:
    write = UpdateOpportunity(id=_id(), stream=STREAM, pipeline_id="1", fields=changes)
    return _addressed(write, opportunity_id)


def _add_role(opportunity_id: str, contact_id: str, role: str | None = None) -> Addressed:
    write = AddContactRole(id=_id(), stream=STREAM, contact_id=contact_id, role=role)
    return _addressed(write, opportunity_id)


def _remove_role(opportunity_id: str, contact_id: str, role_id: str) -> Addressed:
    write = RemoveContactRole(id=_id(), stream=STREAM, contact_id=contact_id, role_id=role_id)
    return _addressed(write, opportunity_id)


def _record_ids(answers: Sequence[Answer]) -> list[str]:
    return [answer.record_id or "" for answer in answers if isinstance(answer, Done)]


class TestCreating:
    """Opportunities, by a key fixed before the call (rule `once`)."""

    def test_makes_each_with_its_key(self, desk: Desk) -> None:
        master = _change(names.RECORD_TYPE_FIELD, names.MASTER_RECORD_TYPE)
        first, second = _record_ids(desk.send(_create("1", "One"), _create("2", "Two", master)))

        row = desk.org.ours.query(
            f"SELECT Name, Amount, {names.LINK_FIELD} FROM Opportunity WHERE Id = '{first}'",  # noqa: S608 - a test
            desk.at,
        )[0]
        assert (row.text("Name"), row.text("Amount")) == ("One", "1200.5")
        assert row.text(names.LINK_FIELD) == "1"
        assert second != first

    def test_a_key_that_is_there_already_is_not_made_again(self, desk: Desk) -> None:
        (made,) = _record_ids(desk.send(_create("1")))
        desk.org.delete("Opportunity", made)
        calls = len(desk.org.calls)

        again = desk.send(_create("1"))

        assert _record_ids(again) == [made]
        assert {request.method for request in desk.org.calls[calls:]} == {"GET"}

    def test_a_lost_answer_is_settled_by_the_key(self, desk: Desk) -> None:
        desk.line.loses_answers = True
        (answer,) = desk.send(_create("1"))
        desk.line.loses_answers = False
        settled, lost = desk.resolve(_create("1"), _create("2"))

        assert isinstance(answer, Unknown)
        assert isinstance(settled, Done)
        assert isinstance(lost, NotSent)
        assert desk.count("Opportunity") == 1

    def test_one_bad_row_does_not_stop_the_others(self, desk: Desk) -> None:
        bad = _change("Type", "x" * 300)
        good, refused = desk.send(_create("1"), _create("2", "Two", bad))

        assert isinstance(good, Done)
        assert isinstance(refused, Rejected)
        assert "Type" in refused.fields
        assert not refused.gone

    def test_a_column_that_is_not_there_is_blamed_alone(self, desk: Desk) -> None:
        good, refused = desk.send(_create("1"), _create("2", "Two", _change("Region__c", "x")))

        assert isinstance(good, Done)
        assert isinstance(refused, Rejected)
        assert refused.fields == ("Region__c",)


class TestUpdating:
    """Opportunities, by id."""

    def test_sets_and_clears(self, desk: Desk) -> None:
        opportunity_id = desk.org.opportunity(Description="old")
        (answer,) = desk.send(
            _update(
                opportunity_id,
                _change("Amount", "99999999999999.99", FieldType.DECIMAL),
                _change("Description", None),
            )
        )

        row = desk.org.row("Opportunity", opportunity_id)
        assert answer == Done(opportunity_id)
        assert b'"Amount":99999999999999.99' in desk.org.calls[-2].body
        assert row.text("Description") is None

    def test_a_deleted_or_unknown_opportunity_is_gone(self, desk: Desk) -> None:
        opportunity_id = desk.org.opportunity()
        desk.org.delete("Opportunity", opportunity_id)
        change = _change("Name", "B")

        answers = desk.send(
            _update(opportunity_id, change), _update("006000000000999AAA", change), _update(None)
        )

        assert [isinstance(each, Rejected) and each.gone for each in answers] == [True] * 3

    def test_a_value_that_names_nothing_is_no_gone_record(self, desk: Desk) -> None:
        opportunity_id = desk.org.opportunity()

        (answer,) = desk.send(_update(opportunity_id, _change("OwnerId", "005000000000999AAA")))

        assert isinstance(answer, Rejected)
        assert not answer.gone

    def test_other_rows_are_answered_though_nothing_can_be_read_after_the_call(
        self, desk: Desk
    ) -> None:
        opportunity_id = desk.org.opportunity()
        desk.line.loses_readings = True

        done, unclear = desk.send(
            _update(opportunity_id, _change("Amount", "5", FieldType.DECIMAL)),
            _update("006000000000999AAA", _change("Amount", "5", FieldType.DECIMAL)),
        )

        assert done == Done(opportunity_id)
        assert isinstance(unclear, NotSent)

    def test_a_lost_answer_is_settled_by_reading(self, desk: Desk) -> None:
        opportunity_id = desk.org.opportunity()
        amount = _change("Amount", "5", FieldType.DECIMAL)
        desk.line.loses_answers = True
        (answer,) = desk.send(_update(opportunity_id, amount))
        done, differs, gone = desk.resolve(
            _update(opportunity_id, amount),
            _update(opportunity_id, _change("Amount", "6", FieldType.DECIMAL)),
            _update("006000000000999AAA", amount),
        )

        assert isinstance(answer, Unknown)
        assert isinstance(done, Done)
        assert isinstance(differs, NotSent)
        assert isinstance(gone, Rejected)
        assert gone.gone

    @pytest.mark.parametrize(
        ("kind", "value", "expected"),
        [
            (FieldType.DECIMAL, "0.10", Decimal("0.10")),
            (FieldType.BOOLEAN, "true", True),
            (FieldType.BOOLEAN, None, False),
            (FieldType.DATE, "2026-06-30", "2026-06-30"),
            (FieldType.TEXT, None, None),
        ],
    )
    def test_values_have_their_own_kind_in_json(
        self, kind: FieldType, value: str | None, expected: object
    ) -> None:
        assert wire_value(_change("X", value, kind)) == expected


class TestRoles:
    """Contact roles have no key: their rows are read first."""

    def test_a_role_is_added_once(self, desk: Desk) -> None:
        opportunity_id, contact_id = desk.org.opportunity(), desk.org.contact("A", "a@example.com")
        wanted = _add_role(opportunity_id, contact_id, "Evaluator")
        first, twin = desk.send(wanted, wanted)
        (again,) = desk.send(wanted)

        assert isinstance(first, Done)
        assert first.record_id is not None
        assert twin == first
        assert again == Done(None)
        assert desk.count("OpportunityContactRole") == 1

    def test_a_deleted_opportunity_is_gone_and_a_deleted_contact_is_not(self, desk: Desk) -> None:
        opportunity_id, deleted_id = desk.org.opportunity(), desk.org.opportunity()
        contact_id = desk.org.contact("A", "a@example.com")
        desk.org.delete("Opportunity", deleted_id)
        desk.org.delete("Contact", contact_id)
        of_contact, of_opportunity = desk.send(
            _add_role(opportunity_id, contact_id), _add_role(deleted_id, contact_id)
        )

        assert isinstance(of_contact, Rejected)
        assert not of_contact.gone
        assert isinstance(of_opportunity, Rejected)
        assert of_opportunity.gone

    def test_a_lost_answer_is_settled_by_the_rows(self, desk: Desk) -> None:
        opportunity_id, contact_id = desk.org.opportunity(), desk.org.contact("A", "a@example.com")
        wanted = _add_role(opportunity_id, contact_id)
        (before,) = desk.resolve(wanted)
        desk.line.loses_answers = True
        (answer,) = desk.send(wanted)
        (after,) = desk.resolve(wanted)

        assert isinstance(before, NotSent)
        assert isinstance(answer, Unknown)
        assert isinstance(after, Done)
        assert after.record_id is not None

    def test_a_lost_answer_is_settled_though_the_opportunity_was_deleted_since(
        self, desk: Desk
    ) -> None:
        opportunity_id, contact_id = desk.org.opportunity(), desk.org.contact("A", "a@example.com")
        others_id = desk.org.contact("B", "b@example.com")
        desk.org.role(opportunity_id, others_id)
        desk.line.loses_answers = True
        desk.send(_add_role(opportunity_id, contact_id))
        desk.org.delete("Opportunity", opportunity_id)
        made, not_made = desk.resolve(
            _add_role(opportunity_id, contact_id), _add_role(opportunity_id, others_id)
        )

        assert isinstance(made, Done)
        assert made.record_id is not None
        assert isinstance(not_made, Rejected)
        assert not_made.gone

    def test_a_role_is_removed_and_twice_is_harmless(self, desk: Desk) -> None:
        opportunity_id, contact_id = desk.org.opportunity(), desk.org.contact("A", "a@example.com")
        role_id = desk.org.role(opportunity_id, contact_id)
        wanted = _remove_role(opportunity_id, contact_id, role_id)
        (still,) = desk.resolve(wanted)
        answers = [desk.send(wanted)[0], desk.send(wanted)[0], desk.resolve(wanted)[0]]

        assert isinstance(still, NotSent)
        assert answers == [Done(role_id)] * 3
        assert desk.count("OpportunityContactRole") == 0


class TestField:
    """Our own external id field."""

    def test_is_made_and_opened_to_us_once(self) -> None:
        desk = Desk(Org(new_fields_visible=False))
        (before,) = desk.resolve(_addressed(_create_field()))
        first = desk.send(_addressed(_create_field()))
        again = desk.send(_addressed(_create_field()))
        (after,) = desk.resolve(_addressed(_create_field()))

        assert isinstance(before, NotSent)
        assert first == again == (Done(None),)
        assert isinstance(after, Done)
        assert isinstance(desk.send(_create("1"))[0], Done)

    def test_is_open_to_administrators_and_to_nobody_else(self) -> None:
        desk = Desk(Org(new_fields_visible=False))
        seller = {"Username": "s@sandbox.example", "LastName": "S", "Email": "s@sandbox.example"}
        desk.org.create("User", **seller)
        desk.send(_addressed(_create_field()))
        (opportunity_id,) = _record_ids(desk.send(_create("1")))
        query = f"SELECT {names.LINK_FIELD} FROM Opportunity WHERE Id = '{opportunity_id}'"  # noqa: S608 - a test

        assert desk.org.admin.query(query, desk.at)[0].text(names.LINK_FIELD) == "1"
        with pytest.raises(RetryableError, match="No such column"):
            desk.org.connection("s@sandbox.example").query(query, desk.at)

    def test_half_a_job_is_finished(self) -> None:
        desk = Desk(Org(new_fields_visible=False))
        desk.line.loses_answers = True
        (answer,) = desk.send(_addressed(_create_field()))
        desk.line.loses_answers = False
        (finished,) = desk.send(_addressed(_create_field()))

        assert isinstance(answer, Unknown)
        assert isinstance(finished, Done)

    def test_without_the_permission_it_is_refused(self) -> None:
        desk = Desk(Org(permitted=False))
        (answer,) = desk.send(_addressed(_create_field()))

        assert isinstance(answer, Rejected)
        assert answer.code == "INSUFFICIENT_ACCESS_OR_READONLY"


class TestLooking:
    """A batch read of the records that writes concern."""

    def test_shows_what_is_there_and_what_is_gone(self, desk: Desk) -> None:
        opportunity_id, deleted_id = desk.org.opportunity(), desk.org.opportunity()
        contact_id = desk.org.contact("A", "a@example.com")
        desk.org.delete("Opportunity", deleted_id)
        archive = ArchiveDeal(id=_id(), stream=STREAM, pipeline_id="1")

        facts = desk.gateway.look(
            [
                _update(opportunity_id),
                _update(opportunity_id),
                _addressed(archive, "77", deleted_id),
                _addressed(archive, "78", contact_id),
                _create("1"),
            ],
            desk.at,
        )

        assert {type(fact) for fact in facts} == {
            OpportunityObserved,
            RecordDeleted,
            SalesforceContactObserved,
        }
        assert {fact.reason for fact in facts} == {"look"}
        assert len(facts) == 3


class TestTrouble:
    """What concerns a call as a whole is raised, before any effect."""

    def _answering(self, desk: Desk, status: int, body: bytes) -> None:
        desk.line.before = lambda _: HttpResponse(status, (), body)

    def test_a_used_up_limit_says_until_when(self, desk: Desk) -> None:
        self._answering(
            desk, 403, b'[{"message":"TotalRequests","errorCode":"REQUEST_LIMIT_EXCEEDED"}]'
        )

        with pytest.raises(ThrottledError) as raised:
            desk.send(_create("1"))
        assert raised.value.until > desk.at

    def test_a_busy_server_is_asked_again(self, desk: Desk) -> None:
        self._answering(desk, 503, b'[{"message":"later","errorCode":"SERVER_UNAVAILABLE"}]')

        with pytest.raises(RetryableError):
            desk.send(_create("1"))

    def test_an_answer_of_something_in_between_leaves_it_unknown(self, desk: Desk) -> None:
        self._answering(desk, 504, b"<html>gateway timeout</html>")

        assert isinstance(desk.send(_create("1"))[0], Unknown)

    def test_a_success_that_nobody_understands_leaves_it_unknown(self, desk: Desk) -> None:
        self._answering(desk, 200, b"<html>")

        assert isinstance(desk.send(_create("1"))[0], Unknown)

    def test_a_row_that_meets_a_lock_goes_again(self, desk: Desk) -> None:
        self._answering(
            desk,
            200,
            b'[{"success":false,"errors":[{"statusCode":"UNABLE_TO_LOCK_ROW","message":"m",'
            b'"fields":[]}]}]',
        )

        assert isinstance(desk.send(_create("1"))[0], NotSent)

    def test_an_ended_session_is_renewed_once(self, desk: Desk) -> None:
        desk.org.act("expire_sessions", user=INTEGRATION)
        (answer,) = desk.send(_create("1"))
        self._answering(
            desk, 401, b'[{"message":"Session expired","errorCode":"INVALID_SESSION_ID"}]'
        )

        assert isinstance(answer, Done)
        with pytest.raises(UnauthenticatedError):
            desk.send(_create("2"))
