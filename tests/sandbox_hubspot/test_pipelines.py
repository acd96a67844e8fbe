"""Pipelines and stages: shapes, unique labels, probabilities, the account's limit."""

import pytest

from adapters.sandbox.hubspot.rows import rows_in, text
from adapters.sandbox.tables import JsonValue, Row
from tests.sandbox_hubspot.account import Account, body_of

PIPELINES = "/crm/v3/pipelines/deals"


def _stage(label: str, probability: JsonValue = "0.5", **more: JsonValue) -> Row:
    return {"label": label, "displayOrder": 0, "metadata": {"probability": probability}, **more}


def _pipeline(account: Account, label: str, *stages: Row) -> Row:
    wanted = list[JsonValue](stages or (_stage("Open"),))
    asked: Row = {"label": label, "displayOrder": 1, "stages": wanted}
    answered = account.send("POST", PIPELINES, asked)
    assert answered.response.status == 201, answered.response.body
    return body_of(answered.response)


def test_a_new_account_has_the_sales_pipeline() -> None:
    (default,) = rows_in(Account().ask("GET", PIPELINES), "results")
    stages = rows_in(default, "stages")

    assert (default["id"], default["label"]) == ("default", "Sales Pipeline")
    assert [stage["id"] for stage in stages] == [
        *("appointmentscheduled", "qualifiedtobuy", "presentationscheduled"),
        *("decisionmakerboughtin", "contractsent", "closedwon", "closedlost"),
    ]
    assert stages[5] == {
        "label": "Closed Won",
        "displayOrder": 5,
        "metadata": {"isClosed": "true", "probability": "1.0"},
        "id": "closedwon",
        "createdAt": "1970-01-01T00:00:00Z",
        "updatedAt": "1970-01-01T00:00:00Z",
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
        "archived": False,
    }


def test_contacts_have_the_lifecycle_pipeline() -> None:
    (only,) = rows_in(Account().ask("GET", "/crm/v3/pipelines/contacts"), "results")
    assert only["id"] == "contacts-lifecycle-pipeline"
    assert [stage["id"] for stage in rows_in(only, "stages")][-3:] == [
        *("customer", "evangelist", "other")
    ]


def test_a_pipeline_is_made_with_its_stages() -> None:
    account = Account()
    made = _pipeline(account, "Salesforce - 012", _stage("Open", 0.3), _stage("Won", "1"))
    first, won = rows_in(made, "stages")
    assert first["metadata"] == {"isClosed": "false", "probability": "0.3"}
    assert won["metadata"] == {"isClosed": "true", "probability": "1.0"}
    assert account.ask("GET", f"{PIPELINES}/{made['id']}") == made
    account.make("deals", pipeline=made["id"], dealstage=won["id"])


@pytest.mark.parametrize("probability", ["0.75", "1.1", "-0.1", "high", None])
def test_a_probability_is_a_tenth(probability: JsonValue) -> None:
    answered = Account().send(
        "POST", f"{PIPELINES}/default/stages", _stage("New", probability=probability)
    )
    assert answered.response.status == 400


def test_labels_are_unique_in_any_case() -> None:
    account = Account()
    made = _pipeline(account, "Mine", _stage("Open"))
    again: Row = {"label": "mine", "displayOrder": 2, "stages": [_stage("Open")]}
    path = f"{PIPELINES}/{made['id']}"
    (stage,) = rows_in(made, "stages")
    refused = [
        account.send("POST", PIPELINES, again),
        account.send("PATCH", path, {"label": "Sales pipeline"}),
        account.send("POST", f"{path}/stages", _stage("OPEN")),
        account.send("POST", PIPELINES, {**again, "label": "Two", "stages": [_stage("A")] * 2}),
        account.send("POST", f"{path}/stages", _stage("Other", stageId="closedwon")),
    ]

    assert [answered.response.status for answered in refused] == [409] * 5
    assert body_of(refused[0].response)["category"] == "OBJECT_ALREADY_EXISTS"
    same = account.send("PATCH", f"{path}/stages/{stage['id']}", {"label": "Open"})
    assert (same.response.status, same.changed) == (200, False)


def test_a_stage_is_renamed_and_deleted() -> None:
    account = Account()
    made = _pipeline(account, "Mine", _stage("One"), _stage("Two"))
    one, two = (text(stage, "id") for stage in rows_in(made, "stages"))
    path = f"{PIPELINES}/{made['id']}/stages"
    renamed = account.ask("PATCH", f"{path}/{one}", {"label": "Uno"})
    assert (renamed["label"], renamed["metadata"]) == (
        "Uno",
        {"isClosed": "false", "probability": "0.5"},
    )

    account.make("deals", pipeline=made["id"], dealstage=two)
    checked = account.send("DELETE", f"{path}/{two}?validateReferencesBeforeDelete=true")
    assert checked.response.status == 400
    assert account.send("DELETE", f"{path}/{two}").response.status == 204
    assert [stage["id"] for stage in rows_in(account.ask("GET", path), "results")] == [one]
    moved = account.send(
        "POST",
        "/crm/v3/objects/deals",
        {"properties": {"dealname": "x", "pipeline": made["id"], "dealstage": two}},
    )
    assert moved.response.status == 400


def test_a_put_keeps_stages_by_their_ids() -> None:
    account = Account()
    made = _pipeline(account, "Mine", _stage("One"), _stage("Two"))
    one, _ = rows_in(made, "stages")
    put = account.ask(
        "PUT",
        f"{PIPELINES}/{made['id']}",
        {"label": "Mine", "displayOrder": 1, "stages": [{**one, "label": "Uno"}, _stage("New")]},
    )
    first, second = rows_in(put, "stages")
    assert (first["id"], first["label"], second["label"]) == (one["id"], "Uno", "New")


def test_a_deleted_pipeline_is_gone_but_not_the_default_one() -> None:
    account = Account()
    made = _pipeline(account, "Mine")
    assert account.send("DELETE", f"{PIPELINES}/{made['id']}").response.status == 204
    assert account.send("GET", f"{PIPELINES}/{made['id']}").response.status == 404
    assert account.send("DELETE", f"{PIPELINES}/default").response.status == 400
    _pipeline(account, "Mine")


def test_the_account_has_room_for_so_many_pipelines() -> None:
    account = Account()
    account.box.act("set_pipeline_limit", {"count": 2}, account.at)
    made = _pipeline(account, "Two")
    third: Row = {"label": "Three", "displayOrder": 1, "stages": [_stage("Open")]}
    refused = account.send("POST", PIPELINES, third)

    assert refused.response.status == 400
    assert body_of(refused.response)["subCategory"] == "PipelineError.PIPELINE_LIMIT_EXCEEDED"
    account.send("DELETE", f"{PIPELINES}/{made['id']}")
    assert account.send("POST", PIPELINES, third).response.status == 201
