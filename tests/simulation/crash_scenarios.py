"""What people do while the engine dies: each rule and edge once, as short as it can be.

Whatever dies where, both CRMs must show in the end what they show when nothing dies.
"""

from domain.ids import Crm
from domain.mapping import FieldRule
from domain.policy import ContactRemoval
from tests.simulation.crashing import Scenario
from tests.simulation.stage import Stage

#: one of each, in an order in which something waits at every place
_ENGINE = (
    *("ingest-1", "decide-1", "project-1", "ingest-1", "decide-1"),
    *("deliver-salesforce-1", "deliver-hubspot-1", "decide-1", "project-1"),
)


# -- entry -------------------------------------------------------------------------------------


def new_opportunity(stage: Stage) -> None:
    stage.opportunity("New", Amount=120, Type="New Business")
    stage.settle()


def new_deal(stage: Stage) -> None:
    stage.deal("New", amount="55", dealtype="newbusiness")
    stage.settle()


def new_deal_outside(stage: Stage) -> None:
    deal_id = stage.deal("Outside", outside=True)
    stage.settle()
    stage.change(deal_id, **stage.place())
    stage.settle()


def two_at_once(stage: Stage) -> None:
    stage.opportunity("One")
    stage.deal("Other")
    stage.settle()


def equal_names(stage: Stage) -> None:
    stage.opportunity("Twin", Amount=1)
    stage.opportunity("Twin", Amount=2)
    stage.settle()


def edited_before_its_deal_is_there(stage: Stage) -> None:
    opportunity_id = stage.opportunity("Early", Amount=1)
    stage.steps("ingest-1", "decide-1", "project-1")
    stage.edit(opportunity_id, Amount=2)
    stage.settle()


def edited_right_after_its_create(stage: Stage) -> None:
    opportunity_id = stage.opportunity("Early", Amount=1)
    stage.steps(*_ENGINE)
    stage.edit(opportunity_id, Amount=2)
    stage.settle()


def new_deal_filled_right_after(stage: Stage) -> None:
    deal_id = stage.deal("Late words")
    stage.steps(*_ENGINE)
    stage.change(deal_id, description="said later")
    stage.settle()


# -- fields ------------------------------------------------------------------------------------


def edit_in_salesforce(stage: Stage) -> None:
    opportunity_id, _ = stage.pair(Amount=1)
    stage.edit(opportunity_id, Amount=2, Description="said")
    stage.settle()


def edit_in_hubspot(stage: Stage) -> None:
    _, deal_id = stage.pair(Amount=1)
    stage.change(deal_id, amount="2.50", description="said")
    stage.settle()


def burst_of_edits(stage: Stage) -> None:
    opportunity_id, deal_id = stage.pair(Amount=1)
    for number in range(3):
        stage.edit(opportunity_id, Amount=10 + number)
        stage.change(deal_id, description=f"says {number}")
    stage.settle()


def cleared_in_salesforce(stage: Stage) -> None:
    opportunity_id, _ = stage.pair(Description="there")
    stage.edit(opportunity_id, Description=None)
    stage.settle()


def cleared_in_hubspot(stage: Stage) -> None:
    _, deal_id = stage.pair(Description="there")
    stage.change(deal_id, description="")
    stage.settle()


def name_cleared_in_hubspot(stage: Stage) -> None:
    _, deal_id = stage.pair()
    stage.change(deal_id, dealname="")
    stage.settle()


def there_and_back(stage: Stage) -> None:
    opportunity_id, deal_id = stage.pair(Amount=1)
    stage.edit(opportunity_id, Amount=2)
    stage.settle()
    stage.change(deal_id, amount="3")
    stage.settle()
    stage.edit(opportunity_id, Amount=2)
    stage.settle()


def same_field_at_once(stage: Stage) -> None:
    opportunity_id, deal_id = stage.pair(Amount=1)
    stage.edit(opportunity_id, Amount=2)
    stage.change(deal_id, amount="3")
    stage.settle()


