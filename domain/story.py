"""A telling about a pair: what a weighing found wrong, what the pair waits for, how it ends.

A rule reads `story.pair`, tells an event, and the next rule reads what came of it.
"""

from operator import attrgetter
from typing import Final

from domain import events, pair_history
from domain.context import Context
from domain.facts import Fact
from domain.issues import PROBLEMS, Problem
from domain.pair import Pair
from domain.rules import RuleId
from domain.telling import Said, Telling

#: events that say only what was seen, or close the books
_QUIET: Final = (
    events.SideNoted,
    events.RolesNoted,
    events.AssociationsNoted,
    events.WaitingChanged,
    events.SummaryChanged,
    events.EchoSeen,
    events.ContactLinkCrossed,
    events.RecordFounded,
)


#: after these nothing of the pair crosses until a person says so
_OUT_OF_THE_SYNC: Final = (events.PairDetached, events.PairDeleted)


class Story(Telling[Pair]):
    """The events of one decision, and the pair as they leave it."""

    def __init__(self, pair: Pair, fact: Fact, context: Context) -> None:
        """Begin with the pair as it is."""
        super().__init__(pair, fact, context, pair_history.evolve)
        self._problems: dict[tuple[str, str], str] = {}
        self._weighed = False
        self._waits: set[str] = set()

    @property
    def pair(self) -> Pair:
        """Return the pair as the events told so far leave it."""
        return self.state

    def problem(self, kind: Problem, subject: str, text: str) -> None:
        """Report a problem that exists now; those of the last weighing that do not, close."""
        self._problems[kind.code, subject] = text

    def open_issue(self, kind: Problem, subject: str, text: str) -> None:
        """Open an issue at once, outside of a weighing."""
        if (kind.code, subject) not in self.pair.issues:
            opened = events.IssueOpened(
                **self.said(kind.rule), code=kind.code, subject=subject, text=text
            )
            self.tell(opened)

    def wait_for(self, key: str) -> None:
        """Ask to be woken when `key` comes."""
        self._waits.add(key)

    def weighed(self) -> None:
        """Say that every problem and wait was looked at anew in this decision."""
        self._weighed = True

    def finish(self) -> tuple[events.Event, ...]:
        """Close the books and return the events, never empty; other streams' come last."""
        if self._weighed:
            self._settle_issues()
            keys = tuple(sorted(self._waits))
            if keys != self.pair.waiting:
                self.tell(events.WaitingChanged(**self.said(RuleId.EXPLAIN), keys=keys))
        elif any(isinstance(event, _OUT_OF_THE_SYNC) for event in self.events):
            self._leave_open_what_stands()
        self._summarise()
        if self._reasons and all(isinstance(event, _QUIET) for event in self.events):
            rule, reason = self._reasons[0]
            self.tell(events.NothingDecided(**self.said(rule), reason=reason))
        if not self.events:
            reason = "nothing that takes part in the sync changed"
            self.tell(events.NothingDecided(**self.said(RuleId.TRIGGER_FIELDS), reason=reason))
        return (*self.events, *self.elsewhere)

    def _settle_issues(self) -> None:
        for code, subject in sorted(self.pair.issues):
            standing = PROBLEMS[code].standing
            if (code, subject) not in self._problems and not standing:
                rule = PROBLEMS[code].rule
                closed = events.IssueClosed(**self.said(rule), code=code, subject=subject)
                self.tell(closed)
        for (code, subject), text in sorted(self._problems.items()):
            if self.pair.issues.get((code, subject)) != text:
                rule = PROBLEMS[code].rule
                self.tell(
                    events.IssueOpened(**self.said(rule), code=code, subject=subject, text=text)
                )

    def _leave_open_what_stands(self) -> None:
        """Close what nobody can or need mend of a pair that syncs no more; a resume looks anew."""
        told = {(e.code, e.subject) for e in self.events if isinstance(e, events.IssueOpened)}
        for code, subject in sorted(self.pair.issues):
            if not PROBLEMS[code].standing and (code, subject) not in told:
                rule = PROBLEMS[code].rule
                self.tell(events.IssueClosed(**self.said(rule), code=code, subject=subject))
        if self.pair.waiting:
            self.tell(events.WaitingChanged(**self.said(RuleId.EXPLAIN), keys=()))

    def _summarise(self) -> None:
        pair, last = self.pair, self.pair.summary
        summary = _summary(pair, self.said(RuleId.EXPLAIN))
        if last is None or _essence(summary) != _essence(last):
            self.tell(summary)


#: what a summary says, without the fact that led to it
_essence: Final = attrgetter(
    *(events.SummaryChanged.model_fields.keys() - {"at", "cause", "by", "policy_version", "epoch"})
)


def _summary(pair: Pair, said: Said) -> events.SummaryChanged:
    """Say what people and roll-ups see of a pair."""
    opportunity, deal = pair.salesforce.note, pair.hubspot.note
    born = [note.created_at for note in (opportunity, deal) if note is not None]
    lead = opportunity or deal
    return events.SummaryChanged(
        **said,
        state=pair.state,
        opportunity_id=pair.salesforce.current,
        deal_id=pair.hubspot.current,
        name=_synced(pair, "name"),
        contact_ids=tuple(sorted(contact.contact_id for contact in pair.associations)),
        created_at=min(born) if born else None,
        amount=_synced(pair, "amount"),
        close_date=_synced(pair, "close_date"),
        is_closed=lead.is_closed if lead is not None else False,
        is_won=lead.is_won if lead is not None else False,
        record_type_id=pair.record_type_id,
        pipeline_id=pair.pipeline_id,
        account_id=opportunity.account_id if opportunity is not None else None,
        company_id=pair.company_id,
    )


def _synced(pair: Pair, name: str) -> str | None:
    """Return the last synced value, else what the one known side holds."""
    state = pair.field(name)
    if state.base is not None:
        return state.base.salesforce
    return state.salesforce.known if state.salesforce.seen else state.hubspot.known
