"""Reads the shape of a SOQL query into its tree, with the grammar in `soql.lark`."""

import re
from functools import lru_cache
from importlib.resources import files

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from adapters.sandbox.salesforce.soql import (
    Call,
    Children,
    Column,
    Comparison,
    Condition,
    Every,
    Lifted,
    Negation,
    Number,
    Path,
    Query,
    Some,
    Sort,
    Subquery,
    Value,
    Word,
)
from adapters.sandbox.salesforce.soql_text import Lifting, malformed

#: how many shapes are remembered
SHAPES_MAX = 2_048
PARSER = Lark(
    files("adapters.sandbox.salesforce").joinpath("soql.lark").read_text("utf-8"),
    parser="lalr",
    start="query",
)
WORD = re.compile(r"\w+|.", re.DOTALL)
#: what each test is called in the tree
TESTS = {
    "like": "like",
    "is_in": "in",
    "is_not_in": "not in",
    "includes": "includes",
    "excludes": "excludes",
}


def parse(text: str, lifting: Lifting) -> Query:
    """Return the tree of a query that was lifted.

    Raises:
        RefusedError: MALFORMED_QUERY, with the place in the text as it was sent.
    """
    try:
        return _parse_shape(lifting.shape)
    except UnexpectedInput as error:
        place = _place(error)
        if place is None:
            raise malformed(text, len(text), "unexpected token: '<EOF>'") from None
        place = lifting.original(place)
        word = WORD.match(text, place)
        found = word[0] if word else "<EOF>"
        raise malformed(text, place, f"unexpected token: '{found}'") from None


def _place(error: UnexpectedInput) -> int | None:
    """Return where in the shape the error is, or None at its end."""
    if isinstance(error, UnexpectedToken):
        return None if error.token.type == "$END" else error.token.start_pos
    return error.pos_in_stream if isinstance(error, UnexpectedCharacters) else None


@lru_cache(maxsize=SHAPES_MAX)
def _parse_shape(shape: str) -> Query:
    return _query(PARSER.parse(shape))


def _query(tree: Tree[Token]) -> Query:
    selection, *clauses = tree.children
    assert isinstance(selection, Tree), "a selection is a rule"
    name = clauses[0]
    assert isinstance(name, Token), "the grammar has a name after FROM"
    parts = {each.data: each for each in clauses if isinstance(each, Tree)}
    where, group, order = parts.get("where"), parts.get("group"), parts.get("order")
    return Query(
        columns=tuple(_column(each) for each in _trees(selection)),
        name=str(name),
        column=_start(name),
        where=None if where is None else _condition(_trees(where)[0]),
        group=() if group is None else tuple(_path(each) for each in _trees(group)),
        order=() if order is None else tuple(_sort(each) for each in _trees(order)),
        limit=_whole(parts.get("limit")),
        offset=_whole(parts.get("offset")) or 0,
        all_rows="rows" in parts,
    )


def _column(tree: Tree[Token]) -> Column | Call | Children:
    match tree.data:
        case "path":
            return Column(_path(tree), None)
        case "children":
            return Children(_query(tree))
        case "call":
            return _call(tree, None)
        case _:
            first, alias = _trees(tree)
            named = str(_token(alias))
            if first.data == "call":
                return _call(first, named)
            return Column(_path(first), named)


def _call(tree: Tree[Token], alias: str | None) -> Call:
    name = _token(tree)
    arguments = _trees(tree)
    return Call(str(name).upper(), _path(arguments[0]) if arguments else None, alias, _start(name))


def _path(tree: Tree[Token]) -> Path:
    return Path(tuple(str(each) for each in tree.children), _start(_token(tree)))


def _condition(tree: Tree[Token]) -> Condition:
    match tree.data:
        case "all":
            return Every(tuple(_condition(each) for each in _trees(tree)))
        case "any":
            return Some(tuple(_condition(each) for each in _trees(tree)))
        case "negation":
            return Negation(_condition(_trees(tree)[0]))
        case "comparison":
            path, operator, value = tree.children
            assert isinstance(path, Tree), "a comparison begins with a path"
            assert isinstance(value, Tree), "a value is a rule"
            written = "!=" if operator == "<>" else str(operator)
            return Comparison(_path(path), written, (_value(value),))
        case test:
            left, right = _trees(tree)
            if right.data == "subquery":
                subquery = Subquery(_query(_trees(right)[0]))
                return Comparison(_path(left), TESTS[str(test)], subquery)
            values = _trees(right) if right.data == "list" else [right]
            return Comparison(_path(left), TESTS[str(test)], tuple(_value(each) for each in values))


def _value(tree: Tree[Token]) -> Value:
    token = _token(tree)
    match tree.data:
        case "texts":
            return Lifted("texts", int(token[2:]))
        case "instant":
            return Lifted("instant", int(token[2:]))
        case "date":
            return Lifted("date", int(token[2:]))
        case "number":
            return Number(str(token))
        case _:
            count = int(str(tree.children[1])) if len(tree.children) > 1 else None
            return Word(str(token).upper(), count)


def _sort(tree: Tree[Token]) -> Sort:
    path, *rest = _trees(tree)
    words = {token.type for each in rest for token in each.children if isinstance(token, Token)}
    return Sort(_path(path), descending="DESC" in words, nulls_last="LAST" in words)


def _whole(tree: Tree[Token] | None) -> int | None:
    return None if tree is None else int(str(_token(tree)))


def _trees(tree: Tree[Token]) -> list[Tree[Token]]:
    return [each for each in tree.children if isinstance(each, Tree)]


def _token(tree: Tree[Token]) -> Token:
    token = tree.children[0]
    assert isinstance(token, Token), f"the grammar puts a token first in {tree.data}"
    return token


def _start(token: Token) -> int:
    return token.start_pos or 0