def edit_inside_a_write(stage: Stage) -> None:
    opportunity_id, deal_id = stage.pair(Amount=1)
    stage.edit(opportunity_id, Amount=2)
    stage.steps("ingest-1", "decide-1", "project-1")
    stage.change(deal_id, amount="3")
    stage.settle()


def prefer_salesforce(stage: Stage) -> None:
    stage.rule("amount", FieldRule.PREFER_SALESFORCE)
    _, deal_id = stage.pair(Amount=1)
    stage.change(deal_id, amount="3")
    stage.settle()


def always_salesforce(stage: Stage) -> None:
    stage.rule("description", FieldRule.ALWAYS_SALESFORCE)
    _, deal_id = stage.pair(Description="there")
    stage.change(deal_id, description="else")
    stage.settle()


def dont_sync(stage: Stage) -> None:
    stage.rule("description", FieldRule.DONT_SYNC)
    opportunity_id, deal_id = stage.pair(Description="there")
    stage.change(deal_id, description="else", amount="5")
    stage.edit(opportunity_id, Description="mine")
    stage.settle()


def held_for_a_person(stage: Stage) -> None:
    stage.rule("amount", FieldRule.HOLD)
    opportunity_id, deal_id = stage.pair(Amount=1)
    stage.edit(opportunity_id, Amount=2)
    stage.change(deal_id, amount="3")
    stage.settle()


def rule_changed_in_between(stage: Stage) -> None:
    opportunity_id, deal_id = stage.pair(Amount=1)
    stage.edit(opportunity_id, Amount=2)
    stage.steps("ingest-1")
    stage.rule("amount", FieldRule.ALWAYS_SALESFORCE)
    stage.change(deal_id, amount="4")
    stage.settle()


def one_field_is_refused(stage: Stage) -> None:
    _, deal_id = stage.pair(Amount=1)
    stage.refuse("Description")
    stage.world.people.refused.add("description")
    stage.change(deal_id, description="not taken", amount="5")
    stage.settle()


# -- stages and pipelines ----------------------------------------------------------------------


def stage_in_salesforce(stage: Stage) -> None:
    opportunity_id, _ = stage.pair()
    name = stage.stage_names(stage.record_types()[0])[1]
    stage.edit(opportunity_id, StageName=name)
    stage.settle()


def stage_in_hubspot(stage: Stage) -> None:
    _, deal_id = stage.pair()
    stage.change(deal_id, **stage.place(stage=1))
    stage.settle()


def closed_in_salesforce(stage: Stage) -> None:
    opportunity_id, _ = stage.pair()
    stage.edit(opportunity_id, StageName="Closed Won", CloseDate="2026-03-01")
    stage.settle()


def another_record_type(stage: Stage) -> None:
    opportunity_id, _ = stage.pair()
    record_type = stage.record_types()[1]
    name = stage.stage_names(record_type)[0]
    stage.edit(opportunity_id, RecordTypeId=record_type, StageName=name)
    stage.settle()


def another_pipeline(stage: Stage) -> None:
    _, deal_id = stage.pair()
    stage.change(deal_id, **stage.place(number=1))
    stage.settle()


def moved_out(stage: Stage) -> None:
    opportunity_id, deal_id = stage.pair(Amount=1)
    stage.move_out(deal_id)
    stage.settle()
    stage.edit(opportunity_id, Amount=2)
    stage.settle()


def out_and_in_again(stage: Stage) -> None:
    opportunity_id, deal_id = stage.pair(Amount=1)
    stage.move_out(deal_id)
    stage.settle()
    stage.edit(opportunity_id, Amount=2)
    stage.settle()
    stage.change(deal_id, **stage.place())
    stage.settle()


def moved_out_inside_a_write(stage: Stage) -> None:
    opportunity_id, deal_id = stage.pair(Amount=1)
    stage.edit(opportunity_id, Amount=2)
    stage.steps("ingest-1", "decide-1", "project-1")
    stage.move_out(deal_id)
    stage.settle()


