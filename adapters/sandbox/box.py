"""What a sandbox is: an object that answers requests over its own tables, given the time.

No socket, thread, clock or randomness: the same requests at the same instants give the same
answers, so the simulator can hold one and a server can skin it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from adapters.http_transport import HttpRequest, HttpResponse
from adapters.sandbox.tables import JsonValue, Tables


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, and what the access log says about it."""

    response: HttpResponse
    #: the user name (Salesforce) or the token (HubSpot) that asked; "" if nobody was signed in
    who: str
    #: ids of the records the request was about, in its order
    records: tuple[str, ...] = ()
    #: whether any record's state changed
    changed: bool = False


class ActionRefusedError(Exception):
    """A screen action that the CRM would not let a person do; the message says why."""


class Box(Protocol):
    """One CRM in a sandbox."""

    tables: Tables

    def answer(self, request: HttpRequest, at: datetime) -> Answer:
        """Answer a request to one of the vendor's own paths."""
        ...

    def act(self, action: str, arguments: Mapping[str, JsonValue], at: datetime) -> Answer:
        """Do what a person does in a screen and no REST call can.

        Raises:
            ActionRefusedError: unknown action, unknown record, or the CRM would refuse.
        """
        ...

    def who(self, request: HttpRequest, at: datetime) -> str:
        """Return the user name or token that a request is signed with; "" for nobody.

        Changes nothing: faults are matched with it before the request is answered.
        """
        ...

    def seed_basics(self, at: datetime) -> None:
        """Put what a new account has: users or owners, schemas, record types or pipelines."""
        ...
