"""The story that the demo plays: what somebody does, the rules it shows, and when it came true.

Here is what goes well between two CRMs; what goes wrong around them is in `demo_troubles`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from adapters.cli import demo_troubles
from adapters.cli.demo_people import People
from adapters.cli.demo_sides import Sides
from adapters.cli.demo_terminal import Terminal

WHILE_STOPPED: Final = "edited while stopped"
NEW_OWNER: Final = "Hana Kobayashi"

Check: TypeAlias = Callable[[Sides], bool]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that somebody does."""

    what: str
    rules: str
    act: Callable[[], object]
    came_true: Check
    #: a command that explains the step, run afterwards and shown; empty: none
    explain: tuple[str, ...] = ()


def steps(people: People, terminal: Terminal) -> tuple[Step, ...]:
    """Return the story's steps in order.

    Args:
        people: act in both CRMs.
        terminal: runs commands in the demo's home.
    """
    return (
        *_what_was_there_before(people, terminal),
        *_a_deal_between_two_crms(people),
        *(Step(*parts) for parts in demo_troubles.conflicts(people, terminal)),
        *_people_and_firms(people, terminal),
        *(Step(*parts) for parts in demo_troubles.interruptions(people, terminal)),
        *_in_and_out(people),
        *_deleted_and_back(people),
        *(Step(*parts) for parts in demo_troubles.merge_and_fuse(people, terminal)),
    )


def _what_was_there_before(people: People, terminal: Terminal) -> tuple[Step, ...]:
    def import_one() -> None:
        (chosen,) = people.existing(1)
        people.look_after(chosen)
        terminal.run("import", "opportunities", "--ids", chosen)

    return (
        Step(
            "Opportunities from before are left alone; one is imported by hand and gets its deal",
            "entry-salesforce, import, adopt, record-type-pipeline, owner",
            import_one,
            lambda s: bool(s.deal) and s.deal.get("dealname") == s.opportunity.get("Name"),
        ),
    )


def _a_deal_between_two_crms(people: People) -> tuple[Step, ...]:
    return (
        Step(
            "A salesperson creates an opportunity in Salesforce",
            "entry-salesforce, record-type-pipeline, created-with, link-ids, no-matching",
            lambda: people.create_opportunity("Harbour Lights", amount="1200"),
            lambda s: s.deal.get("dealname") == "Harbour Lights" and s.deal["amount"] == "1200",
        ),
        Step(
            "The deal's amount is changed in HubSpot",
            "field-rule, number-only, echo",
            lambda: people.edit_deal(amount="1500"),
            lambda s: s.opportunity.get("Amount") == "1500",
            explain=("why", "{deal}", "amount"),
        ),
        Step(
            "Name and close date are changed in Salesforce",
            "field-rule, canonical, trigger-fields",
            lambda: people.edit_opportunity(CloseDate="2027-03-31", Name="Harbour Lights II"),
            lambda s: s.deal.get("dealname") == "Harbour Lights II",
        ),
        Step(
            "The opportunity moves a stage on",
            "stage-map",
            lambda: people.edit_opportunity(StageName="Negotiation/Review"),
            lambda s: s.stage_label == "Negotiation/Review",
        ),
        Step(
            "The opportunity is handed over: owners are matched by e-mail and full name",
            "owner",
            lambda: people.hand_over(NEW_OWNER),
            lambda s: s.deal_owner == NEW_OWNER,
        ),
    )


def _people_and_firms(people: People, terminal: Terminal) -> tuple[Step, ...]:
    return (
        Step(
            "A contact gets a role on the opportunity, and is associated with the deal",
            "contact-identity, contact-role, contact-many",
            lambda: people.add_role("Ann Lee", "ann.lee@harbour.example"),
            lambda s: "ann.lee@harbour.example" in s.contacts,
        ),
        Step(
            "The contact shows what it takes part in, and moves on in its life cycle",
            "contact-rollup, rollup-target, lifecycle",
            lambda: None,
            lambda s: (
                s.contact_shows.startswith("1 deal, 1600") and "opportunity" in s.contact_shows
            ),
        ),
        Step(
            "Accounts are imported; the opportunity's account becomes the deal's company",
            "account-identity, company-sync",
            lambda: people.give_account("Harbour Lights Ltd", import_it=terminal.run),
            lambda s: s.company == "Harbour Lights Ltd",
        ),
    )


def _in_and_out(people: People) -> tuple[Step, ...]:
    return (
        Step(
            "The deal is moved to a pipeline that is not synced: both directions stop",
            "pipeline-scope, record-status",
            people.move_deal_out,
            lambda s: s.deal.get("dealsync_state") == "stopped",
        ),
        Step(
            "An edit in Salesforce while it is stopped does not cross",
            "pipeline-scope",
            lambda: people.edit_opportunity(Description=WHILE_STOPPED),
            people.for_a_while(lambda s: s.deal.get("description") != WHILE_STOPPED),
        ),
        Step(
            "The deal is moved back: both sides are compared and reconciled",
            "pipeline-scope, pipeline-move",
            people.move_deal_back,
            lambda s: s.deal.get("description") == WHILE_STOPPED,
        ),
        Step(
            "The deal is won in Salesforce: closed in HubSpot, the contact is a customer",
            "stage-map, close-date-rewrite, lifecycle",
            lambda: people.edit_opportunity(StageName="Closed Won"),
            lambda s: s.stage_label == "Closed Won" and "customer" in s.contact_shows,
        ),
    )


def _deleted_and_back(people: People) -> tuple[Step, ...]:
    return (
        Step(
            "The deal is deleted in HubSpot: the opportunity stays",
            "delete-never-up, tombstone",
            people.delete_deal,
            lambda s: s.deal_is_archived and not s.opportunity_is_deleted,
        ),
        Step(
            "A deal is created in HubSpot, in a synced pipeline: an opportunity follows",
            "entry-hubspot, created-with",
            lambda: people.create_deal("Mill Road", amount="300"),
            lambda s: s.opportunity.get("Name") == "Mill Road",
        ),
        Step(
            "The opportunity is deleted in Salesforce: its deal is deleted",
            "delete-down",
            people.delete_opportunity,
            lambda s: s.opportunity_is_deleted and s.deal_is_archived,
        ),
        Step(
            "It is undeleted: a new deal takes the old one's place",
            "undelete, once-paired",
            people.undelete_opportunity,
            lambda s: s.deal.get("dealname") == "Mill Road" and not s.deal_is_archived,
        ),
    )
