"""Names of things: CRM records, our aggregates, facts and writes.

An id is text with a stated form; whoever makes one normalises it here, so that two names of one
record are always equal. Ids of our own are derived (uuid5), never drawn, so that the same history
gives the same ids.
"""

import uuid
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple, NewType

#: an aggregate's stream: the text of a uuid5
StreamId = NewType("StreamId", str)
#: text of a uuid5 of the stream, version and place in it
WriteId = NewType("WriteId", str)
#: text of a uuid5 of what the fact says
FactId = NewType("FactId", str)

_NAMESPACE: Final = uuid.UUID("6f6a6d3c-4d5b-5e0a-9d5b-2b8a4c7d9e01")
_SUFFIX_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHORT_LENGTH: Final = 15
_LONG_LENGTH: Final = 18
_CHUNK: Final = 5
#: names remembered for each question: a batch asks for each of its records several times
_REMEMBERED: Final = 8_192


class Crm(StrEnum):
    """One of the two CRMs; also called a side of a pair."""

    SALESFORCE = "salesforce"
    HUBSPOT = "hubspot"

    @property
    def other(self) -> "Crm":
        """Return the CRM on the other side."""
        return Crm.HUBSPOT if self is Crm.SALESFORCE else Crm.SALESFORCE


class Kind(StrEnum):
    """What a CRM record is."""

    OPPORTUNITY = "opportunity"
    DEAL = "deal"
    #: a contact of either CRM; the `Ref` says which
    CONTACT = "contact"
    LEAD = "lead"
    ACCOUNT = "account"
    COMPANY = "company"
    #: record types, pipelines, stages, owners, users, schemas: what the catalog knows
    CATALOG = "catalog"


class Ref(NamedTuple):
    """One record of one CRM; a tuple, because it is looked up a hundred times a fact."""

    crm: Crm
    kind: Kind
    #: Salesforce: 18 characters, case-safe form; HubSpot: digits
    id: str

    @property
    def text(self) -> str:
        """Return `salesforce:opportunity:006…`."""
        return f"{self.crm}:{self.kind}:{self.id}"


@lru_cache(_REMEMBERED)
def opportunity(opportunity_id: str) -> Ref:
    """Name a Salesforce opportunity."""
    return Ref(Crm.SALESFORCE, Kind.OPPORTUNITY, opportunity_id)


@lru_cache(_REMEMBERED)
def deal(deal_id: str) -> Ref:
    """Name a HubSpot deal."""
    return Ref(Crm.HUBSPOT, Kind.DEAL, deal_id)


def derived(*parts: str) -> str:
    """Return the text of the uuid5 of the parts: same parts, same id."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(parts)))


@lru_cache(_REMEMBERED)
def stream_of(ref: Ref) -> StreamId:
    """Return the stream that a record founds when nothing else claims it."""
    return StreamId(derived("stream", ref.text))


#: the one stream of record types, pipelines, stages, owners, users and schemas
CATALOG_STREAM: Final = StreamId(derived("stream", "catalog"))
#: the one stream of adopted policies
POLICY_STREAM: Final = StreamId(derived("stream", "policy"))


@lru_cache(_REMEMBERED)
def salesforce_id(text: str) -> str:
    """Return the 18-character, case-safe form of a Salesforce id.

    Args:
        text: 15 characters (case matters) or 18 (the last three are checked by nobody else).

    Raises:
        ValueError: it has neither length, or a character that no id has.
    """
    if len(text) not in (_SHORT_LENGTH, _LONG_LENGTH) or not text.isalnum() or not text.isascii():
        message = f"expected a Salesforce id of 15 or 18 letters and digits, found {text!r}"
        raise ValueError(message)
    short = text[:_SHORT_LENGTH]
    return short + _suffix(short)


def is_salesforce_id(text: str) -> bool:
    """Tell whether the text has the form of a Salesforce id."""
    return len(text) in (_SHORT_LENGTH, _LONG_LENGTH) and text.isalnum() and text.isascii()


def is_hubspot_id(text: str) -> bool:
    """Tell whether the text has the form of a HubSpot record id: digits only."""
    return text.isascii() and text.isdigit()


def _suffix(short: str) -> str:
    """Return the three characters that make a 15-character id safe in any case."""
    letters = []
    for start in range(0, _SHORT_LENGTH, _CHUNK):
        chunk = short[start : start + _CHUNK]
        bits = sum(1 << place for place, letter in enumerate(chunk) if letter.isupper())
        letters.append(_SUFFIX_ALPHABET[bits])
    return "".join(letters)
