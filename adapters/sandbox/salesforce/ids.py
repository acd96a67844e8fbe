"""Salesforce record ids: 15 characters that depend on case, and 3 that make them case-safe.

Each of the three last characters says which letters of one block of five are capitals.
"""

from functools import lru_cache

#: the digits of an id, in the order in which text sorts
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#: the 32 patterns of capitals in a block of five
SUFFIX_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
SHORT = 15
LONG = 18
BLOCK = 5
#: stands after the key prefix in every id of a sandbox
INSTANCE = "SB0"
#: how many digits are left for the number
DIGITS = 9
#: the record type of records that have none
MASTER_RECORD_TYPE = "012000000000000AAA"


class MalformedIdError(ValueError):
    """Not 15 or 18 letters and digits, or the last three contradict the rest."""


@lru_cache(maxsize=65_536)
def normalise(text: str) -> str:
    """Return the 18-character form of an id of 15 or 18 characters.

    Raises:
        MalformedIdError: it is no id.
    """
    if len(text) not in (SHORT, LONG) or not (text.isascii() and text.isalnum()):
        raise MalformedIdError(text)
    long = text[:SHORT] + suffix(text[:SHORT])
    if len(text) == LONG and long[SHORT:] != text[SHORT:].upper():
        raise MalformedIdError(text)
    return long


def suffix(short: str) -> str:
    """Return the three characters that follow a 15-character id."""
    letters = ""
    for start in range(0, SHORT, BLOCK):
        capitals = sum(
            1 << place
            for place, character in enumerate(short[start : start + BLOCK])
            if "A" <= character <= "Z"
        )
        letters += SUFFIX_ALPHABET[capitals]
    return letters


def numbered(prefix: str, number: int) -> str:
    """Return the 18-character id of the `number`th record under a key prefix."""
    digits = ""
    rest = number
    for _ in range(DIGITS):
        rest, digit = divmod(rest, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    short = prefix + INSTANCE + digits
    return short + suffix(short)
