"""How people name things on the command line: CRM records, streams, instants.

| id | record |
|---|---|
| `006…`, 15 or 18 characters | Salesforce opportunity |
| `001…`, `003…` | Salesforce account, contact |
| digits | HubSpot deal |
| `contact:77`, `company:77` | HubSpot contact, company |
| 36 characters with hyphens | one of our own streams, as `--json` prints it |
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from adapters.bootstrap.stores import Stores
from adapters.cli.output import CommandFailure, ExitCode
from domain import ids
from domain.ids import CATALOG_STREAM, POLICY_STREAM, Crm, Kind, Ref, StreamId

_STREAM: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_AGO: Final = re.compile(r"(\d{1,6})([smhd])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SALESFORCE_KINDS: Final = {
    "006": Kind.OPPORTUNITY,
    "001": Kind.ACCOUNT,
    "003": Kind.CONTACT,
}
_HUBSPOT_KINDS: Final = {
    "deal": Kind.DEAL,
    "contact": Kind.CONTACT,
    "company": Kind.COMPANY,
}
#: streams of which there is one each
_NAMED_STREAMS: Final = {"catalog": CATALOG_STREAM, "policy": POLICY_STREAM}
_EXPECTED: Final = (
    "an opportunity (006…), a deal (digits), contact:77, company:77, a Salesforce contact (003…)"
    " or account (001…)"
)


@dataclass(frozen=True, slots=True)
class Named:
    """What an id on the command line stands for."""

    #: as it was written
    text: str
    stream: StreamId
    #: None: a stream was named by its own id
    ref: Ref | None


def record_of(text: str) -> Ref:
    """Return the record that an id names.

    Raises:
        CommandFailure: it is no id.
    """
    kind = _SALESFORCE_KINDS.get(text[:3])
    if kind is not None and ids.is_salesforce_id(text):
        return Ref(Crm.SALESFORCE, kind, ids.salesforce_id(text))
    word, colon, number = text.rpartition(":")
    hubspot = _HUBSPOT_KINDS.get(word if colon else "deal")
    if hubspot is not None and ids.is_hubspot_id(number):
        return Ref(Crm.HUBSPOT, hubspot, number)
    raise CommandFailure(
        "no_id",
        f"expected {_EXPECTED}, found {text!r}",
        exit_code=ExitCode.WRONG_INPUT,
    )


def resolve(stores: Stores, text: str) -> Named:
    """Return the stream that an id leads to.

    Raises:
        CommandFailure: it is no id, or nothing of that id was ever seen.
    """
    stream = _NAMED_STREAMS.get(text) or (StreamId(text) if _STREAM.fullmatch(text) else None)
    if stream is not None:
        if not stores.decisions.load((stream,), ()).events.get(stream):
            raise _not_found(text)
        return Named(text, _carried_on(stores, stream), None)
    ref = record_of(text)
    owner = stores.views.owner(ref)
    if owner is None:
        raise _not_found(text)
    return Named(text, _carried_on(stores, owner.stream), ref)


def resolve_pair(stores: Stores, text: str) -> Named:
    """Return the pair that an opportunity or a deal belongs to.

    Raises:
        CommandFailure: it is no id of a pair, or nothing of that id was ever seen.
    """
    is_own = text in _NAMED_STREAMS or _STREAM.fullmatch(text)
    if not is_own and record_of(text).kind not in (Kind.OPPORTUNITY, Kind.DEAL):
        raise CommandFailure(
            "no_pair",
            f"expected an opportunity (006…) or a deal (digits), found {text!r}",
            exit_code=ExitCode.WRONG_INPUT,
        )
    return resolve(stores, text)


def uuid_of(text: str) -> str:
    """Return an id of our own, such as a write's.

    Raises:
        CommandFailure: it is none.
    """
    if not _STREAM.fullmatch(text):
        raise CommandFailure(
            "no_id",
            f"expected an id of 36 characters, as lists print it, found {text!r}",
            exit_code=ExitCode.WRONG_INPUT,
        )
    return text


def instant_of(text: str, now: datetime) -> datetime:
    """Return the instant that a text names: ISO 8601, or so long ago (`90s`, `15m`, `2h`, `3d`).

    Raises:
        CommandFailure: it names none.
    """
    try:
        if (ago := _AGO.fullmatch(text)) is not None:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise CommandFailure(
            "no_time",
            f"expected a time such as 2026-11-24T09:00:00Z, 2026-11-24 or 2h, found {text!r}",
            exit_code=ExitCode.WRONG_INPUT,
        ) from error


def _carried_on(stores: Stores, stream: StreamId) -> StreamId:
    """Return the stream that carries an absorbed half pair on, else the stream itself."""
    row = stores.views.pair(stream)
    return row.pair_id if row is not None else stream


def _not_found(text: str) -> CommandFailure:
    return CommandFailure(
        "not_found",
        f"expected a record that was seen before, found nothing of {text}",
        hint="`dealsync pairs list` shows what is known; `dealsync sync ID` reads a record now",
    )