# -- contacts, accounts, owners ----------------------------------------------------------------


def contact_role(stage: Stage) -> None:
    opportunity_id, _ = stage.pair()
    contact_id = stage.make("Contact", LastName="Reed", Email="reed@customer.example")
    stage.add("contacts", email="reed@customer.example", lastname="Reed")
    stage.settle()
    stage.make("OpportunityContactRole", OpportunityId=opportunity_id, ContactId=contact_id)
    stage.settle()


def contact_that_comes_late(stage: Stage) -> None:
    opportunity_id, _ = stage.pair()
    contact_id = stage.make("Contact", LastName="Reed", Email="reed@customer.example")
    stage.make("OpportunityContactRole", OpportunityId=opportunity_id, ContactId=contact_id)
    stage.settle()
    stage.add("contacts", email="reed@customer.example", lastname="Reed")
    stage.settle()


def association(stage: Stage) -> None:
    _, deal_id = stage.pair()
    stage.make("Contact", LastName="Reed", Email="reed@customer.example")
    contact_id = stage.add("contacts", email="reed@customer.example", lastname="Reed")
    stage.settle()
    stage.associate(deal_id, contact_id)
    stage.settle()


def association_taken_away(stage: Stage) -> None:
    stage.switch(contact_removal=ContactRemoval.MIRROR)
    _, deal_id = stage.pair()
    stage.make("Contact", LastName="Reed", Email="reed@customer.example")
    contact_id = stage.add("contacts", email="reed@customer.example", lastname="Reed")
    stage.associate(deal_id, contact_id)
    stage.settle()
    stage.dissociate(deal_id, contact_id)
    stage.settle()


def account_and_company(stage: Stage) -> None:
    account_id = stage.make("Account", Name="Acme Inc", Website="https://www.acme.example")
    stage.add("companies", name="Acme Inc", domain="acme.example")
    stage.settle()
    stage.opportunity("With account", AccountId=account_id)
    stage.settle()


def another_owner(stage: Stage) -> None:
    opportunity_id, _ = stage.pair()
    owners = [
        str(row["Id"])
        for row in stage.world.desks.rows(Crm.SALESFORCE, "User")
        if row["Username"] in stage.world.sellers
    ]
    stage.edit(opportunity_id, OwnerId=owners[-1])
    stage.settle()


# -- deletion, restoration, merge --------------------------------------------------------------


def opportunity_deleted(stage: Stage) -> None:
    opportunity_id, _ = stage.pair()
    stage.delete(opportunity_id)
    stage.settle()


def deal_deleted(stage: Stage) -> None:
    opportunity_id, deal_id = stage.pair(Amount=1)
    stage.archive(deal_id)
    stage.settle()
    stage.edit(opportunity_id, Amount=9)
    stage.settle()


def deleted_and_undeleted(stage: Stage) -> None:
    opportunity_id, _ = stage.pair()
    stage.delete(opportunity_id)
    stage.settle()
    stage.undelete(opportunity_id)
    stage.settle()


def deleted_before_its_deal_is_there(stage: Stage) -> None:
    opportunity_id = stage.opportunity("Short")
    stage.steps("ingest-1", "decide-1", "project-1")
    stage.delete(opportunity_id)
    stage.settle()


def deleted_while_its_deal_is_made(stage: Stage) -> None:
    opportunity_id = stage.opportunity("Short")
    stage.steps(*_ENGINE)
    stage.delete(opportunity_id)
    stage.settle()


def deal_restored(stage: Stage) -> None:
    opportunity_id, deal_id = stage.pair(Amount=1)
    stage.archive(deal_id)
    stage.settle()
    stage.edit(opportunity_id, Amount=2)
    stage.settle()
    stage.restore(deal_id)
    stage.settle()


