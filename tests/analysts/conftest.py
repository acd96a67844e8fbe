"""A database in which a little of everything happened."""

from collections.abc import Iterator

import pytest

from adapters.postgres import audit
from adapters.postgres.database import Database
from adapters.postgres.decisions import PostgresDecisions
from adapters.postgres.followers import PostgresFollowers
from domain import events, ids
from domain.ids import Crm
from domain.rules import RuleId
from projections.following import FOLLOWERS
from tests.support import postgres
from tests.support.happenings import (
    AT,
    Story,
    closed,
    founded,
    hubspot_contact,
    issue,
    linked,
    pair,
    said,
    salesforce_contact,
    summary,
    waits,
    write,
)

OPPORTUNITY = "006000000000001AAA"
CONTACT = "003000000000001AAA"


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with postgres.database() as database:
        decisions = PostgresDecisions(database, inline=(audit.write_lines,))
        story = Story(decisions)
        a, b = pair("a"), pair("b")
        delivered, waiting, over = write(a), write(b), write(a, 2)
        # What goes over the lost value says so as well; the loss is one.
        change = over.write.fields[0].model_copy(update={"losing": "1100"})
        over = over.model_copy(
            update={"write": over.write.model_copy(update={"fields": (change,)})}
        )
        story.tell(
            founded(salesforce_contact(CONTACT)),
            founded(hubspot_contact("77")),
            linked("77", CONTACT),
            founded(ids.opportunity(OPPORTUNITY), a),
            founded(ids.deal("1"), a),
            summary(a, amount="1200.50", is_closed=True, is_won=True),
            delivered,
            closed(delivered),
            summary(b, opportunity_id=None, deal_id="2", state="waiting", amount="70"),
            waits(b, "contact:hubspot:78", "catalog"),
            waiting,
            issue(b, "DS403", "close_date", "CloseDate is missing"),
            events.NothingDecided(
                **said(b, rule=RuleId.TRIGGER_FIELDS), reason="only unmapped fields changed"
            ),
            events.SideNoted(
                **said(a, rule=RuleId.VALUE_TIME),
                side=Crm.HUBSPOT,
                record_id="1",
                read_begun_at=AT,
                note=events.SideNote(created_at=AT, modified_at=AT, scope_id=None),
                fields=(
                    events.FieldNote(
                        field="amount",
                        value="1100",
                        low=AT,
                        high=AT,
                        kind="changed",
                        by="bob",
                        before="1000",
                    ),
                ),
            ),
            events.FieldSettled(
                **said(a, rule=RuleId.WHO_WINS),
                field="amount",
                salesforce="1200.50",
                hubspot="1200.50",
                winner=Crm.SALESFORCE,
                how="concurrent",
                losing="1100",
                winner_by="ada",
                losing_by="bob",
                losing_at=AT,
            ),
            over,
        )
        with database.transaction() as connection:
            connection.execute(
                "INSERT INTO delivery (write_id, stream, crm, topic, event_id, priority, "
                "needs_target, state, attempts, record_id, sent_at, answered_at) "
                "VALUES (%s, %s, 'hubspot', 'write.UpdateDeal', 7, 1, true, 'done', 1, '1', "
                "'2026-11-24T09:00:08Z', '2026-11-24T09:00:09Z')",
                (delivered.write.id, a),
            )
            # The page asks for yesterday.
            connection.execute("UPDATE audit_line SET at = now() - interval '1 day'")
        followers = PostgresFollowers(database)
        for name in FOLLOWERS:
            followers.follow(name, limit=1_000)
        yield database
