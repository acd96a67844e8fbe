"""Brings an engine from started to ready: the policy adopted, the setup done.

Works for an engine that runs in this process and for one that runs elsewhere: it only appends
requests to the log and looks at what was decided.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from adapters.bootstrap import requests
from adapters.bootstrap.present import Present
from adapters.bootstrap.stores import Stores
from adapters.cli.output import CommandFailure
from adapters.cli.policy_file import PolicyFile
from adapters.cli.requesting import operator
from adapters.cli.stopping import StopRequest
from domain import events, ids
from domain.ids import Crm, Kind, StreamId
from domain.pair import PairState
from domain.policy import Policy
from domain.ports import Refresh
from projections.signals import WANTED

#: between two looks at what was decided
LOOK_SECONDS: Final = 0.05
#: between two wishes that a CRM's definitions be read again
READ_AGAIN_SECONDS: Final = 1.0
#: pairs looked up at once
PAGE_SIZE: Final = 500
_IN_THE_SYNC: Final = (PairState.LIVE, PairState.WAITING, PairState.STOPPED)


class StoppedError(Exception):
    """Somebody asked this process to end before it was ready."""


class Asking:
    """Asks the engine for things and waits for the answers.

    Args:
        stores: where requests go and answers come from.
        now: our clock.
        go_on: called between two looks; raises to give up, may step the loops itself.
    """

    def __init__(
        self, stores: Stores, now: Callable[[], datetime], go_on: Callable[[], None]
    ) -> None:
        self._stores = stores
        self._present = Present(stores)
        self._now = now
        self._go_on = go_on

    def adopt(self, wanted: PolicyFile) -> int:
        """Have a policy adopted unless it is in force; return the version in force.

        Raises:
            CommandFailure: another policy was adopted meanwhile.
        """
        adopted = self._present.moment().adopted
        if adopted.policy_version and adopted.policy == wanted.policy:
            return adopted.policy_version
        fact_id = requests.propose_policy(
            self._stores,
            wanted.policy,
            wanted.text,
            replaces=adopted.policy_version,
            at=self._now(),
            by=operator(),
        )
        while True:
            match requests.answer_to(fact_id, self._present.moment()):
                case events.PolicyAdopted(version=version):
                    self._learn_new_fields(adopted.policy, wanted.policy, fact_id)
                    return version
                case events.PolicyRefused(reason=reason):
                    raise CommandFailure("policy_refused", reason, retryable=True)
                case None:
                    self._go_on()

    def set_up(self) -> None:
        """Have everything made that both CRMs need, and read again."""
        fact_id = requests.request_setup(self._stores, at=self._now(), by=operator())
        wished_at: datetime | None = None
        while not requests.is_set_up(fact_id, self._present.moment()):
            if requests.is_made(fact_id, self._present.moment()):
                at = self._now()
                if wished_at is None or (at - wished_at).total_seconds() > READ_AGAIN_SECONDS:
                    self._read_again(fact_id, at)
                    wished_at = at
            self._go_on()

    def _learn_new_fields(self, before: Policy, after: Policy, cause: str) -> None:
        """Have the pairs in the sync read once where fields are mapped that were not before.

        What such a field holds now is what its first edit is told from (rule `no-retroactive`).
        """
        known = {mapping.name for mapping in before.mappings}
        if known.issuperset(mapping.name for mapping in after.mappings):
            return
        at = self._now()
        for state in _IN_THE_SYNC:
            last: StreamId | None = None
            while page := self._stores.views.pairs(state=state, after=last, limit=PAGE_SIZE):
                last = page[-1].pair_id
                records = [
                    *(ids.opportunity(row.opportunity_id) for row in page if row.opportunity_id),
                    *(ids.deal(row.deal_id) for row in page if row.deal_id),
                ]
                self._stores.refreshes.add(
                    [Refresh(ref.crm, ref.kind, ref.id, WANTED, cause, at) for ref in records]
                )

    def _read_again(self, cause: str, at: datetime) -> None:
        """Have both CRMs' definitions read now: their own rhythm may be minutes."""
        self._stores.refreshes.add(
            [Refresh(crm, Kind.CATALOG, "", WANTED, cause, at) for crm in Crm]
        )


def until_stopped(stop: StopRequest, check: Callable[[], None]) -> Callable[[], None]:
    """Return what to do between two looks while the engine runs in threads of this process."""

    def go_on() -> None:
        check()
        if stop.wait(LOOK_SECONDS):
            raise StoppedError

    return go_on