def deleted_and_edited_at_once(stage: Stage) -> None:
    opportunity_id, deal_id = stage.pair(Amount=1)
    stage.delete(opportunity_id)
    stage.change(deal_id, amount="7")
    stage.settle()


def both_deleted(stage: Stage) -> None:
    opportunity_id, deal_id = stage.pair()
    stage.archive(deal_id)
    stage.delete(opportunity_id)
    stage.settle()
    stage.undelete(opportunity_id)
    stage.settle()


def paired_deals_merged(stage: Stage) -> None:
    _, kept = stage.pair("Kept")
    _, lost = stage.pair("Lost")
    stage.merge(kept, lost)
    stage.settle()


def merged_with_a_new_deal(stage: Stage) -> None:
    _, kept = stage.pair("Kept")
    lost = stage.deal("New", outside=True)
    stage.settle()
    stage.merge(kept, lost)
    stage.settle()


# -- operators ---------------------------------------------------------------------------------


def switched_off_and_on(stage: Stage) -> None:
    opportunity_id, _ = stage.pair(Amount=1)
    stage.switch(deal_sync=False)
    stage.settle()
    stage.edit(opportunity_id, Amount=2)
    stage.settle()
    stage.switch(deal_sync=True)
    stage.settle()
    stage.edit(opportunity_id, Amount=3)
    stage.settle()


def days_asleep(stage: Stage) -> None:
    opportunity_id, deal_id = stage.pair(Amount=1)
    stage.edit(opportunity_id, Amount=2)
    stage.days(4)
    stage.change(deal_id, description="days later")
    stage.settle()


def a_search_that_lags(stage: Stage) -> None:
    stage.world.desks.act(Crm.HUBSPOT, "set_search_lag", milliseconds=12_000)
    _, deal_id = stage.pair(Amount=1)
    stage.change(deal_id, amount="6")
    stage.settle()


DELICATE = (
    *(new_opportunity, new_deal, edit_in_salesforce, edit_in_hubspot, moved_out),
    *(opportunity_deleted, deleted_and_undeleted, deal_restored, paired_deals_merged),
    contact_role,
)
#: where a crash may decide who was first
RACES = (
    *(same_field_at_once, edit_inside_a_write, moved_out_inside_a_write, burst_of_edits),
    *(deleted_while_its_deal_is_made, deleted_before_its_deal_is_there, rule_changed_in_between),
    *(deleted_and_edited_at_once, both_deleted, merged_with_a_new_deal, held_for_a_person),
    *(edited_before_its_deal_is_there, edited_right_after_its_create),
)
SCENARIOS = tuple(
    Scenario(play.__name__.replace("_", " "), play, delicate=play in DELICATE, races=play in RACES)
    for play in (
        *(new_opportunity, new_deal, new_deal_outside, two_at_once, equal_names),
        *(edited_before_its_deal_is_there, edited_right_after_its_create),
        *(new_deal_filled_right_after, edit_in_salesforce, edit_in_hubspot, burst_of_edits),
        *(cleared_in_salesforce, cleared_in_hubspot, name_cleared_in_hubspot, there_and_back),
        *(same_field_at_once, edit_inside_a_write, prefer_salesforce, always_salesforce),
        *(dont_sync, held_for_a_person, rule_changed_in_between, one_field_is_refused),
        *(stage_in_salesforce, stage_in_hubspot, closed_in_salesforce, another_record_type),
        *(another_pipeline, moved_out, out_and_in_again, moved_out_inside_a_write),
        *(contact_role, contact_that_comes_late, association, association_taken_away),
        *(account_and_company, another_owner, opportunity_deleted, deal_deleted),
        *(deleted_and_undeleted, deleted_before_its_deal_is_there),
        *(deleted_while_its_deal_is_made, deal_restored, deleted_and_edited_at_once),
        *(both_deleted, paired_deals_merged, merged_with_a_new_deal, switched_off_and_on),
        *(days_asleep, a_search_that_lags),
    )
)
