"""The steps of the demo in which something goes wrong: conflicts, interruptions, mass deletion.

Each step is what it says, its rules, the act, when it came true, and a command that explains it.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from adapters.cli.demo_people import People
from adapters.cli.demo_sides import Sides
from adapters.cli.demo_terminal import Terminal

Parts: TypeAlias = tuple[str, str, Callable[[], object], Callable[[Sides], bool], tuple[str, ...]]

BOTH: Final = ("as Salesforce has it", "as HubSpot has it")
AGAIN: Final = ("Salesforce once more", "HubSpot once more")
WHILE_OFF: Final = "edited while switched off"
#: more than the fuse lets through, with the deletions of the story before
MANY: Final = 24


def conflicts(people: People, terminal: Terminal) -> tuple[Parts, ...]:
    """Return what becomes of two edits at once, and of values that cannot cross."""
    hold = '[fields.description]\nrule = "hold"\n'
    restoring = _Restoring(people, terminal)

    def hold_the_next() -> None:
        terminal.run("policy", "adopt", terminal.file("hold.toml", hold))
        people.edit_both(description=AGAIN)

    return (
        (
            "Both sides are changed at once: one wins, and the other value is kept",
            "who-wins, value-time",
            lambda: people.edit_both(description=BOTH),
            _has_description(*BOTH),
            ("why", "{deal}", "description"),
        ),
        (
            "The value that lost is wanted after all, and restored on both sides",
            "who-wins, field-rule",
            restoring.act,
            restoring.came_true,
            ("pairs", "restore", "{deal}", "description", "--list"),
        ),
        (
            "Under the rule `hold` nobody wins: nothing is written, and an issue asks a person",
            "field-rule, policy-change",
            hold_the_next,
            lambda s: _stays_apart(s) and "DS408" in terminal.ask("issues", "list"),
            ("issues", "show", "{deal}"),
        ),
        (
            "The person decides",
            "field-rule",
            lambda: terminal.run("issues", "decide", people.deal_id, "hubspot"),
            _has_description(AGAIN[1]),
            (),
        ),
        (
            "The name is cleared in HubSpot: Salesforce needs one, so it is put back",
            "required, blank",
            lambda: people.edit_deal(dealname=""),
            lambda s: s.deal.get("dealname") == "Harbour Lights II",
            (),
        ),
        (
            "A type that HubSpot does not have holds that field only; the amount goes on",
            "value-map, partial-reject",
            lambda: people.edit_opportunity(Type="Existing Customer - Upgrade", Amount="1600"),
            lambda s: s.deal.get("amount") == "1600",
            ("issues", "list"),
        ),
    )


def interruptions(people: People, terminal: Terminal) -> tuple[Parts, ...]:
    """Return what happens while a CRM does not serve us, or nothing may be written."""

    def take_permission() -> None:
        people.permit(allowed=False)
        while "Modify All Data" not in terminal.ask("status"):
            pass
        people.edit_opportunity(Amount="1800")

    def switch_off() -> None:
        off = "[switches]\ndeal_sync = false\n"
        terminal.run("policy", "adopt", terminal.file("off.toml", off))
        people.edit_opportunity(Description=WHILE_OFF)

    def switch_on() -> None:
        terminal.run("policy", "adopt", terminal.file("on.toml", ""))
        people.edit_opportunity(Amount="1900")

    def throttle() -> None:
        people.throttle_hubspot()
        people.edit_opportunity(Amount="1700")

    return (
        (
            "HubSpot says that our calls are used up: its writes pause, nothing is lost",
            "suspend",
            throttle,
            lambda s: s.deal.get("amount") == "1600" and "hubspot.write" in terminal.ask("status"),
            ("status",),
        ),
        (
            "HubSpot answers again: the write goes by itself",
            "suspend",
            people.serve_again,
            lambda s: s.deal.get("amount") == "1700",
            (),
        ),
        (
            "The integration user loses its permission: nothing is written, everything waits",
            "permission",
            take_permission,
            lambda s: (
                s.deal.get("amount") == "1700"
                and " waits: " in terminal.ask("why", people.deal_id, "amount")
            ),
            ("why", "{deal}", "amount"),
        ),
        (
            "It has its permission again: the write goes by itself",
            "permission",
            lambda: people.permit(allowed=True),
            lambda s: s.deal.get("amount") == "1800",
            (),
        ),
        (
            "Deal sync is switched off: edits are recorded, nothing crosses",
            "deal-sync-switch",
            switch_off,
            people.for_a_while(lambda s: s.deal.get("description") != WHILE_OFF),
            (),
        ),
        (
            "It is switched on: the next edit takes along what was edited meanwhile",
            "deal-sync-switch, policy-change",
            switch_on,
            lambda s: s.deal.get("description") == WHILE_OFF and s.deal["amount"] == "1900",
            (),
        ),
    )


def merge_and_fuse(people: People, terminal: Terminal) -> tuple[Parts, ...]:
    """Return a merge of two deals, and a mass deletion that somebody did not mean."""

    def merge() -> None:
        people.merge_in_another("Mill Road, once more", amount="310", ready=lambda: True)

    def delete_many() -> None:
        chosen = people.existing(MANY)
        terminal.run("import", "opportunities", "--ids", ",".join(chosen))
        terminal.ask("wait")
        people.look_after(chosen[-1])
        people.delete_opportunities(chosen)

    return (
        (
            "Two deals are merged in HubSpot: the survivor keeps its opportunity, the other stays",
            "merge",
            merge,
            lambda s: (
                not s.deal_is_archived
                and not s.opportunity_is_deleted
                and "DS601" in terminal.ask("issues", "list")
            ),
            ("issues", "show", "DS601"),
        ),
        (
            "Two dozen opportunities are deleted at once: the fuse holds the deals' deletion",
            "delete-fuse",
            delete_many,
            lambda s: s.opportunity_is_deleted and "DS602" in terminal.ask("issues", "list"),
            ("issues", "list"),
        ),
        (
            "A person discards them: the deals stay",
            "delete-fuse",
            lambda: terminal.run("writes", "cancel", "--held"),
            lambda s: "DS602" not in terminal.ask("issues", "list") and bool(s.deal),
            (),
        ),
    )


class _Restoring:
    """Restores the description that lost, whichever it was."""

    def __init__(self, people: People, terminal: Terminal) -> None:
        self._people = people
        self._terminal = terminal
        self._stood = ""

    def act(self) -> None:
        """Remember what stands now, and have the other value restored."""
        self._stood = self._people.look().opportunity.get("Description", "")
        self._terminal.run("pairs", "restore", self._people.deal_id, "description")

    def came_true(self, sides: Sides) -> bool:
        """Tell whether both sides have the other value."""
        return _has_description(*BOTH)(sides) and sides.deal.get("description") != self._stood


def _has_description(*texts: str) -> Callable[[Sides], bool]:
    """Return a check that both sides have one and the same of these descriptions."""
    return lambda s: s.opportunity.get("Description") == s.deal.get("description") in texts


def _stays_apart(sides: Sides) -> bool:
    return (sides.opportunity.get("Description"), sides.deal.get("description")) == AGAIN
