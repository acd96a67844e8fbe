"""Who wins when both sides changed a field (rules `who-wins`, `value-time`).

The article is silent; the vendor says "the most recent value". A change made by someone who had the
other side's value before the eyes is **sequential** and wins, whatever the clocks of the two CRMs
say. Otherwise the changes are **concurrent** and the later source time wins; a tie, a difference
below the declared skew, or a time inside the other's interval goes to Salesforce and is marked
**ambiguous**. The loser's value is kept in the event and can be restored.

| Salesforce changed | HubSpot changed | seen | times | winner | how |
|---|---|---|---|---|---|
| yes | no | – | – | Salesforce | sequential |
| no | yes | – | – | HubSpot | sequential |
| yes | yes | HubSpot's author saw Salesforce's value | any | HubSpot | sequential |
| yes | yes | Salesforce's author saw HubSpot's value | any | Salesforce | sequential |
| yes | yes | neither | clearly apart | the later | concurrent |
| yes | yes | neither | closer than the skew, or inside an interval | Salesforce | ambiguous |

A HubSpot value has its own time (exact); a polled Salesforce value has an interval: after the last
observation that showed the old value, and not after the SystemModstamp of the one that shows the
new.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from domain.ids import Crm
from domain.registers import Foreign


class How(StrEnum):
    """How a winner was found."""

    SEQUENTIAL = "sequential"
    CONCURRENT = "concurrent"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whose change stands; None: nobody has changed anything."""

    winner: Crm | None
    how: How


def who_wins(salesforce: Foreign | None, hubspot: Foreign | None, *, skew: timedelta) -> Verdict:
    """Return whose change stands.

    Args:
        salesforce: the latest change in Salesforce that we did not make, or None.
        hubspot: the same for HubSpot.
        skew: how far the two CRMs' clocks may be apart.
    """
    if salesforce is None:
        return Verdict(None if hubspot is None else Crm.HUBSPOT, How.SEQUENTIAL)
    if hubspot is None:
        return Verdict(Crm.SALESFORCE, How.SEQUENTIAL)
    hubspot_saw = hubspot.saw is not None and hubspot.saw >= salesforce.high
    salesforce_saw = salesforce.saw is not None and salesforce.saw >= hubspot.high
    if hubspot_saw != salesforce_saw:
        return Verdict(Crm.HUBSPOT if hubspot_saw else Crm.SALESFORCE, How.SEQUENTIAL)
    if _clearly_before(salesforce, hubspot, skew):
        return Verdict(Crm.HUBSPOT, How.CONCURRENT)
    if _clearly_before(hubspot, salesforce, skew):
        return Verdict(Crm.SALESFORCE, How.CONCURRENT)
    return Verdict(Crm.SALESFORCE, How.AMBIGUOUS)


def _clearly_before(first: Foreign, second: Foreign, skew: timedelta) -> bool:
    """Tell whether `first` ended before `second` can have begun, by more than the skew."""
    return second.low is not None and first.high + skew < second.low
