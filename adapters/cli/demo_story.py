"""The story that the demo plays: what somebody does, the rules it shows, and when it came true."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from adapters.cli.demo_people import People, Sides

WHILE_STOPPED: Final = "edited while stopped"
NOT_IN_HUBSPOT: Final = "Barter"

Check: TypeAlias = Callable[[Sides], bool]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that somebody does."""

    what: str
    rules: str
    act: Callable[[], None]
    came_true: Check
    #: a command that explains the step, run afterwards and shown; empty: none
    explain: tuple[str, ...] = ()


def steps(people: People, dealsync: Callable[..., str]) -> tuple[Step, ...]:
    """Return the story's steps in order.

    Args:
        people: acts in both CRMs.
        dealsync: runs a command in the demo's home and returns what it printed.
    """
    return (
        *_a_deal_between_two_crms(people),
        *_people_and_firms(people, dealsync),
        *_in_and_out(people),
        *_deleted_and_back(people),
    )


def _a_deal_between_two_crms(people: People) -> tuple[Step, ...]:
    return (
        Step(
            "A salesperson creates an opportunity in Salesforce",
            "entry-salesforce, record-type-pipeline, created-with, link-ids",
            lambda: people.create_opportunity("Harbour Lights", amount="1200"),
            lambda s: s.deal.get("dealname") == "Harbour Lights" and s.deal["amount"] == "1200",
        ),
        Step(
            "The deal's amount is changed in HubSpot",
            "field-rule, who-wins, echo",
            lambda: people.edit_deal(amount="1500"),
            lambda s: s.opportunity.get("Amount") == "1500",
            explain=("why", "{deal}", "amount"),
        ),
        Step(
            "Name and close date are changed in Salesforce",
            "field-rule, canonical",
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
            "Both sides are changed at once: one wins, and the other value is kept",
            "who-wins, value-time",
            lambda: people.edit_both(description=("as Salesforce has it", "as HubSpot has it")),
            lambda s: s.opportunity.get("Description") == s.deal.get("description"),
            explain=("why", "{deal}", "description"),
        ),
        Step(
            "The name is cleared in HubSpot: Salesforce needs one, so it is put back",
            "required",
            lambda: people.edit_deal(dealname=""),
            lambda s: s.deal.get("dealname") == "Harbour Lights II",
        ),
        Step(
            "A type that HubSpot does not have holds that field only; the amount goes on",
            "value-map, partial-reject",
            lambda: people.edit_opportunity(Type="Existing Customer - Upgrade", Amount="1600"),
            lambda s: s.deal.get("amount") == "1600",
            explain=("issues", "list"),
        ),
    )


def _people_and_firms(people: People, dealsync: Callable[..., str]) -> tuple[Step, ...]:
    return (
        Step(
            "A contact gets a role on the opportunity, and is associated with the deal",
            "contact-identity, contact-role",
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
            lambda: people.give_account("Harbour Lights Ltd", import_it=dealsync),
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
            "pipeline-scope",
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
