from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_bridge.people.rules import canonical_phone, clean_name, region_of

ONE_PERSON = {
    "525512345678": ["525512345678", "5215512345678", "+52 1 55 1234 5678", "52 044 55 1234 5678", "52 045 55 1234 5678",
        "52 01 55 1234 5678", "0052 55 1234 5678"],
    "5491123456789": ["5491123456789", "541123456789", "54111523456789", "+54 9 11 2345-6789", "54 11 15 2345 6789",
        "54 011 15 2345 6789", "54 9 11 15 2345 6789"],
    "5493515123456": ["5493515123456", "543515123456", "54351155123456", "54 0351 15 512 3456"],
    "5492901123456": ["5492901123456", "54290115123456", "542901123456"],
    "5511987654321": ["5511987654321", "551187654321", "+55 (11) 8765-4321", "55 011 98765 4321", "55 0 11 8765 4321"],
    "551133334444": ["551133334444", "+55 11 3333-4444"],
    "573001234567": ["573001234567", "+57 300 123 4567", "0057 300 1234567"],
    "51987654321": ["51987654321", "+51 987 654 321"],
    "56987654321": ["56987654321", "+56 9 8765 4321"],
    "593991234567": ["593991234567", "593 099 123 4567"],
    "59899123456": ["59899123456", "598 099 123 456"],
    "50688881234": ["50688881234", "+506 8888-1234"],
    "18095551234": ["18095551234", "+1 (809) 555-1234"],
    "390612345678": ["390612345678", "+39 06 1234 5678"],
    "4915112345678": ["4915112345678", "+49 (0) 151 12345678"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("canon", "spelling"), [(canon, spelling) for canon, spellings in ONE_PERSON.items() for spelling in spellings]
)
def test_every_spelling_is_one_person(canon, spelling):
    assert canonical_phone(spelling) == canon


@pytest.mark.parametrize(
    ("digits", "kept"), [("", ""), ("abc", ""), ("123", "123"), ("999999999999999999999", "999999999999999999999")]
)
def test_what_is_no_number_stays(digits, kept):
    assert canonical_phone(digits) == kept


@given(st.text(max_size=30) | st.from_regex(r"(00)?(52|54|55|57|1|593|39)[0-9]{0,16}", fullmatch=True))
def test_the_canon_is_digits_and_stays_as_it_is(written):
    canon = canonical_phone(written)
    assert canon == "" or (canon.isascii() and canon.isdigit())
    assert canonical_phone(canon) == canon


@given(st.from_regex(r"(11|2[0-9]{2}|3[0-9]{3})[2-9][0-9]{5,7}", fullmatch=True).filter(lambda national: len(national) == 10))
def test_argentina_with_and_without_the_nine(national):
    assert canonical_phone(f"549{national}") == canonical_phone(f"54{national}") == f"549{national}"


@given(st.from_regex(r"[1-9][1-9][6-9][0-9]{7}", fullmatch=True))
def test_brazil_with_and_without_the_ninth_digit(national):
    assert (
        canonical_phone(f"55{national}")
        == canonical_phone(f"55{national[:2]}9{national[2:]}")
        == f"55{national[:2]}9{national[2:]}"
    )


@pytest.mark.parametrize(
    ("digits", "region"),
    [("573001234567", "CO"), ("5215512345678", "MX"), ("5491123456789", "AR"), ("551187654321", "BR"), ("18095551234",
     "DO"), ("13055550123", "US"),
     ("50688881234", "CR"), ("51987654321", "PE"), ("", None), ("abc", None), ("999", None)],
)  # fmt: skip
def test_region(digits, region):
    assert region_of(digits) == region


@pytest.mark.parametrize(
    ("profile", "name"),
    [("Ana Ruiz", "Ana Ruiz"), ("🌸 Ana 🌸", "Ana"), ("~Juan~", "Juan"), ("𝓐𝓷𝓪 𝓡𝓾𝓲𝔃", "Ana Ruiz"), ("\u202eana\u202c", "ana"),
     ("María José 👩\u200d👧", "María José"), ("Tienda 24/7", "Tienda 24/7"), ("Ana\nRuiz", "Ana Ruiz"), ("José Á.", "José Á"),
     ("O’Connor", "O’Connor"), ("李小龙", "李小龙"),
     (".", None), ("", None), ("💰", None), ("+57 300 123", None), ("\ud800x", None), ("\0", None)],
)  # fmt: skip
def test_clean_name(profile, name):
    assert clean_name(profile) == name


@given(st.text(st.characters(exclude_categories=()), max_size=300))
def test_a_clean_name_is_fit_to_store_and_stays_as_it_is(profile):
    name = clean_name(profile)
    if name is not None:
        assert 2 <= len(name.encode().decode()) <= 80
        assert clean_name(name) == name
