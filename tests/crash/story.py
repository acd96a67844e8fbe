"""What the person does while the engine is killed: creates, edits, moves, roles and deletions.

A field of a record is edited on the side of its last edit, or on the other side once that shows
the last value: so its author saw it, and the last edit has to win (rule `who-wins`). Values are
never used twice, or seeing one would prove nothing; the few values of `Type` and `StageName` have
to be, so these stay on one side. Only `Description` is edited on either side at any time; what the
rule makes of that is for `verifier` to judge.
"""

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from tests.crash.person import Person

#: open stages that every record type has
STAGES: Final = ("Qualification", "Proposal/Price Quote", "Negotiation/Review")
TYPES: Final = {"New Business": "newbusiness", "Existing Business": "existingbusiness"}
#: Salesforce's name → HubSpot's
FIELDS: Final = {
    "Name": "dealname",
    "Amount": "amount",
    "CloseDate": "closedate",
    "Type": "dealtype",
    "StageName": "dealstage",
    "Description": "description",
}
#: their values come again and again
FEW_VALUES: Final = ("Type", "StageName")
#: edited on either side at any time
CONCURRENT: Final = "Description"
FIRST_DAY: Final = date(2027, 1, 1)
CONTACTS: Final = 6
PAIRS_MAX: Final = 40
PAUSE_SECONDS_MAX: Final = 0.12
#: a deletion so soon after a move back cannot be told from one before it: the clocks may differ
MOVE_SECONDS: Final = 4.0
OUT: Final = {"pipeline": "default", "dealstage": "appointmentscheduled"}


@dataclass
class Edit:
    """A value that the person gave a field, in Salesforce's words."""

    side: str
    value: str


@dataclass
class Record:
    """One opportunity and its deal, as the person knows them."""

    began_in: str
    opportunity_id: str | None = None
    deal_id: str | None = None
    #: by field, oldest first
    edits: dict[str, list[Edit]] = field(default_factory=dict)
    #: what the person moved out of the synced pipelines, and from where
    moved_from: dict[str, str] | None = None
    #: when it was moved back, on this process's clock
    moved_back_at: float | None = None
    #: on which side it was deleted
    deleted_in: str | None = None
    #: Salesforce ids
    contacts: set[str] = field(default_factory=set)


