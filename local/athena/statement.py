"""Reads the text of StartQueryExecution: a SELECT, or an UNLOAD of one.

sqlglot accepts much that Athena's parser refuses. So the tokens are checked before the tree is
built: for signs that Trino does not have, for text in place of a name, for keywords as names.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlglot import Token, TokenType, exp, parse, tokenize
from sqlglot.errors import ParseError, SqlglotError

from local.athena.errors import NotEmulatedError, StatementError

MAX_STATEMENT_BYTES = 262_144
_TEXTS_REMEMBERED = 256
"""A build executes the same few statements again and again, mostly with other parameters."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SIGNS = _words("( ) , . * + - / % = <> != < <= > >= || [ ] ? :")
_RESERVED = _words(
    """
    alter and as between by case cast constraint create cross cube current_date current_time
    current_timestamp current_user deallocate delete describe distinct drop else end escape except
    execute exists extract false for from full group grouping having in inner insert intersect into
    is join left like localtime localtimestamp natural normalize not null on or order outer prepare
    recursive right rollup select skip table then true uescape union unnest using values when where
    with
    """
)
_LITERALS = frozenset({TokenType.STRING, TokenType.NUMBER, TokenType.PLACEHOLDER})
# A literal after one of these would be read as a name: AS 'x', FROM 'x', a 'x'.
_NO_LITERAL_AFTER = frozenset(
    {
        TokenType.ALIAS,
        TokenType.FROM,
        TokenType.JOIN,
        TokenType.DOT,
        TokenType.IDENTIFIER,
        TokenType.NUMBER,
        TokenType.STRING,
        TokenType.R_PAREN,
        TokenType.VAR,
    }
)
_NOT_AFTER_COMMA = frozenset(
    {TokenType.FROM, TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.SELECT}
)
_NO_QUERIES = _words(
    """
    ALTER ANALYZE CALL COMMENT COMMIT CREATE DEALLOCATE DELETE DENY DESC DESCRIBE DROP EXECUTE
    EXPLAIN GRANT INSERT MERGE MSCK OPTIMIZE PREPARE REFRESH RESET REVOKE ROLLBACK SET SHOW START
    TRUNCATE UPDATE USE VACUUM
    """
)
_COMPRESSIONS = frozenset({"snappy", "gzip", "none"})


@dataclass(frozen=True, slots=True)
class Select:
    """A query, as text without `?`, whose rows go to a CSV object."""

    text: str


@dataclass(frozen=True, slots=True)
class Unload:
    """A query whose rows go to Parquet objects below `target`, which ends in a slash."""

    text: str
    target: str
    compression: str
    partitioned_by: tuple[str, ...]


def read_statement(
    text: str, parameters: Sequence[str] = (), *, checking: bool = False
) -> Select | Unload:
    """The statement with its `?` replaced by the execution parameters. Its query is not parsed yet.

    Raises StatementError for what Athena's parser refuses. When `checking`, `?` and `:name` may
    stand for values that are not known yet.
    """
    text = text.strip().removesuffix(";")
    tokens = _tokens(text)
    if not tokens:
        raise StatementError("SYNTAX_ERROR: the statement is empty")
    if not checking:
        text = _with_parameters(text, tokens, parameters)
        tokens = _tokens(text)
    if tokens[0].text.upper() == "UNLOAD":
        return _read_unload(text, tokens, checking)
    return Select(text)


# ---- words


@lru_cache(_TEXTS_REMEMBERED)
def _tokens(text: str) -> tuple[Token, ...]:
    try:
        return tuple(tokenize(text, read="trino"))
    except SqlglotError as error:
        raise _syntax_error(error) from error


def _syntax_error(error: SqlglotError) -> StatementError:
    for found in error.errors if isinstance(error, ParseError) else []:
        place = f"line {found['line']}:{found['col']}"
        return StatementError(f"SYNTAX_ERROR: {place}: {found['description']}")
    return StatementError(f"SYNTAX_ERROR: {error}")


def _check_words(tokens: Sequence[Token]) -> None:
    kinds = [None, None, *(token.token_type for token in tokens)]
    zones = [False, *(token.text.upper() == "ZONE" for token in tokens)]
    for earlier, before, zone, token in zip(kinds, kinds[1:], zones, tokens, strict=False):
        kind, text = token.token_type, token.text
        is_name = (
            before in _NO_LITERAL_AFTER
            and earlier != TokenType.DISTINCT  # DISTINCT FROM 1
            and not zone  # AT TIME ZONE 'UTC'
        )
        if (kind in _LITERALS and is_name) or (
            kind in _NOT_AFTER_COMMA and before == TokenType.COMMA
        ):
            raise StatementError(f"SYNTAX_ERROR: mismatched input '{text}'")
        if kind in (TokenType.STRING, TokenType.NUMBER, TokenType.IDENTIFIER):
            continue
        if not (text[:1].isalpha() or text[:1] == "_" or text in _SIGNS):
            raise StatementError(f"SYNTAX_ERROR: '{text}' is not known here")


def _with_parameters(text: str, tokens: Sequence[Token], parameters: Sequence[str]) -> str:
    marks = [token for token in tokens if token.token_type == TokenType.PLACEHOLDER]
    if len(marks) != len(parameters):
        raise StatementError(
            "INVALID_PARAMETER_USAGE: Incorrect number of parameters: "
            f"expected {len(marks)} but found {len(parameters)}"
        )
    for mark, value in reversed(list(zip(marks, parameters, strict=True))):
        _check_parameter(value)
        text = f"{text[: mark.start]}{value}{text[mark.end + 1 :]}"
    return text


