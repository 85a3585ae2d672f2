"""``/api/v1/users``: people who sign in by name and password, for administrators."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.engine import Connection

from models.errors import ConflictError
from service.api.deps import ApiDeps, CanManage, Deps, Principal
from service.api.forms import NO_NUL, Ident
from service.api.problems import field_problem, problem_responses
from service.decisions.access import NOT_FOR_PERSONS, Role, scope_problem
from service.decisions.passwords import LONGEST_CHARACTERS, password_problem
from service.store import audit, passwords, subscriptions, throttle, users
from service.store.audit import Action
from service.store.records import User

router = APIRouter(prefix="/api/v1/users", tags=["users"])

GENERATED_BYTES = 12
"""Of a password that the service makes: 96 random bits, 16 characters."""

Departments = Annotated[list[Ident], Field(max_length=200)]
Password = Annotated[str, Field(max_length=LONGEST_CHARACTERS, pattern=NO_NUL)]


class UserIn(BaseModel):
    """Somebody who may sign in."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"name": "li.wei", "role": "crew", "department_ids": ["traffic"]}
        },
    )

    name: Annotated[
        str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")
    ]
    role: Role
    department_ids: Departments = Field(
        [], description="They see only these departments' orders. Empty: the whole city."
    )
    password: Password | None = Field(None, description="Left out: one is made, and answered.")


class UserPatch(BaseModel):
    """What to change of a user; at least one field."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"disabled": True}})

    role: Role | None = None
    department_ids: Departments | None = None
    disabled: bool | None = Field(
        None, description="true ends their sessions, and their webhooks rest."
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.role is None and self.department_ids is None and self.disabled is None:
            raise ValueError("give role, department_ids or disabled")
        return self


class PasswordIn(BaseModel):
    """A new password."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {}})

    password: Password | None = Field(None, description="Left out: one is made, and answered.")


class UserOut(BaseModel):
    """A user, without the password."""

    user_id: str
    name: str
    role: Role
    department_ids: list[str]
    created_at: datetime
    password_set_at: datetime
    last_sign_in_at: datetime | None
    disabled_at: datetime | None

    @classmethod
    def of(cls, user: User) -> Self:
        """From the stored form."""
        return cls.model_validate(asdict(user))


class UserWithPassword(UserOut):
    """A user with a new password."""

    password: str | None = Field(
        description="The one that the service made, for the only time; null if you gave one."
    )


class UserList(BaseModel):
    """All users."""

    items: list[UserOut]


@router.get("", responses=problem_responses())
def list_users(_who: CanManage, deps: Deps) -> UserList:
    """List all users by name, also those who are disabled."""
    with deps.database.read() as connection:
        return UserList(items=[UserOut.of(each) for each in users.list_users(connection)])


@router.post("", status_code=201, responses=problem_responses(409))
def create_user(body: UserIn, who: CanManage, deps: Deps) -> UserWithPassword:
    """Let somebody sign in."""
    _check_role(body.role, body.department_ids)
    password, hashed = _password(body.name, body.password)
    now = deps.now()
    with deps.database.write() as connection:
        made = users.add_user(connection, body.name, body.role, body.department_ids, hashed, now)
        _note(connection, who, Action.USER_CREATED, made, now)
    return _with_password(made, password)


@router.post("/{user_id}/password", responses=problem_responses(404))
def reset_password(user_id: UUID, body: PasswordIn, who: CanManage, deps: Deps) -> UserWithPassword:
    """Give somebody another password; their sessions end, and failures to sign in are forgotten."""
    found = _user(deps, user_id)
    password, hashed = _password(found.name, body.password)
    now = deps.now()
    with deps.database.write() as connection:
        users.set_password(connection, found, hashed, now)
        throttle.forgive(connection, f"user:{users.name_key(found.name)}")
        changed = users.get_user_by_id(connection, str(user_id))
        _note(connection, who, Action.PASSWORD_SET, changed, now)
    return _with_password(changed, password)


@router.patch("/{user_id}", responses=problem_responses(404, 409))
def change_user(user_id: UUID, body: UserPatch, who: CanManage, deps: Deps) -> UserOut:
    """Change what somebody may do, or let them not sign in any more. Nobody does so to themself."""
    now = deps.now()
    with deps.database.write() as connection:
        user = users.get_user_by_id(connection, str(user_id))
        if isinstance(who.owner, User) and who.owner.user_id == user.user_id:
            raise ConflictError("you cannot change yourself: ask another administrator")
        if body.role is not None or body.department_ids is not None:
            role = Role(user.role) if body.role is None else body.role
            departments = (
                list(user.department_ids) if body.department_ids is None else body.department_ids
            )
            _check_role(role, departments)
            users.set_role(connection, user, role, departments)
            subscriptions.limit_owner(connection, f"user:{user.name}", tuple(departments))
        if body.disabled is not None:
            _set_disabled(connection, user, now, disabled=body.disabled)
        changed = users.get_user_by_id(connection, str(user_id))
        action = Action.USER_DISABLED if body.disabled else Action.USER_CHANGED
        _note(connection, who, action, changed, now)
    return UserOut.of(changed)


def _set_disabled(connection: Connection, user: User, now: datetime, *, disabled: bool) -> None:
    if disabled:
        users.disable_user(connection, user, now)
        subscriptions.rest_owner(connection, f"user:{user.name}", "its owner was disabled", now)
    else:
        users.enable_user(connection, user)
        throttle.forgive(connection, f"user:{users.name_key(user.name)}")


def _check_role(role: Role, department_ids: Sequence[str]) -> None:
    if role in NOT_FOR_PERSONS:
        raise field_problem("body.role", f"role {role} is for programs: make a key")
    problem = scope_problem(role, department_ids)
    if problem is not None:
        raise field_problem("body.department_ids", problem)


def _password(name: str, given: str | None) -> tuple[str | None, str]:
    """The password to answer, if it was made here, and what is stored of it."""
    if given is None:
        made = secrets.token_urlsafe(GENERATED_BYTES)
        return made, passwords.hash_password(made)
    problem = password_problem(name, given)
    if problem is not None:
        raise field_problem("body.password", problem)
    return None, passwords.hash_password(given)


def _user(deps: ApiDeps, user_id: UUID) -> User:
    with deps.database.read() as connection:
        return users.get_user_by_id(connection, str(user_id))


def _with_password(user: User, password: str | None) -> UserWithPassword:
    return UserWithPassword(**UserOut.of(user).model_dump(), password=password)


def _note(
    connection: Connection, who: Principal, action: Action, about: User, now: datetime
) -> None:
    audit.append(
        connection,
        at=now,
        actor=who.actor,
        action=action,
        subject=f"user:{about.name}",
        detail={"role": about.role, "department_ids": list(about.department_ids)},
    )
