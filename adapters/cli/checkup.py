"""What `doctor` looks for, given what was read: pure. Each finding has its fix."""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from adapters.bootstrap.present import Moment
from domain import issues, policy_difference
from domain.catalog import Catalog
from domain.events import PolicyAdopted
from domain.facts import HubSpotCatalogObserved, SalesforceCatalogObserved
from domain.ids import Crm
from domain.policy import Policy
from domain.policy_difference import Weight
from domain.rules import prerequisites
from domain.rules.pipelines import LINK_FIELD, OWN_PROPERTIES
from projections.publishing import PublicationState

#: what our private app needs
SCOPES: Final = (
    *(
        f"crm.{family}.{name}.{access}"
        for family in ("objects", "schemas")
        for name in ("contacts", "companies", "deals")
        for access in ("read", "write")
    ),
    "crm.objects.owners.read",
)
SUBSCRIPTIONS: Final = (
    "creation, deletion, restore, merge, property and association changes of deals, contacts and"
    " companies"
)
#: of our share of a day's calls, from which on it is worth a warning
BUDGET_WARNING: Final = 0.8
#: a publisher that keeps up is a second behind; one that is taken over from, some seconds more
UNPUBLISHED_SECONDS_MAX: Final = 60.0


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's report."""

    #: engine, policy, salesforce, hubspot
    area: str
    status: Status
    text: str
    #: what to do; blank: nothing
    fix: str = ""


def of_policy(moment: Moment) -> Iterator[Check]:
    """Check that a policy is in force, and the order of its switches."""
    adopted = moment.adopted
    if adopted.policy_version == 0:
        yield Check("policy", Status.PROBLEM, "none was ever adopted", "`dealsync policy adopt`")
        return
    switches = adopted.policy.switches
    off = [
        name
        for name, is_on in (
            ("deal_sync", switches.deal_sync),
            ("company_sync", switches.company_sync),
        )
        if not is_on
    ]
    note = f"; {' and '.join(off)} off" if off else ""
    yield Check("policy", Status.OK, f"version {adopted.policy_version} is in force{note}")
    versions = [s.event.policy for s in moment.policy_events if isinstance(s.event, PolicyAdopted)]
    late = _late(versions)
    if switches.company_sync and not moment.catalog.accounts_imported:
        text = late or "company sync is on and no accounts were imported: deals get no company"
        yield Check("policy", Status.WARNING, text, "`dealsync import accounts --all`")


def of_salesforce(
    seen: SalesforceCatalogObserved, policy: Policy, catalog: Catalog
) -> Iterator[Check]:
    """Check what the org lets the integration user do.

    Args:
        seen: read just now.
        policy: the one in force.
        catalog: that reading and HubSpot's, as a catalog.
    """
    area = Crm.SALESFORCE.value
    who = seen.integration_user_name
    yield Check(area, Status.OK, f"signed in as {who} (org {seen.organization_id})")
    missing = prerequisites.missing_permission(catalog)
    if missing is not None:
        yield Check(area, Status.PROBLEM, missing, f"{issues.PERMISSION_MISSING.fix} to {who}")
    else:
        named = [name for name in prerequisites.PERMISSIONS if name in seen.permissions]
        yield Check(area, Status.OK, f"permission: {', '.join(named)}")
    if "ApiEnabled" not in seen.permissions:
        yield Check(area, Status.PROBLEM, f"{who} has no API access", "grant API Enabled")
    yield from _own_field(catalog, who)
    yield from _mapped(area, policy, catalog)
    for record_type in seen.record_types:
        if record_type.is_active and not record_type.is_available:
            yield Check(
                area,
                Status.PROBLEM,
                f"record type {record_type.name} ({record_type.id}) is not assigned to {who}",
                "Setup → the user's profile or permission set → Record Types → assign it",
            )


def of_hubspot(seen: HubSpotCatalogObserved, policy: Policy, catalog: Catalog) -> Iterator[Check]:
    """Check what the portal lets our app do."""
    area = Crm.HUBSPOT.value
    yield Check(area, Status.OK, f"signed in to account {seen.portal_id}")
    lacking = [scope for scope in SCOPES if scope not in seen.scopes]
    if not seen.scopes:
        yield Check(area, Status.WARNING, "HubSpot does not say which scopes the app has")
    elif lacking:
        yield Check(
            area,
            Status.PROBLEM,
            f"the app lacks {', '.join(lacking)}",
            "Settings → Integrations → Private Apps → Scopes: add them, and renew the token",
        )
    else:
        yield Check(area, Status.OK, "scopes are complete")
    present = {(f.object, f.name) for f in seen.properties}
    absent = [f"{of} {name}" for of, name, *_ in OWN_PROPERTIES if (of, name) not in present]
    if absent:
        text = f"own properties are missing: {', '.join(absent)}"
        yield Check(area, Status.PROBLEM, text, "`dealsync setup`")
    else:
        yield Check(area, Status.OK, "own properties are there")
    yield from _mapped(area, policy, catalog)


def of_pipelines(moment: Moment, unready: Sequence[str]) -> Iterator[Check]:
    """Check that every record type within the limit has its pipeline."""
    area = Crm.HUBSPOT.value
    limit = moment.adopted.policy.pipelines.limit
    text = f"{len(moment.catalog.pipelines)} of {limit} deal pipelines are synced"
    yield Check(area, Status.OK, text)
    if unready:
        yield Check(
            area,
            Status.PROBLEM,
            f"no complete pipeline yet: record types {', '.join(unready)}",
            "`dealsync setup`; `dealsync issues list` says what HubSpot refused",
        )
    for (code, subject), told in sorted(moment.catalog.issues.items()):
        yield Check(area, Status.PROBLEM, f"{code} {subject}: {told}", issues.PROBLEMS[code].fix)


