"""What somebody may do here, by what their identity provider says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models.city import SingleSignOn
from service.decisions.access import WHOLE_CITY_ONLY, Role, scope_problem

STRONGEST_FIRST = (Role.ADMIN, Role.DISPATCHER, Role.CREW, Role.OPERATOR, Role.VIEWER)
"""Who has several roles gets the first of these: sessions have one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """A role and the departments it is for; none: the whole city."""

    role: Role
    department_ids: tuple[str, ...]


def grant_of(claims: Mapping[str, object], rules: SingleSignOn) -> Grant | str:
    """What these claims give, or why they give nothing.

    Where departments come from a claim nobody sees the whole city because the claim is missing.
    """
    told = _texts(claims, rules.role_claim)
    roles = {Role(rules.roles[each]) for each in told if each in rules.roles}
    role = next((each for each in STRONGEST_FIRST if each in roles), None)
    if role is None:
        return f"the claim {rules.role_claim} has none of the roles that may sign in"
    if role in WHOLE_CITY_ONLY or rules.department_claim is None:
        departments: tuple[str, ...] = ()
    else:
        departments = tuple(sorted(set(_texts(claims, rules.department_claim))))
        if not departments:
            return f"the claim {rules.department_claim} names no department"
    problem = scope_problem(role, departments)
    return problem or Grant(role=role, department_ids=departments)


def name_of(claims: Mapping[str, object]) -> str:
    """What to call somebody: the first of the usual claims that is there."""
    found = (_texts(claims, name) for name in ("preferred_username", "email", "sub"))
    return next(names[0] for names in found if names)[:200]


def _texts(claims: Mapping[str, object], path: str) -> list[str]:
    """Texts at a path such as ``realm_access.roles``; one text is a list of one."""
    value = claims[path] if path in claims else _at(claims, path)
    items = value if isinstance(value, list) else [value]
    return [each for each in items if isinstance(each, str) and each.strip()]


def _at(claims: Mapping[str, object], path: str) -> object:
    value: object = claims
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
