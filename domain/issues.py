"""The problems that a person can see: a stable number, a title, and what to do.

An issue belongs to a stream and a subject; equal numbers are one group. A *standing* issue stays
until a person retries or discards it; every other one closes by itself when its cause is gone.
"""

from dataclasses import dataclass
from typing import Final

from domain.rules import RuleId


@dataclass(frozen=True, slots=True)
class Problem:
    """One numbered kind of issue."""

    code: str
    rule: RuleId
    title: str
    fix: str
    standing: bool = False


DELETED_WHILE_OFF: Final = Problem(
    "DS101",
    RuleId.DEAL_SYNC_SWITCH,
    "opportunity deleted while deal sync was off",
    "delete the deal by hand, or keep it; then discard this issue",
    standing=True,
)
PERMISSION_MISSING: Final = Problem(
    "DS102",
    RuleId.PERMISSION,
    "the integration user lacks a permission",
    "grant Modify All Data or Modify Metadata Through Metadata API Functions",
)
OTHER_CONNECTOR: Final = Problem(
    "DS103",
    RuleId.OTHER_CONNECTOR,
    "another connector syncs this deal",
    "switch the other connector's deal sync off; creates go on by themselves",
)
LINKS_DISAGREE: Final = Problem(
    "DS201",
    RuleId.COPIED_LINK,
    "links name more than one counterpart",
    "pair the right two with `dealsync pairs link`",
    standing=True,
)
SECOND_COUNTERPART: Final = Problem(
    "DS202",
    RuleId.ONCE_PAIRED,
    "an earlier counterpart came back while another has its place",
    "delete one of the two, or choose with `dealsync pairs link`",
    standing=True,
)
CONTACT_AMBIGUOUS: Final = Problem(
    "DS203",
    RuleId.CONTACT_IDENTITY,
    "a contact has more than one possible counterpart",
    "give the HubSpot contact its salesforcecontactid, or make the e-mail addresses unique",
)
ACCOUNT_AMBIGUOUS: Final = Problem(
    "DS204",
    RuleId.ACCOUNT_IDENTITY,
    "an account has more than one possible company",
    "put the account's id on the right company's salesforceaccountid",
)
BEYOND_LIMIT: Final = Problem(
    "DS301",
    RuleId.PIPELINE_LIMIT,
    "a record type has no room for its pipeline",
    "raise pipelines.limit (or the subscription), or put it first in pipelines.order",
)
RECORD_TYPE_GONE: Final = Problem(
    "DS302",
    RuleId.RECORD_TYPE_GONE,
    "the record type is not active any more",
    "move the deal to another pipeline, or activate the record type",
)
STAGE_UNMAPPED: Final = Problem(
    "DS303",
    RuleId.STAGE_MAP,
    "a stage has no counterpart",
    "add the stage in the other CRM, or map it under [stages] in the policy",
)
PIPELINE_NOT_READY: Final = Problem(
    "DS304",
    RuleId.STAGE_MAP,
    "the record type's pipeline is not complete yet",
    "run `dealsync setup`; if HubSpot refused it, `dealsync issues list` says why",
)
CATALOG_REFUSED: Final = Problem(
    "DS305",
    RuleId.RECORD_TYPE_PIPELINE,
    "a pipeline, stage, property or field could not be made",
    "make it by hand as written, or grant the right, then run `dealsync setup`",
)
VALUE_UNMAPPED: Final = Problem(
    "DS401",
    RuleId.VALUE_MAP,
    "a value has no counterpart in the other CRM",
    "add it to the field's table of values in the policy, or choose another value",
)
OWNER_UNMATCHED: Final = Problem(
    "DS402",
    RuleId.OWNER,
    "the owner has no counterpart",
    "give the person the same e-mail and full name in both CRMs, and activate both",
)
REQUIRED_MISSING: Final = Problem(
    "DS403",
    RuleId.REQUIRED,
    "a required value is missing",
    "fill it in; the sync goes on by itself",
)
CLOSE_DATE_REWRITTEN: Final = Problem(
    "DS404",
    RuleId.CLOSE_DATE_REWRITE,
    "HubSpot keeps rewriting the close date",
    "correct the close date in HubSpot, or switch its automation off",
)
NOT_TAKEN: Final = Problem(
    "DS405",
    RuleId.NOT_TAKEN,
    "a CRM accepts a value and stores another",
    "look for a flow, roll-up or default on the field; then `dealsync issues retry`",
)
FIELD_REFUSED: Final = Problem(
    "DS406",
    RuleId.PARTIAL_REJECT,
    "a CRM refused a value",
    "correct the value or the CRM's rule; it goes again by itself when either changes",
)
WRITE_REFUSED: Final = Problem(
    "DS407",
    RuleId.PARTIAL_REJECT,
    "a CRM refused a write",
    "read the CRM's message; then change the record or `dealsync issues retry`",
)
DECISION_NEEDED: Final = Problem(
    "DS408",
    RuleId.FIELD_RULE,
    "both sides changed at once",
    "choose with `dealsync issues decide ID salesforce` or `… hubspot`",
)
NOT_READABLE: Final = Problem(
    "DS409",
    RuleId.CANONICAL,
    "a value is not of the mapping's type",
    "correct the value, or the mapping's type in the policy",
)
REQUIRED_CLEARED: Final = Problem(
    "DS410",
    RuleId.REQUIRED,
    "a required value was cleared in HubSpot and put back",
    "nothing to do if the value shown is right: it closes when the field changes next, or by"
    " `dealsync issues discard`",
)
LABELLED_ASSOCIATION: Final = Problem(
    "DS501",
    RuleId.CONTACT_REMOVAL,
    "a labelled association was not removed",
    "remove it in HubSpot if it is not wanted",
)
DELETES_HELD: Final = Problem(
    "DS602",
    RuleId.DELETE_FUSE,
    "more deletes than the policy allows at once are held",
    "look at them with `dealsync writes list --state held`; then `dealsync writes release`, or"
    " `dealsync writes cancel --held` to keep the deals",
)
MERGE_LEFT_OVER: Final = Problem(
    "DS601",
    RuleId.MERGE,
    "the deal was merged away and its opportunity is left without one",
    "link it with `dealsync pairs link`, or delete it in Salesforce",
    standing=True,
)

PROBLEMS: Final[dict[str, Problem]] = {
    problem.code: problem
    for problem in (
        DELETED_WHILE_OFF,
        PERMISSION_MISSING,
        OTHER_CONNECTOR,
        LINKS_DISAGREE,
        SECOND_COUNTERPART,
        CONTACT_AMBIGUOUS,
        ACCOUNT_AMBIGUOUS,
        BEYOND_LIMIT,
        RECORD_TYPE_GONE,
        STAGE_UNMAPPED,
        PIPELINE_NOT_READY,
        CATALOG_REFUSED,
        VALUE_UNMAPPED,
        OWNER_UNMATCHED,
        REQUIRED_MISSING,
        CLOSE_DATE_REWRITTEN,
        NOT_TAKEN,
        FIELD_REFUSED,
        WRITE_REFUSED,
        DECISION_NEEDED,
        NOT_READABLE,
        REQUIRED_CLEARED,
        LABELLED_ASSOCIATION,
        MERGE_LEFT_OVER,
        DELETES_HELD,
    )
}
