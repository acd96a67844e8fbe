"""Blank, canonical forms, picklist tables (rules `blank`, `canonical`, `value-map`)."""

from zoneinfo import ZoneInfo

import pytest

from domain.canonical import FieldType, NotCanonicalError, Value, canonical
from domain.rules import RuleId
from domain.writes import CreateDeal, UpdateDeal
from tests.support.scenario import Scenario

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("field_type", "raw", "expected"),
    [
        (FieldType.TEXT, "  a\r\nb ", "a\nb"),
        (FieldType.TEXT, "   ", None),
        (FieldType.TEXT, "", None),
        (FieldType.DECIMAL, "1200.00", "1200"),
        (FieldType.DECIMAL, "1.2E3", "1200"),
        (FieldType.DECIMAL, "0", "0"),
        (FieldType.DECIMAL, "-0.50", "-0.5"),
        (FieldType.DATE, "2026-11-24", "2026-11-24"),
        (FieldType.DATE, "2026-11-23T23:30:00Z", "2026-11-24"),
        (FieldType.DATETIME, "2026-11-24T09:00:00.000+0000", "2026-11-24T09:00:00.000Z"),
        (FieldType.DATETIME, "1795510800000", "2026-11-24T09:00:00.000Z"),
        (FieldType.BOOLEAN, "False", "false"),
        (FieldType.MULTI_PICKLIST, "b; a;b", "a;b"),
        (FieldType.PICKLIST, " New Business ", "New Business"),
    ],
)
def test_equal_values_have_one_form(field_type: FieldType, raw: str, expected: Value) -> None:
    once = canonical(field_type, raw, zone=BERLIN)

    assert expected == once
    assert once == canonical(field_type, once, zone=BERLIN)
    assert RuleId.CANONICAL


def test_names_cross_with_120_characters() -> None:
    assert canonical(FieldType.TEXT, "x" * 130, length=120) == "x" * 120


@pytest.mark.parametrize(
    ("field_type", "raw"),
    [
        (FieldType.DECIMAL, "twelve"),
        (FieldType.DECIMAL, "NaN"),
        (FieldType.DATE, "2026-13-01"),
        (FieldType.DATETIME, "soon"),
        (FieldType.BOOLEAN, "maybe"),
    ],
)
def test_what_is_no_value_says_what_was_expected(field_type: FieldType, raw: str) -> None:
    with pytest.raises(NotCanonicalError, match=f"expected .*found '{raw}'"):
        canonical(field_type, raw)


def test_zero_and_false_are_values() -> None:
    """`blank`: only null, empty and whitespace are blank."""
    scenario = Scenario().adopted().live()

    scenario.when(scenario.opportunity(40, name="Acme Renewal", amount="0"))

    (write,) = scenario.asked(UpdateDeal)
    assert {c.field: c.after for c in write.fields if c.guarded} == {"amount": "0"}
    assert RuleId.BLANK


def test_a_picklist_maps_by_the_policys_table() -> None:
    scenario = Scenario().adopted().live()

    scenario.when(scenario.opportunity(40, name="Acme Renewal", type="Existing Business"))

    (write,) = scenario.asked(UpdateDeal)
    assert {c.field: c.after for c in write.fields if c.guarded} == {"type": "existingbusiness"}


def test_a_value_without_a_counterpart_holds_that_field_only() -> None:
    scenario = Scenario().adopted().live()

    scenario.when(scenario.opportunity(40, name="Acme Renewal", type="Barter", amount="9"))

    (write,) = scenario.asked(UpdateDeal)
    assert {c.field: c.after for c in write.fields if c.guarded} == {"amount": "9"}
    assert {"DS401"} == scenario.issues()
    assert RuleId.VALUE_MAP


def test_a_create_goes_on_without_a_value_that_has_no_counterpart() -> None:
    scenario = Scenario().adopted()

    scenario.when(scenario.opportunity(10, type="Barter"))

    (create,) = scenario.asked(CreateDeal)
    assert "dealtype" not in {c.name for c in create.fields}


def test_a_value_of_another_type_holds_that_field_with_an_issue() -> None:
    scenario = Scenario().adopted().live()

    scenario.when(scenario.opportunity(40, name="Acme Renewal", amount="many", description="x"))

    (write,) = scenario.asked(UpdateDeal)
    assert {"description"} == {c.field for c in write.fields if c.guarded}
    assert {"DS409"} == scenario.issues()
