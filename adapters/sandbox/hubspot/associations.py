"""Which records are associated with which: made, removed, moved; both directions at once.

Making the primary company association makes the unlabelled one too, and takes the mark from the
company that had it. Removing the unlabelled one removes all labels between the two records.
"""

from collections.abc import Iterable

from adapters.sandbox.hubspot import association_types, records, webhooks
from adapters.sandbox.hubspot.association_types import LinkType
from adapters.sandbox.hubspot.kinds import COMPANIES, KINDS, Kind
from adapters.sandbox.hubspot.portal import Edit, Portal
from adapters.sandbox.hubspot.rows import as_links, as_row

TABLE = "association"


def linked(portal: Portal, kind: Kind, record_id: str, other: Kind) -> dict[str, list[str]]:
    """Return the type codes by id of the other record, those in the bin included."""
    row = portal.tables.get(TABLE, _key(kind, record_id, other))
    return {} if row is None else as_links(row)["to"]


def linked_live(portal: Portal, kind: Kind, record_id: str, other: Kind) -> dict[str, list[str]]:
    """Return the type codes by id of the other record, leaving out those in the bin."""
    return {
        other_id: codes
        for other_id, codes in linked(portal, kind, record_id, other).items()
        if (found := portal.stored(other, other_id)) is not None and found["archivedMs"] is None
    }


def primary_company(portal: Portal, kind: Kind, record_id: str) -> str | None:
    """Return the id of a deal's or contact's primary company; a company has none."""
    if kind is COMPANIES:
        return None
    for company_id, codes in linked_live(portal, kind, record_id, COMPANIES).items():
        if any(_type(portal, kind, COMPANIES, code).is_primary for code in codes):
            return company_id
    return None


def associate(
    portal: Portal,
    kinds: tuple[Kind, Kind],
    ids: tuple[str, str],
    types: Iterable[LinkType],
    edit: Edit,
) -> bool:
    """Associate two records that exist by these types; returns whether anything was new."""
    kind, other = kinds
    wanted = {one.code: one for one in types}
    unlabelled = association_types.default_type(kind, other)
    wanted = {unlabelled.code: unlabelled} | wanted
    present = linked(portal, kind, ids[0], other).get(ids[1], [])
    added = [one for code, one in wanted.items() if code not in present]
    if not added:
        return False
    if any(one.is_primary for one in added):
        _take_primary_from_others(portal, kinds, ids, edit)
    for one in added:
        _set(portal, kinds, ids, one, present=True)
        _tell(portal, kinds, ids, one, is_removed=False, edit=edit)
    _touch(portal, kinds, ids, edit)
    return True


def dissociate(
    portal: Portal,
    kinds: tuple[Kind, Kind],
    ids: tuple[str, str],
    types: Iterable[LinkType] | None,
    edit: Edit,
) -> bool:
    """Remove these types, or all (None), between two records; returns whether any was there."""
    kind, other = kinds
    present = linked(portal, kind, ids[0], other).get(ids[1], [])
    if types is None:
        codes = set(present)
    else:
        codes = {one.code for one in types}
        if association_types.default_type(kind, other).code in codes:
            codes = set(present)
    removed = [_type(portal, kind, other, code) for code in present if code in codes]
    for one in removed:
        _set(portal, kinds, ids, one, present=False)
        _tell(portal, kinds, ids, one, is_removed=True, edit=edit)
    if removed:
        _touch(portal, kinds, ids, edit)
    return bool(removed)


def move_all(portal: Portal, kind: Kind, from_id: str, to_id: str, edit: Edit) -> None:
    """Give a merged record's associations to the one it became part of.

    A primary company comes along only where the survivor has none.
    """
    for other in KINDS:
        if other is kind:
            continue
        for other_id, codes in list(linked(portal, kind, from_id, other).items()):
            types = [_type(portal, kind, other, code) for code in codes]
            for one in types:
                _set(portal, (kind, other), (from_id, other_id), one, present=False)
            if _has_primary(portal, (kind, other), (to_id, other_id)):
                types = [one for one in types if not one.is_primary]
            associate(portal, (kind, other), (to_id, other_id), types, edit)


def drop_all(portal: Portal, kind: Kind, record_id: str) -> None:
    """Forget the associations of a record that is gone for good; nobody is told."""
    for other in KINDS:
        if other is kind:
            continue
        for other_id, codes in list(linked(portal, kind, record_id, other).items()):
            for code in codes:
                one = _type(portal, kind, other, code)
                _set(portal, (kind, other), (record_id, other_id), one, present=False)


def _has_primary(portal: Portal, kinds: tuple[Kind, Kind], ids: tuple[str, str]) -> bool:
    """Return whether the deal or contact of a pair has a primary company."""
    if kinds[0] is COMPANIES:
        return primary_company(portal, kinds[1], ids[1]) is not None
    return primary_company(portal, kinds[0], ids[0]) is not None


def _take_primary_from_others(
    portal: Portal, kinds: tuple[Kind, Kind], ids: tuple[str, str], edit: Edit
) -> None:
    """Unmark the company that was primary: a deal or contact has one at most."""
    if kinds[0] is COMPANIES:
        kinds, ids = (kinds[1], kinds[0]), (ids[1], ids[0])
    kind, other = kinds
    for company_id, codes in list(linked(portal, kind, ids[0], other).items()):
        for code in list(codes):
            one = _type(portal, kind, other, code)
            if one.is_primary and company_id != ids[1]:
                _set(portal, kinds, (ids[0], company_id), one, present=False)
                _tell(portal, kinds, (ids[0], company_id), one, is_removed=True, edit=edit)
                records.touch(portal, other, company_id, edit)


def _set(
    portal: Portal, kinds: tuple[Kind, Kind], ids: tuple[str, str], one: LinkType, *, present: bool
) -> None:
    kind, other = kinds
    for (near, far), (near_id, far_id), code in (
        ((kind, other), ids, one.code),
        ((other, kind), (ids[1], ids[0]), one.inverse),
    ):
        links = dict(linked(portal, near, near_id, far))
        codes = [known for known in links.get(far_id, []) if known != code]
        if present:
            codes.append(code)
        if codes:
            links[far_id] = codes
        else:
            links.pop(far_id, None)
        key = _key(near, near_id, far)
        if links:
            portal.tables.put(TABLE, key, as_row({"to": links}))
        else:
            portal.tables.drop(TABLE, key)


def _tell(
    portal: Portal,
    kinds: tuple[Kind, Kind],
    ids: tuple[str, str],
    one: LinkType,
    *,
    is_removed: bool,
    edit: Edit,
) -> None:
    for ends, end_ids, code in (
        (kinds, ids, one.code),
        ((kinds[1], kinds[0]), (ids[1], ids[0]), one.inverse),
    ):
        webhooks.associated(
            portal,
            ends,
            end_ids,
            code=code,
            is_primary=one.is_primary,
            is_removed=is_removed,
            edit=edit,
        )


def _touch(portal: Portal, kinds: tuple[Kind, Kind], ids: tuple[str, str], edit: Edit) -> None:
    """Move both ends' time of change: HubSpot counts associations in properties."""
    records.touch(portal, kinds[0], ids[0], edit)
    records.touch(portal, kinds[1], ids[1], edit)


def _type(portal: Portal, kind: Kind, other: Kind, code: str) -> LinkType:
    return association_types.by_code(portal.tables, kind, other, code)


def _key(kind: Kind, record_id: str, other: Kind) -> str:
    return f"{kind.name}|{record_id}|{other.name}"
