"""Record types and pipelines, stages of both CRMs, and what moves between them."""

from tests.acceptance.user import User


def _pipeline(user: User, record_type_id: str) -> str:
    return str(user.pipelines()[f"Salesforce - {record_type_id}"].id)


def test_each_record_type_has_its_pipeline_with_its_stages(user: User) -> None:
    """Rules `record-type-pipeline`, `stage-map`: a new record type gets one by itself."""
    renewal = user.record_type("Renewal")
    stages = user.pipelines()[f"Salesforce - {renewal}"].stages
    assert [one.label for one in sorted(stages, key=lambda one: one.display_order)] == [
        "Qualification",
        "Proposal/Price Quote",
        "Negotiation/Review",
        "Closed Won",
        "Closed Lost",
    ]
    won = next(one for one in stages if one.label == "Closed Won")
    assert (won.metadata["isClosed"], float(won.metadata["probability"])) == ("true", 1.0)

    user.act("salesforce", "create_record_type", name="Services", stages=["Prospecting"])
    services = user.record_type("Services")
    user.until_quiet()
    user.until_quiet()
    assert [one.label for one in user.pipelines()[f"Salesforce - {services}"].stages] == [
        "Prospecting"
    ]


def test_record_type_and_stage_cross_together(user: User) -> None:
    """Rule `pipeline-move`: both ways."""
    new, renewal = user.record_type("New Business"), user.record_type("Renewal")
    opportunity_id, deal = user.synced("Moves", RecordTypeId=new)
    assert deal["pipeline"] == _pipeline(user, new)

    user.edit_opportunity(opportunity_id, RecordTypeId=renewal, StageName="Qualification")
    user.until_quiet()
    there = _pipeline(user, renewal)
    moved = user.living(deal["id"])
    assert moved["pipeline"] == there
    assert moved["dealstage"] == user.stage(there, "Qualification")

    user.edit_deal(deal["id"], pipeline=deal["pipeline"], dealstage=deal["dealstage"])
    user.until_quiet()
    back = user.opportunity(opportunity_id)
    assert (back["RecordTypeId"], back["StageName"]) == (new, "Prospecting")


def test_stages_follow_salesforce(user: User) -> None:
    """Rule `stage-map`: an added stage is made, a renamed one is renamed."""
    new = user.record_type("New Business")
    user.act("salesforce", "create_stage", stage="Legal", record_type=new, probability=80)
    user.until_quiet()
    user.until_quiet()
    pipeline = _pipeline(user, new)
    legal = user.stage(pipeline, "Legal")

    opportunity_id, deal = user.synced("At the lawyer's", RecordTypeId=new, StageName="Legal")
    assert deal["dealstage"] == legal

    user.act("salesforce", "rename_stage", stage="Legal", label="Contract", label_only=True)
    user.until_quiet()
    user.until_quiet()
    assert user.stage(pipeline, "Contract") == legal
    assert user.living(deal["id"])["dealstage"] == legal
    assert user.opportunity(opportunity_id)["StageName"] == "Legal"


def test_a_stage_without_a_counterpart_holds_that_field_only(user: User) -> None:
    """Rule `stage-map`: with an issue; the rest syncs."""
    opportunity_id, deal = user.synced("Odd stage", Amount=1)
    made = user.hubspot.crm.pipelines.pipeline_stages_api.create(
        "deals",
        deal["pipeline"],
        {"label": "Only here", "displayOrder": 90, "metadata": {"probability": "0.5"}},
    )
    user.until_quiet()

    user.edit_deal(deal["id"], dealstage=made.id, amount="2")
    user.until_quiet()

    seen = user.opportunity(opportunity_id)
    assert (seen["StageName"], seen["Amount"]) == ("Prospecting", 2)
    assert user.issues(opportunity_id) == ["DS303"]
