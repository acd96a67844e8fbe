"""What a person asks of one pair (rules `once-paired`, `no-matching`, `partial-reject`, `field-rule`).

| request | answer |
|---|---|
| resume | attaches what lives, else creates what is missing |
| unlink | the pair is detached; nothing crosses |
| retry | held fields and refused writes go again |
| discard | a standing issue closes |
| restore FIELD VALUE | both sides get that value, as if a person had chosen it now |
| decide FIELD SIDE | that side's value of a held field stands |
"""

from domain import events, issues
from domain.facts import PairRequested
from domain.ids import Crm
from domain.mapping import OWNER, REQUIRED, Mapping
from domain.pair import EVERY_FIELD
from domain.rules import RuleId, field_rules, restoration, values
from domain.story import Story


def answer(story: Story, fact: PairRequested) -> bool:
    """Do what was asked; True: the pair is to be weighed now."""
    match fact.action:
        case "resume":
            restoration.resume(story)
            return True
        case "unlink":
            restoration.unlink(story)
            return False
        case "retry":
            _retry(story)
            return True
        case "discard":
            _discard(story, fact)
            return False
        case "restore":
            return _restore(story, fact)
        case "decide":
            return _decide(story, fact)
        case _:
            story.not_because(RuleId.EXPLAIN, f"unknown request {fact.action!r}")
            return False


def is_refused(story: Story, topic: str) -> bool:
    """Tell whether that kind of write was refused whole; if so, report it and wait."""
    refused = story.pair.refused.get(topic)
    if refused is None:
        return False
    story.problem(issues.WRITE_REFUSED, topic, f"{refused[0]}: {refused[1]}")
    story.wait_for("catalog")
    story.wait_for("policy")
    return True


def _retry(story: Story) -> None:
    field_rules.free_all(story)
    story.tell(
        events.FieldFreed(**story.said(RuleId.PARTIAL_REJECT), field=EVERY_FIELD, side=Crm.HUBSPOT)
    )


def _discard(story: Story, fact: PairRequested) -> None:
    for code, subject in sorted(story.pair.issues):
        if fact.field in ("", subject, code):
            rule = issues.PROBLEMS[code].rule
            story.tell(events.IssueClosed(**story.said(rule), code=code, subject=subject))


def _mapping(story: Story, name: str) -> Mapping | None:
    mapping = story.context.policy.mapping(name)
    if mapping is None:
        story.not_because(RuleId.FIELD_RULE, f"no mapping is called {name!r}")
    return mapping


def _restore(story: Story, fact: PairRequested) -> bool:
    """Settle a field on an earlier value, given in Salesforce's terms."""
    mapping = _mapping(story, fact.field)
    if mapping is None:
        return False
    value = values.read(mapping, fact.value, story.context)
    if value is None and mapping.name in (*REQUIRED, OWNER):
        story.not_because(RuleId.REQUIRED, f"{mapping.name} cannot be blank in Salesforce")
        return False
    found = values.translate(mapping, value, to=Crm.HUBSPOT, context=story.context)
    if isinstance(found, values.Missing):
        story.not_because(RuleId.VALUE_MAP, found.text)
        return False
    register = story.pair.field(mapping.name).salesforce
    losing = (
        register.foreign if register.foreign and register.foreign.value == register.known else None
    )
    story.tell(
        events.FieldSettled(
            **story.said(RuleId.WHO_WINS),
            field=mapping.name,
            salesforce=value,
            hubspot=found.value,
            winner=None,
            how="restored",
            losing=register.known,
            winner_by=fact.by,
            losing_by=losing.by if losing is not None else "",
            losing_at=losing.high if losing is not None else None,
        )
    )
    return True


def _decide(story: Story, fact: PairRequested) -> bool:
    mapping = _mapping(story, fact.field)
    if mapping is None or fact.value not in tuple(Crm):
        story.not_because(RuleId.FIELD_RULE, "choose salesforce or hubspot")
        return False
    field_rules.free(story, mapping)
    return field_rules.settle_as(
        story, mapping, Crm(fact.value), how="decided", rule=RuleId.FIELD_RULE
    )
