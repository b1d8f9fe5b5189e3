"""SQL of Redshift: a query is taken apart and put together by sqlglot, never by hand."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from seaway.errors import InvalidSpec
from seaway.extras import advice

if TYPE_CHECKING:
    from sqlglot import exp

REDSHIFT, POSTGRES = "redshift", "postgres"
DEFAULT_ROLE = "default"
ROLES = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/[\w+=,.@/-]+")  # one, or a chain of them


def query(text: str, name: str, after: Mapping[str, Any] | None = None) -> "exp.Query":
    """One query that changes nothing; with `after` only its rows whose columns are beyond these values.

    Raises:
        InvalidSpec: it is none, several, or writes; sqlglot is not installed.
    """
    try:
        import sqlglot
        from sqlglot import exp
    except ImportError as error:
        raise InvalidSpec(f"Redshift's SQL needs a package that is missing. {advice(error.name)}") from error
    try:
        found = sqlglot.parse(text, read=REDSHIFT)
    except sqlglot.errors.SqlglotError as error:
        raise InvalidSpec(f"The query of {name} is not Redshift's SQL: {str(error).splitlines()[0]}") from error
    one = found[0] if len(found) == 1 else None
    if not isinstance(one, exp.Query) or one.find(exp.Into, exp.DML, exp.DDL):
        raise InvalidSpec(f"The query of {name} is not one SELECT that writes nothing, so it is not asked.")
    return _beyond(one, after) if after else one


def unload(asked: "exp.Query", place: str, role: str = DEFAULT_ROLE) -> str:
    """The statement that has Redshift write a query's rows below `place`, as Parquet, with a manifest.

    Raises:
        InvalidSpec: the role is no ARN of IAM.
    """
    from sqlglot import exp

    if role != DEFAULT_ROLE and not ROLES.fullmatch(role):
        raise InvalidSpec(f"The role that Redshift writes as is 'default' or arn:aws:iam::..., not {role!r}.")
    whole = _around(asked) if asked.args.get("limit") else asked  # UNLOAD refuses a LIMIT that is outside
    text, target, by = (
        exp.Literal.string(one).sql(REDSHIFT) for one in (whole.sql(REDSHIFT), f"{place.rstrip('/')}/", role)
    )
    by = role if role == DEFAULT_ROLE else by
    return f"UNLOAD ({text}) TO {target} IAM_ROLE {by} FORMAT AS PARQUET MANIFEST VERBOSE"


def ordered(asked: "exp.Query") -> bool:
    """Whether a query says the order of its rows."""
    return asked.args.get("order") is not None


def _around(asked: "exp.Query") -> "exp.Select":
    from sqlglot import exp

    return exp.select("*").from_(asked.subquery("read"))


def _beyond(asked: "exp.Query", after: Mapping[str, Any]) -> "exp.Query":
    from sqlglot import exp

    wanted = [exp.column(name, quoted=True) > exp.Literal.string(str(value)) for name, value in after.items()]
    return _around(asked).where(*wanted)