class Story:
    """Goes on until it is stopped.

    Args:
        person: acts.
        dice: what comes next.
        records_max: how many opportunities and deals it creates.
    """

    def __init__(
        self, person: Person, dice: random.Random, *, records_max: int = PAIRS_MAX
    ) -> None:
        self.person = person
        self._records_max = records_max
        self.records: list[Record] = []
        self.done: Counter[str] = Counter()
        self.failure: BaseException | None = None
        self._dice = dice
        self._numbers = iter(range(1, 1_000_000))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="story")
        self._stages = person.stages()
        #: Salesforce id → HubSpot id
        self.contacts = dict(self._someone(f"Someone{n}") for n in range(CONTACTS))

    def _someone(self, name: str) -> tuple[str, str]:
        """Create a contact in both CRMs; return both ids."""
        email = f"{name.lower()}@example.com"
        return (
            self.person.create("Contact", LastName=name, Email=email),
            self.person.create_contact(lastname=name, email=email),
        )

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Come to an end; raises what went wrong."""
        self._stop.set()
        self._thread.join()
        if self.failure is not None:
            raise self.failure

    def stage_label(self, pipeline: str, stage: str) -> str:
        """Return the label of a stage of a synced pipeline."""
        return {id_: label for label, id_ in self._stages[pipeline].items()}[stage]

    def _go_on(self) -> None:
        try:
            while not self._stop.wait(self._dice.uniform(0, PAUSE_SECONDS_MAX)):
                self._act()
            for record in self.records:
                self._move_back(record)
        except BaseException as error:  # noqa: BLE001 - raised again by `stop`
            self.failure = error

    def _act(self) -> None:
        living = [r for r in self.records if r.deleted_in is None]
        if len(living) < 3:
            self._create_opportunity()
            return
        record = self._dice.choice(living)
        self._look(record)
        draw = self._dice.random()
        if draw < 0.12:
            if len(self.records) < self._records_max:
                self._dice.choice((self._create_opportunity, self._create_deal))()
        elif draw < 0.15:
            self._delete(record)
        elif draw < 0.25:
            self._add_contact(record)
        elif draw < 0.35:
            if record.moved_from is None:
                self._move_out(record)
            else:
                self._move_back(record)
        elif draw < 0.50:
            self._edit_anywhere(record)
        else:
            self._edit_having_seen(record)

    # -- creating, deleting

    def _create_opportunity(self) -> None:
        values = self._first_values()
        fields: dict[str, str | float] = {**values, "Amount": float(values["Amount"])}
        opportunity_id = self.person.create("Opportunity", **fields)
        self._created("Salesforce", values, opportunity_id=opportunity_id)

    def _create_deal(self) -> None:
        values = self._first_values()
        pipeline = self._dice.choice(sorted(self._stages))
        deal_id = self.person.create_deal(
            pipeline=pipeline,
            **{
                FIELDS[name]: self._in_hubspot(name, value, pipeline)
                for name, value in values.items()
            },
        )
        self._created("HubSpot", values, deal_id=deal_id)

    def _first_values(self) -> dict[str, str]:
        return {name: self._new_value(name, None) for name in FIELDS if name != CONCURRENT}

    def _created(
        self,
        side: str,
        values: dict[str, str],
        *,
        opportunity_id: str | None = None,
        deal_id: str | None = None,
    ) -> None:
        edits = {name: [Edit(side, value)] for name, value in values.items()}
        self.records.append(Record(side, opportunity_id, deal_id, edits))
        self.done["created"] += 1

    def _delete(self, record: Record) -> None:
        if self.done["deleted"] >= len(self.records) // 4 or record.moved_from is not None:
            return
        moved_back_at = record.moved_back_at
        if moved_back_at is not None and time.monotonic() < moved_back_at + MOVE_SECONDS:
            return
        sides = self._known_sides(record)
        side = self._dice.choice(sides)
        if side == "Salesforce":
            assert record.opportunity_id is not None
            self.person.delete_opportunity(record.opportunity_id)
        else:
            assert record.deal_id is not None
            self.person.archive_deal(record.deal_id)
        record.deleted_in = side
        self.done["deleted"] += 1

    # -- editing

    def _edit_having_seen(self, record: Record) -> None:
        name = self._dice.choice([n for n in FIELDS if n != CONCURRENT])
        last = record.edits[name][-1]
        side = last.side
        other = "HubSpot" if side == "Salesforce" else "Salesforce"
        if (
            self._dice.random() < 0.6
            and name not in FEW_VALUES
            and record.moved_from is None
            and other in self._known_sides(record)
            and self._shown(record, other, name) == last.value
        ):
            side = other
        if record.moved_from is not None and (side == "HubSpot" or name == "StageName"):
            return
        self._edit(record, side, name)

    def _edit_anywhere(self, record: Record) -> None:
        if record.moved_from is None:
            self._edit(record, self._dice.choice(self._known_sides(record)), CONCURRENT)

    def _edit(self, record: Record, side: str, name: str) -> None:
        edits = record.edits.setdefault(name, [])
        value = self._new_value(name, edits[-1].value if edits else None)
        if side == "Salesforce":
            assert record.opportunity_id is not None
            given: str | float = float(value) if name == "Amount" else value
            self.person.edit_opportunity(record.opportunity_id, **{name: given})
        else:
            assert record.deal_id is not None
            pipeline = self._pipeline(record)
            self.person.edit_deal(
                record.deal_id, **{FIELDS[name]: self._in_hubspot(name, value, pipeline)}
            )
        edits.append(Edit(side, value))
        self.done["edited"] += 1

    def _new_value(self, name: str, last: str | None) -> str:
        number = next(self._numbers)
        match name:
            case "Amount":
                return f"{number}.5"
            case "CloseDate":
                return (FIRST_DAY + timedelta(days=number)).isoformat()
            case "StageName":
                return self._dice.choice([stage for stage in STAGES if stage != last])
            case "Type":
                return self._dice.choice([each for each in TYPES if each != last])
            case _:
                return f"{name} {number}"

    def _in_hubspot(self, name: str, value: str, pipeline: str) -> str:
        match name:
            case "CloseDate":
                return f"{value}T12:00:00Z"
            case "StageName":
                return self._stages[pipeline][value]
            case "Type":
                return TYPES[value]
            case _:
                return value

    # -- moving, roles

    def _move_out(self, record: Record) -> None:
        if record.deal_id is None or record.opportunity_id is None:
            return
        deal = self.person.living(record.deal_id)
        if self.shown_in_hubspot(deal, "StageName") != record.edits["StageName"][-1].value:
            return  # moving it back to that stage would be a later edit
        record.moved_from = {"pipeline": deal["pipeline"], "dealstage": deal["dealstage"]}
        self.person.edit_deal(record.deal_id, **OUT)
        self.done["moved"] += 1

    def _move_back(self, record: Record) -> None:
        if record.moved_from is None or record.deleted_in is not None:
            return
        assert record.deal_id is not None
        self.person.edit_deal(record.deal_id, **record.moved_from)
        record.moved_from = None
        record.moved_back_at = time.monotonic()
        self.done["moved"] += 1

    def _add_contact(self, record: Record) -> None:
        free = sorted(self.contacts.keys() - record.contacts)
        if not free or record.moved_from is not None:
            return
        contact_id = self._dice.choice(free)
        if self._dice.choice(self._known_sides(record)) == "Salesforce":
            assert record.opportunity_id is not None
            self.person.add_role(record.opportunity_id, contact_id)
        else:
            assert record.deal_id is not None
            self.person.associate(record.deal_id, "contacts", self.contacts[contact_id])
        record.contacts.add(contact_id)
        self.done["roles"] += 1

    # -- seeing

    def _look(self, record: Record) -> None:
        """See whether the counterpart is there by now."""
        if record.deal_id is None:
            assert record.opportunity_id is not None
            deal = self.person.deal_of(record.opportunity_id)
            record.deal_id = None if deal is None else str(deal["id"])
        elif record.opportunity_id is None:
            record.opportunity_id = self.person.opportunity_of(record.deal_id)

    def _known_sides(self, record: Record) -> list[str]:
        ids = {"Salesforce": record.opportunity_id, "HubSpot": record.deal_id}
        return [side for side, id_ in ids.items() if id_ is not None]

    def _shown(self, record: Record, side: str, name: str) -> str | None:
        if side == "Salesforce":
            assert record.opportunity_id is not None
            return shown_in_salesforce(self.person.opportunity(record.opportunity_id), name)
        assert record.deal_id is not None
        deal = self.person.living(record.deal_id)
        return self.shown_in_hubspot(deal, name)

    def shown_in_hubspot(self, deal: dict[str, str | None], name: str) -> str | None:
        """Return a deal's value in Salesforce's words."""
        value = deal.get(FIELDS[name]) or None
        if value is None:
            return None
        match name:
            case "Amount":
                return str(Decimal(value).normalize())
            case "CloseDate":
                return value[:10]
            case "StageName":
                return self.stage_label(str(deal["pipeline"]), value)
            case "Type":
                return {hubspot: salesforce for salesforce, hubspot in TYPES.items()}[value]
            case _:
                return value

    def _pipeline(self, record: Record) -> str:
        assert record.deal_id is not None
        deal = self.person.living(record.deal_id)
        return str(deal["pipeline"])


def shown_in_salesforce(opportunity: dict[str, object], name: str) -> str | None:
    """Return an opportunity's value as text."""
    value = opportunity.get(name)
    if value is None:
        return None
    return str(Decimal(str(value)).normalize()) if name == "Amount" else str(value)
