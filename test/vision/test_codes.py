"""Ids as they are printed."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.vision.codes import Lookup, check, human, identity_of, printed

IDS = st.text(string.ascii_lowercase + string.digits + "-", min_size=1, max_size=20).filter(
    lambda text: any(character.isalnum() for character in text)
)


def test_check_digits_are_those_of_the_standard() -> None:
    assert check("794") == "44"  # ISO 7064's own example: 79444
    assert check("5493001KJTIIGC8Y1R") == "12"  # an ISO 17442 identifier


@given(IDS)
def test_what_is_printed_reads_back(identity: str) -> None:
    assert identity_of(printed(identity)) == identity
    assert Lookup([identity]).find(human(identity)) == identity


@given(st.text(string.digits, min_size=3, max_size=12), st.data())
def test_one_wrong_digit_or_two_swapped_ones_show(number: str, data: st.DataObject) -> None:
    text = printed(f"tote-{number}")
    at = data.draw(st.integers(5, 3 + len(number)))
    digit = data.draw(st.sampled_from([d for d in string.digits if d != text[at]]))
    assert identity_of(text[:at] + digit + text[at + 1 :]) == ""
    if text[at] != text[at + 1] and text[at + 1].isdigit():
        assert identity_of(text[:at] + text[at + 1] + text[at] + text[at + 2 :]) == ""


@pytest.mark.parametrize("text", ["", "-", "-01", "6901234567892", "tote-0041", "x" * 80 + "-11"])
def test_what_is_no_print_of_ours_is_nothing(text: str) -> None:
    assert identity_of(text) == ""


def test_text_counts_only_if_it_is_a_known_print_to_the_letter() -> None:
    lookup = Lookup(["tote-0041", "tote-0014", "parcel-o10"])
    whole = human("tote-0041")
    assert lookup.find(whole) == "tote-0041"
    assert lookup.find(whole.replace("-", " ").lower()) == "tote-0041"
    assert lookup.find(whole.replace("0", "O")) == "tote-0041"
    assert lookup.find(human("parcel-o10").replace("O", "0").replace("1", "I")) == "parcel-o10"
    assert lookup.find(whole[:-1]) == ""
    assert lookup.find(whole[1:]) == ""
    assert lookup.find(whole[:-1] + "?") == ""
    assert lookup.find(human("tote-0043")) == ""
    assert lookup.find("") == ""


def test_ids_that_a_text_reader_cannot_tell_apart_are_never_chosen_between() -> None:
    alike = ["a-o1", "a-01"]
    by_text = [Lookup(alike).find(human(identity)) for identity in alike]
    assert by_text == alike  # their check digits differ
    same = ["box-1", "box1"]
    assert Lookup(same).find(human("box-1")) == ""


def test_an_id_in_chinese_has_check_digits_too() -> None:
    assert identity_of(printed("料箱-12")) == "料箱-12"
    assert check("料箱-12") != check("料桶-12")
