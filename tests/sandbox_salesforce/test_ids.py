"""Record ids: the suffix makes case safe."""

import pytest

from adapters.sandbox.salesforce import ids


@pytest.mark.parametrize(
    "whole",
    ["001ak00000OQTieAAH", "003ak000003dQCGAA2", "012000000000000AAA", "0PSak00000M9uBBGAZ"],
)
def test_the_suffix_is_the_real_one(whole: str) -> None:
    """These ids were seen in answers of real orgs."""
    assert ids.normalise(whole[:15]) == whole
    assert ids.normalise(whole) == whole


@pytest.mark.parametrize("text", ["", "006", "001ak00000OQTieAAB", "001ak00000OQTi!", "é" * 15])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(ids.MalformedIdError):
        ids.normalise(text)


def test_numbers_make_different_ids_in_order() -> None:
    made = [ids.numbered("006", number) for number in range(500)]

    assert sorted(made) == made
    assert len(set(made)) == 500
    assert all(ids.normalise(each) == each for each in made)
