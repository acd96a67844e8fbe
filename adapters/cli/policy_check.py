"""`policy check`: what a file would change, over the pairs in the store, before it is adopted."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

from rich.console import Console
from rich.markup import escape

from adapters.bootstrap.present import Moment, Present
from adapters.bootstrap.stores import Stores
from adapters.cli import stories
from adapters.cli.output import CommandFailure, ExitCode, Output
from adapters.cli.policy_file import PolicyFile
from adapters.cli.session import Session
from domain import policy_difference
from domain.context import Context
from domain.pair import Pair, PairState
from domain.policy_difference import Finding, MappingChange, Weight
from domain.toml_table import line_of

#: pairs of one reading
PAGE_SIZE: Final = 500


@dataclass(frozen=True, slots=True)
class Checked:
    """What is to be known of a policy file."""

    file: PolicyFile
    #: None: there is no home, so it was compared with nothing
    in_force: int | None
    findings: tuple[Finding, ...]
    changes: tuple[MappingChange, ...]
    live_pairs: int

    def show(self, output: Output) -> None:
        """Print it."""
        output.show(
            "policy_check",
            {
                "file": self.file.where,
                "in_force": self.in_force,
                "findings": [
                    {**asdict(finding), "line": self._line(finding)} for finding in self.findings
                ],
                "changes": [asdict(change) for change in self.changes],
                "live_pairs": self.live_pairs,
            },
            self._print,
        )

    def _print(self, console: Console) -> None:
        for change in self.changes:
            unknown = f", {change.unknown} not known yet" if change.unknown else ""
            console.print(
                escape(
                    f"~ fields.{change.field} {change.what}: {change.differ} of {self.live_pairs}"
                    f" live pairs differ{unknown}"
                )
            )
        if any(change.differ or change.unknown for change in self.changes):
            console.print(
                "  they change only when the field changes afterwards, or by"
                " `dealsync import opportunities --fields` (rule no-retroactive)"
            )
        for finding in self.findings:
            mark = "✗" if finding.weight is Weight.PROBLEM else "!"
            line = self._line(finding)
            where = self.file.where if line is None else f"{self.file.where}: line {line}"
            console.print(escape(f"{mark} {where}: {finding.key}: {finding.text}"))
        if self.in_force is None:
            text = "is well-formed; there is no home, so it was compared with nothing"
            console.print(escape(f"✓ {self.file.where} {text}"))
        elif not self.findings:
            console.print(escape(f"✓ {self.file.where} can be adopted"))

    def _line(self, finding: Finding) -> int | None:
        return line_of(self.file.text, finding.key)


def without_home(file: PolicyFile) -> Checked:
    """Return what is known of a file where there is nothing to compare it with."""
    return Checked(file, None, (), (), 0)


def checked(session: Session, file: PolicyFile) -> Checked:
    """Compare a file with the policy in force, both CRMs' definitions, and the live pairs."""
    moment = Present(session.stores).moment()
    adopted = moment.adopted
    before = adopted.policy if adopted.policy_version else None
    live = list(_live_pairs(session)) if before is not None and before != file.policy else []
    context = _context(session, moment, file)
    return Checked(
        file=file,
        in_force=adopted.policy_version,
        findings=policy_difference.findings(before, file.policy, moment.catalog),
        changes=()
        if before is None
        else policy_difference.changes(before, file.policy, live, context),
        live_pairs=len(live),
    )


def refuse_problems(stores: Stores, file: PolicyFile) -> None:
    """Refuse to adopt what cannot work.

    What the policy in force has wrong already is no reason: a field that went missing must not keep
    anybody from switching the sync off.

    Raises:
        CommandFailure: the file has a problem that is new.
    """
    moment = Present(stores).moment()
    before = moment.adopted.policy if moment.adopted.policy_version else None
    known = policy_difference.findings(before, before, moment.catalog) if before else ()
    found = policy_difference.findings(before, file.policy, moment.catalog)
    problems = [f for f in found if f.weight is Weight.PROBLEM and f not in known]
    if problems:
        told = "; ".join(f"{finding.key}: {finding.text}" for finding in problems)
        raise CommandFailure(
            "policy_problems",
            f"{file.where}: expected a policy that can work, found {told}",
            hint=f"`dealsync policy check {file.where}` shows each with its line",
            exit_code=ExitCode.WRONG_INPUT,
        )


def _context(session: Session, moment: Moment, file: PolicyFile) -> Context:
    return Context(
        policy=file.policy,
        policy_version=moment.adopted.policy_version,
        catalog=moment.catalog,
        identities={},
        at=session.clock.now(),
    )


def _live_pairs(session: Session) -> Iterator[Pair]:
    views, after = session.stores.views, None
    while page := views.pairs(state=PairState.LIVE, after=after, limit=PAGE_SIZE):
        after = page[-1].pair_id
        loaded = session.stores.decisions.load([row.pair_id for row in page], ())
        for stored in loaded.events.values():
            state = stories.folded_events(one.event for one in stored)
            if isinstance(state, Pair):
                yield state