def of_webhooks(url: str | None, *, has_secret: bool) -> Check:
    """Check that webhooks are taken in."""
    area = Crm.HUBSPOT.value
    if url is not None:
        return Check(area, Status.OK, f"webhooks are taken in at {url}: subscribe {SUBSCRIPTIONS}")
    if has_secret:
        return Check(area, Status.WARNING, "no engine takes webhooks in now", "`dealsync run`")
    text = "webhooks are not taken in: changes arrive by polling"
    fix = "set DEALSYNC_HUBSPOT_CLIENT_SECRET_FILE and DEALSYNC_WEBHOOK_URL"
    return Check(area, Status.WARNING, text, fix)


def of_budget(crm: Crm, calls: int, allowed: int) -> Check:
    """Check how much of our share of a day's calls is used."""
    text = f"{calls} of our {allowed} calls are used today"
    if calls >= allowed:
        fix = "it goes on tomorrow; raise the share under [budgets], or the account's limit"
        return Check(crm.value, Status.PROBLEM, text, fix)
    status = Status.WARNING if calls >= allowed * BUDGET_WARNING else Status.OK
    return Check(crm.value, status, text)


def of_engine(
    missing: Sequence[str], troubles: Mapping[str, object], *, held_deletes: int | None, parked: int
) -> Iterator[Check]:
    """Check that the loops run and nothing waits for a person."""
    area = "engine"
    if missing:
        text = f"nobody runs {', '.join(missing)}"
        yield Check(area, Status.WARNING, text, "`dealsync run`, or `dealsync up` for sandboxes")
    else:
        yield Check(area, Status.OK, "all four loops run")
    for what, told in troubles.items():
        yield Check(
            area, Status.PROBLEM, f"{what}: {_message(told)}", "it goes on by itself once mended"
        )
    if held_deletes is not None:
        yield Check(
            area,
            Status.PROBLEM,
            f"the delete fuse is blown: {held_deletes} deletes are held"
            f" ({issues.DELETES_HELD.code})",
            "`dealsync writes release`, or `dealsync writes cancel --held`",
        )
    if parked:
        text = f"{parked} facts are parked"
        yield Check(area, Status.PROBLEM, text, "`dealsync parked list`")


def of_publication(state: PublicationState, at: datetime) -> Check:
    """Check that what is decided is published soon: what is not would be lost with the database."""
    area = "engine"
    if state.oldest_at is None:
        return Check(area, Status.OK, "everything decided is published")
    seconds = (at - state.oldest_at).total_seconds()
    text = f"{state.lag} events are not published, the oldest for {seconds:.0f} s"
    if seconds < UNPUBLISHED_SECONDS_MAX:
        return Check(area, Status.OK, text)
    fix = "`dealsync run --only publish`; `dealsync topics check` says whether Kafka answers"
    return Check(area, Status.PROBLEM, text, fix)


def _message(told: object) -> object:
    """Return what a source wrote down for people, where it is more than text."""
    try:
        said = json.loads(told) if isinstance(told, str) else None
    except ValueError:
        return told
    return said.get("message", told) if isinstance(said, dict) else told


def of_other_connector(count: int) -> Check:
    """Check that no other engine syncs the same deals."""
    if count:
        text = f"another connector syncs {count} deals: creates for them are held"
        return Check("hubspot", Status.PROBLEM, text, issues.OTHER_CONNECTOR.fix)
    return Check("hubspot", Status.OK, "no other connector is active on our deals")


def _late(versions: Sequence[Policy]) -> str | None:
    """Return the latest warning about the order of the two switches, or None."""
    pairs = itertools.pairwise(versions)
    told = [prerequisites.company_sync_is_late(before, after) for before, after in pairs]
    return next((text for text in reversed(told) if text is not None), None)


def _own_field(catalog: Catalog, who: str) -> Iterator[Check]:
    own = catalog.salesforce_field(LINK_FIELD)
    if own is None:
        yield Check(
            "salesforce",
            Status.PROBLEM,
            f"{LINK_FIELD} is missing on Opportunity, or {who} cannot see it",
            "`dealsync setup`; by hand: Setup → Object Manager → Opportunity → Fields → New:"
            f" Text(32), External ID, unique, named {LINK_FIELD}; visible and editable for {who}",
        )
    elif not own.is_writable:
        text = f"{who} cannot write {LINK_FIELD}"
        yield Check("salesforce", Status.PROBLEM, text, "grant edit access to the field")
    else:
        yield Check("salesforce", Status.OK, f"own field {LINK_FIELD} is there")


def _mapped(area: str, policy: Policy, catalog: Catalog) -> Iterator[Check]:
    """Check the mapped fields of one CRM."""
    found = [
        finding
        for finding in policy_difference.of_mappings(policy, catalog, Crm(area))
        if finding.weight is Weight.PROBLEM
    ]
    for finding in found:
        fix = "grant access to the field, or correct the policy"
        yield Check(area, Status.PROBLEM, f"{finding.key}: {finding.text}", fix)
    if not found:
        yield Check(area, Status.OK, f"{len(policy.mappings)} mapped fields can be used")
