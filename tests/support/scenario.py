"""Given facts, when a fact, then events: the domain alone, with no store and no clock.

A scenario holds the streams' states and the identities in dicts, and decides one fact after another
as the decide loop would. Builders make valid facts; a test mentions only the detail it is about.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from domain import deciding, events, facts, ids
from domain.adoption import Adopted
from domain.catalog import Catalog
from domain.context import Context
from domain.facts import Fact, Reading
from domain.ids import CATALOG_STREAM, POLICY_STREAM, Crm, FactId, Kind, Ref, StreamId
from domain.pair import Pair
from domain.policy import Policy
from domain.ports import Identity
from domain.writes import CreateDeal, UpdateOpportunity, Write
from projections import record_identity

#: the beginning of every scenario, by every clock
START = datetime(2026, 11, 24, 9, 0, 0, tzinfo=UTC)
NEW_BUSINESS = ids.salesforce_id("012000000000001")
RENEWAL = ids.salesforce_id("012000000000002")
ADA, BOB = ids.salesforce_id("005000000000001"), ids.salesforce_id("005000000000002")
INTEGRATION = ids.salesforce_id("005000000000009")
OPPORTUNITY = ids.salesforce_id("006000000000001")
DEAL = "9001"
STAGES = (("Prospecting", 10), ("Negotiation", 60), ("Closed Won", 100), ("Closed Lost", 0))
PIPELINES = {NEW_BUSINESS: "71", RENEWAL: "72"}

E = TypeVar("E", bound=events.Event)
W = TypeVar("W", bound=Write)


def at(seconds: float) -> datetime:
    """Return the instant so many seconds after the start."""
    return START + timedelta(seconds=seconds)


def stage_id(record_type_id: str, stage: str) -> str:
    """Return the HubSpot stage that stands for a Salesforce stage."""
    return f"{PIPELINES[record_type_id]}{[name for name, _ in STAGES].index(stage)}"


def salesforce_catalog(**changes: object) -> facts.SalesforceCatalogObserved:
    """Return an org with two record types, four stages, two users."""
    said = {
        "id": FactId("salesforce-catalog"),
        "at": START,
        "read_begun_at": START,
        "reason": "poll",
        "organization_id": "00D",
        "integration_user_id": INTEGRATION,
        "integration_user_name": "integration@example.com",
        "record_types": tuple(
            facts.RecordTypeSeen(
                id=record_type_id,
                name=name,
                is_active=True,
                is_available=True,
                created_at=at(-1000 + n),
                stage_names=tuple(stage for stage, _ in STAGES),
            )
            for n, (record_type_id, name) in enumerate(
                ((NEW_BUSINESS, "New Business"), (RENEWAL, "Renewal"))
            )
        ),
        "stages": tuple(
            facts.OpportunityStageSeen(
                name=name,
                label=name,
                is_active=True,
                is_closed=name.startswith("Closed"),
                is_won=name == "Closed Won",
                probability=probability,
                order=order,
            )
            for order, (name, probability) in enumerate(STAGES)
        ),
        "users": (
            facts.PersonSeen(id=ADA, email="ada@x.example", name="Ada Moss", is_active=True),
            facts.PersonSeen(id=BOB, email="bob@x.example", name="Bob Reed", is_active=True),
        ),
        "fields": (
            facts.FieldSeen(
                object="opportunity", name="DealSync_Deal_Id__c", type="string", is_writable=True
            ),
        ),
        "permissions": ("ModifyAllData", "ApiEnabled"),
    }
    return facts.SalesforceCatalogObserved.model_validate({**said, **changes})


def hubspot_catalog(**changes: object) -> facts.HubSpotCatalogObserved:
    """Return a portal with the pipelines of both record types, and one that is not synced."""
    from domain.rules.pipelines import OWN_PROPERTIES  # noqa: PLC0415  # only builders need it

    said = {
        "id": FactId("hubspot-catalog"),
        "at": START,
        "read_begun_at": START,
        "reason": "poll",
        "portal_id": "1",
        "time_zone": "Europe/Berlin",
        "pipelines": (
            *(
                facts.PipelineSeen(
                    id=PIPELINES[record_type_id],
                    label=f"Salesforce - {record_type_id}",
                    stages=tuple(
                        facts.StageSeen(
                            id=stage_id(record_type_id, name),
                            label=name,
                            order=order,
                            is_closed=name.startswith("Closed"),
                            probability="0.5",
                        )
                        for order, (name, _) in enumerate(STAGES)
                    ),
                )
                for record_type_id in (NEW_BUSINESS, RENEWAL)
            ),
            facts.PipelineSeen(id="default", label="Sales Pipeline", stages=()),
        ),
        "owners": (
            facts.PersonSeen(id="501", email="Ada@x.example", name="Ada Moss", is_active=True),
            facts.PersonSeen(id="503", email="eve@x.example", name="Eve Hart", is_active=True),
        ),
        "properties": tuple(
            facts.FieldSeen(object=of, name=name, type=type_, is_writable=True)
            for of, name, _, type_, _ in OWN_PROPERTIES
        ),
        "lifecycle_stages": (
            "subscriber",
            "lead",
            "marketingqualifiedlead",
            "salesqualifiedlead",
            "opportunity",
            "customer",
            "evangelist",
        ),
        "scopes": (),
    }
    return facts.HubSpotCatalogObserved.model_validate({**said, **changes})


@dataclass
class Scenario:
    """The domain with its states in dicts."""

    policy: Policy = field(default_factory=Policy)
    now: datetime = START
    states: dict[StreamId, deciding.Aggregate] = field(default_factory=dict)
    identities: dict[Ref, Identity | None] = field(default_factory=dict)
    history: list[events.Event] = field(default_factory=list)
    last: tuple[events.Event, ...] = ()
    _count: int = 0

    def adopted(self, policy: Policy | None = None) -> "Scenario":
        """Adopt the policy and see both CRMs' catalogs: pipelines and stages are linked."""
        self.policy = policy if policy is not None else self.policy
        self.propose(self.policy)
        return self.given(salesforce_catalog(), hubspot_catalog())

    def propose(self, policy: Policy) -> "Scenario":
        """Adopt a policy in place of the present one."""
        present = self.states.get(POLICY_STREAM)
        version = present.policy_version if isinstance(present, Adopted) else 0
        self.policy = policy
        proposal = facts.PolicyProposed(
            id=self.fact_id(), at=self.now, policy=policy, text="", replaces=version
        )
        return self.given(proposal)

    def given(self, *happened: Fact) -> "Scenario":
        """Let facts happen that are not what the test is about."""
        for fact in happened:
            self.decide(fact)
        return self

    def when(self, fact: Fact) -> "Scenario":
        """Let the fact happen that the test is about."""
        self.decide(fact)
        return self

    def decide(self, fact: Fact) -> tuple[events.Event, ...]:
        """Route and decide one fact, and fold what came of it."""
        identities = self.identities
        stream = deciding.stream_for(fact, identities)
        aggregate = self.states.get(stream)
        others: dict[StreamId, object] = {}
        for _ in range(3):
            needs = deciding.needs(aggregate, fact, identities)
            others = {s: self.states[s] for s in needs.streams if s in self.states}
        self.last = deciding.decide(stream, aggregate, fact, self._context(others))
        record_identity.fold_strictly(self.identities, self.last)
        for event in self.last:
            self.history.append(event)
            self.states[event.stream] = deciding.evolve(self.states.get(event.stream), event)
        return self.last

    def fact_id(self) -> FactId:
        """Return a new fact id."""
        self._count += 1
        return FactId(f"fact-{self._count}")

    # -- what a test asks

    def told(self, kind: type[E]) -> tuple[E, ...]:
        """Return the last fact's events of a class."""
        return tuple(event for event in self.last if isinstance(event, kind))

    def asked(self, kind: type[W]) -> tuple[W, ...]:
        """Return the last fact's writes of a class."""
        writes = [event.write for event in self.told(events.WriteDecided)]
        return tuple(write for write in writes if isinstance(write, kind))

    def all_asked(self, kind: type[W]) -> tuple[W, ...]:
        """Return the whole history's writes of a class."""
        return tuple(
            event.write
            for event in self.history
            if isinstance(event, events.WriteDecided) and isinstance(event.write, kind)
        )

    def writes(self) -> tuple[Write, ...]:
        """Return every write of the last fact."""
        return tuple(event.write for event in self.told(events.WriteDecided))

    def why_not(self) -> tuple[str, str]:
        """Return rule and reason of the last fact's `NothingDecided`."""
        (nothing,) = self.told(events.NothingDecided)
        return nothing.rule, nothing.reason

    def pair(self, ref: Ref | None = None) -> Pair:
        """Return the pair of a record; without one, of the usual opportunity, else deal."""
        for wanted in (ref,) if ref else (ids.opportunity(OPPORTUNITY), ids.deal(DEAL)):
            identity = self.identities.get(wanted)
            if identity is not None:
                state = self.states[identity.stream]
                assert isinstance(state, Pair)
                return state
        message = "no such pair"
        raise AssertionError(message)

    @property
    def catalog(self) -> Catalog:
        """Return the catalog's state."""
        state = self.states.get(CATALOG_STREAM)
        return state if isinstance(state, Catalog) else Catalog()

    def issues(self, ref: Ref | None = None) -> set[str]:
        """Return the codes of the pair's open issues."""
        return {code for code, _ in self.pair(ref).issues}

    # -- facts

    def opportunity(self, seconds: float = 0, **changes: object) -> facts.OpportunityObserved:
        """Return a reading of the usual opportunity, so many seconds after the start."""
        name = changes.pop("name", "Acme Renewal")
        amount = changes.pop("amount", "1200")
        close_date = changes.pop("close_date", "2026-12-31")
        type_ = changes.pop("type", "New Business")
        description = changes.pop("description", None)
        more = changes.pop("more", {})
        stage_name = changes.get("stage_name", "Prospecting")
        owner_id = changes.get("owner_id", ADA)
        values = {
            "Name": name,
            "StageName": stage_name,
            "CloseDate": close_date,
            "Amount": amount,
            "OwnerId": owner_id,
            "Type": type_,
            "Description": description,
            **(more if isinstance(more, dict) else {}),
        }
        said = {
            "id": self.fact_id(),
            "at": at(seconds),
            "by": "dana",
            "read_begun_at": at(seconds),
            "reason": "poll",
            "opportunity_id": OPPORTUNITY,
            "created_at": at(-500),
            "modified_at": at(seconds),
            "modified_by_us": False,
            "record_type_id": NEW_BUSINESS,
            "stage_name": stage_name,
            "is_closed": str(stage_name).startswith("Closed"),
            "is_won": stage_name == "Closed Won",
            "owner_id": owner_id,
            "account_id": None,
            "currency_code": None,
            "linked_deal_id": self._link_as_written(changes.get("opportunity_id", OPPORTUNITY)),
            "readings": tuple(
                Reading.model_validate({"name": n, "value": v}) for n, v in values.items()
            ),
        }
        return facts.OpportunityObserved.model_validate({**said, **changes})

    def deal(
        self, seconds: float = 0, *, set_at: Mapping[str, float] | None = None, **changes: object
    ) -> facts.DealObserved:
        """Return a reading of the usual deal.

        Args:
            seconds: when it was read.
            set_at: by property, when its value was set; else long before the start.
            changes: properties by our names (`name`, `amount`, …), or fields of the fact;
                `ours` names the properties that our own integration set last.
        """
        times = dict(set_at or {})
        automatic = set(changes.pop("automatic", ()) or ())  # type: ignore[call-overload]  # names
        ours = set(changes.pop("ours", ()) or ())  # type: ignore[call-overload]  # names
        stage = changes.pop("stage", "Prospecting")
        record_type_id = changes.pop("record_type", NEW_BUSINESS)
        pipeline_id = changes.pop("pipeline_id", PIPELINES.get(str(record_type_id)))
        default_stage = (
            stage_id(str(record_type_id), str(stage)) if pipeline_id in PIPELINES.values() else "0"
        )
        stage_value = changes.pop("stage_id", default_stage)
        close_date = changes.pop("close_date", "2026-12-31")
        values = {
            "dealname": changes.pop("name", "Acme Renewal"),
            "dealstage": stage_value,
            "closedate": f"{close_date}T11:00:00.000Z" if close_date else None,
            "amount": changes.pop("amount", "1200"),
            "hubspot_owner_id": changes.get("owner_id", "501"),
            "dealtype": changes.pop("type", "newbusiness"),
            "description": changes.pop("description", None),
            **(changes.pop("more", {}) or {}),  # type: ignore[dict-item]  # names and values
        }
        said = {
            "id": self.fact_id(),
            "at": at(seconds),
            "by": "dana",
            "read_begun_at": at(seconds),
            "reason": "poll",
            "deal_id": DEAL,
            "created_at": at(-400),
            "modified_at": at(seconds),
            "pipeline_id": pipeline_id,
            "stage_id": stage_value,
            "stage_at": at(times.get("dealstage", -400)),
            "stage_by": "dana",
            "stage_ours": "dealstage" in ours,
            "pipeline_at": at(times.get("pipeline", -400)),
            "pipeline_ours": "pipeline" in ours,
            "owner_id": values["hubspot_owner_id"],
            "currency_code": None,
            "link": None,
            "vendor_opportunity_id": None,
            "vendor_synced_at": None,
            "created_by_us": False,
            "readings": tuple(
                Reading.model_validate(
                    {
                        "name": n,
                        "value": v,
                        "at": at(times.get(n, -400)),
                        "by": "dealsync" if n in ours else "dana",
                        "ours": n in ours,
                        "automatic": n in automatic,
                    }
                )
                for n, v in values.items()
            ),
        }
        return facts.DealObserved.model_validate({**said, **changes})

    def roles(self, seconds: float, *contact_ids: str, **changes: object) -> facts.RolesObserved:
        """Return a reading of the usual opportunity's roles: one row a contact."""
        said = {
            "id": self.fact_id(),
            "at": at(seconds),
            "read_begun_at": at(seconds),
            "reason": "poll",
            "opportunity_id": OPPORTUNITY,
            "roles": tuple(
                facts.ContactRole(id=f"00K{n}", contact_id=contact_id)
                for n, contact_id in enumerate(contact_ids)
            ),
        }
        return facts.RolesObserved.model_validate({**said, **changes})

    def associations(
        self, seconds: float, *contact_ids: str, company: str | None = None, **changes: object
    ) -> facts.AssociationsObserved:
        """Return a reading of the usual deal's contacts and company."""
        said = {
            "id": self.fact_id(),
            "at": at(seconds),
            "read_begun_at": at(seconds),
            "reason": "poll",
            "deal_id": DEAL,
            "contacts": tuple(facts.ContactAssociation(contact_id=i) for i in contact_ids),
            "company_id": company,
        }
        return facts.AssociationsObserved.model_validate({**said, **changes})

    def deleted(self, seconds: float, ref: Ref, **changes: object) -> facts.RecordDeleted:
        """Return a deletion of a record."""
        said = {
            "id": self.fact_id(),
            "at": at(seconds),
            "read_begun_at": at(seconds),
            "reason": "poll",
            "crm": ref.crm,
            "kind": ref.kind,
            "record_id": ref.id,
        }
        return facts.RecordDeleted.model_validate({**said, **changes})

    def merged(
        self,
        seconds: float,
        ref: Ref,
        winner_id: str,
        primary_id: str | None = None,
        **changes: object,
    ) -> facts.RecordMerged:
        """Return a merge of a record into another."""
        said = {
            "id": self.fact_id(),
            "at": at(seconds),
            "read_begun_at": at(seconds),
            "reason": "refresh",
            "crm": ref.crm,
            "kind": ref.kind,
            "record_id": ref.id,
            "winner_id": winner_id,
            "primary_id": primary_id,
        }
        return facts.RecordMerged.model_validate({**said, **changes})

    def done(self, write: Write, seconds: float, record_id: str | None = None) -> facts.WriteDone:
        """Return the outcome of a write that a CRM took."""
        return facts.WriteDone(
            id=self.fact_id(),
            at=at(seconds),
            stream=write.stream,
            write_id=write.id,
            record_id=record_id,
            sent_at=at(seconds),
            answered_at=at(seconds),
        )

    def rejected(
        self, write: Write, seconds: float, *fields: str, code: str = "REFUSED", gone: bool = False
    ) -> facts.WriteRejected:
        """Return the outcome of a write that a CRM refused."""
        return facts.WriteRejected(
            id=self.fact_id(),
            at=at(seconds),
            stream=write.stream,
            write_id=write.id,
            code=code,
            message="no",
            fields=fields,
            gone=gone,
        )

    def cancelled(
        self, write: Write, seconds: float, reason: str, rule: str
    ) -> facts.WriteCancelled:
        """Return the outcome of a write that was given up before it was sent."""
        return facts.WriteCancelled(
            id=self.fact_id(),
            at=at(seconds),
            stream=write.stream,
            write_id=write.id,
            reason=reason,
            rule=rule,
        )

    def asks(self, seconds: float, action: str, **changes: object) -> facts.PairRequested:
        """Return an operator's request about the usual pair."""
        said = {
            "id": self.fact_id(),
            "at": at(seconds),
            "by": "operator",
            "stream": self.pair().stream,
            "action": action,
        }
        return facts.PairRequested.model_validate({**said, **changes})

    # -- shortcuts

    def linked_contacts(self, *both: tuple[str, str]) -> "Scenario":
        """Let contacts of both CRMs be known and linked: (Salesforce id, HubSpot id)."""
        for salesforce_id, hubspot_id in both:
            for crm, here, there in (
                (Crm.SALESFORCE, salesforce_id, hubspot_id),
                (Crm.HUBSPOT, hubspot_id, salesforce_id),
            ):
                ref = Ref(crm, Kind.CONTACT, here)
                self.identities[ref] = Identity(
                    ref, ids.stream_of(ref), alive=True, linked_to=there
                )
        return self

    def linked_account(self, account_id: str, company_id: str) -> "Scenario":
        """Let an account and its company be known and linked."""
        for crm, kind, here, there in (
            (Crm.SALESFORCE, Kind.ACCOUNT, account_id, company_id),
            (Crm.HUBSPOT, Kind.COMPANY, company_id, account_id),
        ):
            ref = Ref(crm, kind, here)
            self.identities[ref] = Identity(ref, ids.stream_of(ref), alive=True, linked_to=there)
        return self

    def live(self, **changes: object) -> "Scenario":
        """Adopt the policy and let the usual pair be live: created, answered, seen in HubSpot.

        The opportunity is read in the baseline at 0, edited at 10 (`changes` are its values then);
        its deal is created at 20 and read at 30.
        """
        if POLICY_STREAM not in self.states:
            self.adopted()
        self.given(self.opportunity(0, name="Acme", reason="baseline"))
        self.when(self.opportunity(10, **changes))
        (create,) = self.asked(CreateDeal)
        self.given(self.done(create, 20, DEAL))
        (link,) = self.asked(UpdateOpportunity)
        self.given(self.done(link, 21, OPPORTUNITY))
        ours = ("dealname", "dealstage", "closedate", "amount", "hubspot_owner_id", "dealtype")
        names = {"name", "amount", "close_date", "type", "description"}
        shown = {k: v for k, v in changes.items() if k in names}
        stage = changes.get("stage_name", "Prospecting")
        times = dict.fromkeys(ours, 20.0)
        if shown.get("type") is not None:
            shown["type"] = "newbusiness"
        seen = self.deal(30, set_at=times, ours=ours, stage=stage, link=OPPORTUNITY, **shown)
        return self.given(seen, self.associations(30), self.roles(30))

    def _link_as_written(self, opportunity_id: object) -> str | None:
        """Return what our link field of an opportunity holds, as far as the pair knows."""
        identity = self.identities.get(ids.opportunity(str(opportunity_id)))
        state = self.states.get(identity.stream) if identity is not None else None
        note = state.salesforce.note if isinstance(state, Pair) else None
        return note.link if note is not None else None

    def _context(self, others: Mapping[StreamId, object]) -> Context:
        adopted = self.states.get(POLICY_STREAM)
        version = adopted.policy_version if isinstance(adopted, Adopted) else 0
        policy = adopted.policy if isinstance(adopted, Adopted) else Policy()
        return Context(
            policy=policy,
            policy_version=version,
            catalog=self.catalog,
            identities=self.identities,
            at=self.now,
            others=others,
        )
