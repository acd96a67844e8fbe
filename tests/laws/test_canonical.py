"""Values have one form (rules `canonical`, `blank`, `number-only`, `value-map`)."""

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from domain.canonical import (
    FieldType,
    NotCanonicalError,
    Value,
    canonical,
    instant_text,
    parse_instant,
)
from domain.catalog import Catalog
from domain.context import Context
from domain.ids import Crm
from domain.mapping import Mapping, ValuePair
from domain.policy import Policy
from domain.rules import values

AT = datetime(2026, 11, 24, tzinfo=UTC)
#: what a CRM may send: anything, and what looks like values more often
RAW = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.sampled_from(
        ["", " ", "0", "-0.0", "1e3", "1E+2", "1E+999999999", "NaN", "TRUE", " no ", "b;a;;b"]
    ),
    st.sampled_from(["a\r\n", "0001-01-01", "9999-12-31T23:59:59-12:00"]),
    st.decimals(allow_nan=False, allow_infinity=False, places=4).map(str),
    st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat()),
    st.dates().map(lambda day: day.isoformat()),
)


@given(st.sampled_from(FieldType), RAW)
def test_a_form_is_its_own_form(field_type: FieldType, raw: Value) -> None:
    try:
        once = canonical(field_type, raw, length=20)
    except NotCanonicalError:
        return

    assert canonical(field_type, once, length=20) == once
    assert once is None or once.strip()


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**17), max_value=10**17))
def test_a_number_keeps_every_digit(number: Decimal) -> None:
    found = canonical(FieldType.DECIMAL, str(number))

    assert found is not None
    assert Decimal(found) == number
    assert "e" not in found.lower()


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=2),
    st.integers(min_value=0, max_value=4),
)
def test_equal_numbers_have_one_form(number: Decimal, zeros: int) -> None:
    longer = f"{number:f}" + "0" * zeros

    assert canonical(FieldType.DECIMAL, longer) == canonical(FieldType.DECIMAL, f"{number:f}")


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1970, 1, 2)))  # noqa: DTZ001 - UTC
def test_an_instant_is_read_back_to_the_millisecond(at: datetime) -> None:
    whole = at.replace(microsecond=at.microsecond // 1000 * 1000)

    assert parse_instant(instant_text(at)) == whole


@given(st.lists(st.text(alphabet="abc", min_size=1, max_size=2), unique=True, min_size=1))
def test_the_order_of_many_choices_is_nothing(choices: list[str]) -> None:
    forwards = canonical(FieldType.MULTI_PICKLIST, ";".join(choices))

    assert forwards == canonical(FieldType.MULTI_PICKLIST, ";".join(reversed(choices)))


@given(
    st.dictionaries(
        st.text(alphabet="abcd", min_size=1, max_size=3),
        st.text(alphabet="wxyz", min_size=1, max_size=3),
        min_size=1,
    ),
    st.data(),
)
def test_a_value_comes_back_through_a_table_without_doubles(
    table: dict[str, str], data: st.DataObject
) -> None:
    one_to_one = {hubspot: salesforce for salesforce, hubspot in table.items()}
    mapping = Mapping(
        name="tier",
        salesforce="Tier__c",
        hubspot="tier",
        type=FieldType.PICKLIST,
        values=tuple(ValuePair(salesforce=s, hubspot=h) for h, s in one_to_one.items()),
    )
    context = Context(policy=Policy(), policy_version=1, catalog=Catalog(), identities={}, at=AT)
    value = data.draw(st.sampled_from(sorted(one_to_one.values())))

    there = values.translate(mapping, value, to=Crm.HUBSPOT, context=context)
    assert isinstance(there, values.Found)
    back = values.translate(mapping, there.value, to=Crm.SALESFORCE, context=context)

    assert back == values.Found(value)