def _check_parameter(value: str) -> None:
    """Raise StatementError unless `value` is one literal, so that no parameter contains SQL."""
    words = [token.token_type for token in _tokens(value)]
    if words[:1] in ([TokenType.DATE], [TokenType.DASH]):
        words = words[1:]
    single = (TokenType.STRING, TokenType.NUMBER, TokenType.TRUE, TokenType.FALSE, TokenType.NULL)
    if len(words) != 1 or words[0] not in single or "--" in value.split("'")[-1]:
        raise StatementError(
            f"INVALID_PARAMETER_USAGE: {value} is no literal (text carries its own single quotes)"
        )


# ---- queries


def check_is_query(text: str) -> None:
    """Raise NotEmulatedError for DDL and DML, which no executor may run."""
    first = _tokens(text)[0]
    if first.text.upper() in _NO_QUERIES:
        raise NotEmulatedError(f"{first.text.upper()} ...", "only SELECT and UNLOAD are run here")


@lru_cache(_TEXTS_REMEMBERED)
def read_query(text: str) -> exp.Expr:
    """The tree of a query, which nobody may change: it is remembered.

    Raises StatementError for what Athena or the subset refuses.
    """
    tokens = _tokens(text)
    _check_words(tokens)
    try:
        trees = [tree for tree in parse(text, read="athena") if tree is not None]
    except SqlglotError as error:
        raise _syntax_error(error) from error
    if len(trees) != 1:
        raise StatementError("SYNTAX_ERROR: Only one sql statement is allowed")
    tree = trees[0]
    if not isinstance(tree, exp.Query):
        raise NotEmulatedError(
            f"{tokens[0].text.upper()} ...", "only SELECT and UNLOAD are run here"
        )
    for name in tree.find_all(exp.Identifier):
        if not name.args.get("quoted") and name.name.lower() in _RESERVED:
            raise StatementError(f"SYNTAX_ERROR: {name.name} is a reserved word, not a name")
    return tree


# ---- UNLOAD


def _read_unload(text: str, tokens: Sequence[Token], checking: bool) -> Unload:
    """Read `UNLOAD ( query ) TO 's3://...' WITH ( name = value, ... )`."""
    close = _closing(tokens, 1)
    query = text[tokens[1].end + 1 : tokens[close].start]
    rest = list(tokens[close + 1 :])
    if not rest or rest[0].text.upper() != "TO" or len(rest) < 2:
        raise StatementError("SYNTAX_ERROR: UNLOAD (...) takes TO 's3://bucket/prefix/'")
    named = checking and rest[1].token_type == TokenType.COLON
    options = _options(rest[3 if named else 2 :])
    target = "s3://parameter/" if named else _target(rest[1])
    if _single(options, "format").upper() != "PARQUET":
        raise NotEmulatedError("UNLOAD in a format other than PARQUET", "nothing here reads it")
    compression = _single(options, "compression", "gzip").lower()
    if compression not in _COMPRESSIONS:
        raise NotEmulatedError(f"compression {compression}", "only snappy, gzip and none are known")
    if extra := set(options) - {"format", "compression", "partitioned_by"}:
        raise NotEmulatedError(f"UNLOAD's {', '.join(sorted(extra))}", "it has no meaning here")
    keys = tuple(name.lower() for name in options.get("partitioned_by", []))
    return Unload(query, target, compression, keys)


def _closing(tokens: Sequence[Token], start: int) -> int:
    """The index of the bracket that closes the one at `start`."""
    depth = 0
    for index, token in enumerate(tokens[start:], start):
        depth += (token.token_type == TokenType.L_PAREN) - (token.token_type == TokenType.R_PAREN)
        if depth == 0:
            if index == start:
                break
            return index
    raise StatementError("SYNTAX_ERROR: UNLOAD takes a query in brackets")


def _target(token: Token) -> str:
    bucket, _, prefix = token.text.removeprefix("s3://").partition("/")
    if token.token_type != TokenType.STRING or not token.text.startswith("s3://") or not bucket:
        raise StatementError(f"INVALID_LOCATION: UNLOAD cannot write to {token.text}")
    if not prefix.strip("/"):
        raise NotEmulatedError("UNLOAD to a whole bucket", "its emptiness says little")
    return f"s3://{bucket}/{prefix.rstrip('/')}/"


def _options(tokens: Sequence[Token]) -> dict[str, list[str]]:
    """WITH (name = 'value', name = ARRAY['value', ...]) as lists of values."""
    words = [t.text if t.token_type != TokenType.STRING else f"'{t.text}" for t in tokens]
    if len(words) < 3 or words[0].upper() != "WITH" or words[1] != "(" or words[-1] != ")":
        raise StatementError("SYNTAX_ERROR: UNLOAD takes WITH (format = 'PARQUET', ...)")
    found: dict[str, list[str]] = {}
    words = words[2:-1]
    while words:
        name, sign, *words = words if len(words) > 2 else ["", "", ""]
        end = words.index("]") + 1 if words[0].upper() == "ARRAY" and "]" in words else 1
        found[name.lower()] = [word[1:] for word in words[:end] if word.startswith("'")]
        words, rest = words[end:], words[end : end + 1]
        if sign != "=" or not found[name.lower()] or rest not in ([], [","]):
            raise StatementError(f"SYNTAX_ERROR: UNLOAD's option {name} cannot be read")
        words = words[1:]
    return found


def _single(options: dict[str, list[str]], name: str, default: str = "") -> str:
    values = options.get(name, [default])
    if len(values) != 1:
        raise StatementError(f"INVALID_PROPERTY: {name} takes one value")
    return values[0]
