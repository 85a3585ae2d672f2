"""``streetwarden user …``, and what is done with API keys besides making them."""

from __future__ import annotations

import getpass
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer
from sqlalchemy.engine import Connection

from models.errors import SetupError
from service.api import keys
from service.cli.lengths import length_of
from service.cli.stores import DatabaseOption, DataDirOption, open_store
from service.decisions.access import NOT_FOR_PERSONS, Role, scope_problem
from service.decisions.passwords import password_problem
from service.store import access, audit, passwords, subscriptions, throttle, users
from service.store.audit import Action
from service.store.records import User

CLI_ACTOR = "command line"

user = typer.Typer(help="People who sign in by name and password.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="Whom it is about; case does not matter.")]
KeyArgument = Annotated[str, typer.Argument(help="Name of the key.")]
DepartmentsOption = Annotated[
    list[str] | None,
    typer.Option("--department", help="Sees only this department's orders; may be repeated."),
]


@user.command("add")
def add(
    name: NameArgument,
    role: Annotated[Role, typer.Option(help="viewer, operator, dispatcher, crew or admin.")],
    department: DepartmentsOption = None,
    database_url: DatabaseOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Let somebody sign in. The password is asked for, or read from standard input."""
    departments = _checked(role, department)
    if not users.name_key(name) or len(name) > 200:
        raise SetupError("a name needs 1 to 200 characters")
    hashed = passwords.hash_password(_new_password(name))
    with open_store(database_url, data_dir) as database, database.write() as connection:
        now = datetime.now(UTC)
        made = users.add_user(connection, name, role, departments, hashed, now)
        _note(connection, Action.USER_CREATED, made, now)
    typer.echo(f"{made.name} may sign in as {role}")


@user.command("list")
def list_all(database_url: DatabaseOption = None, data_dir: DataDirOption = None) -> None:
    """Show all users, also those who are disabled."""
    with open_store(database_url, data_dir) as database, database.read() as connection:
        for each in users.list_users(connection):
            state = "disabled" if each.disabled_at is not None else "active"
            last = each.last_sign_in_at
            seen = "never" if last is None else f"{last:%Y-%m-%d %H:%M}Z"
            departments = ",".join(each.department_ids) or "whole city"
            typer.echo("\t".join((each.name, each.role, departments, state, seen)))


@user.command("disable")
def disable(
    name: NameArgument, database_url: DatabaseOption = None, data_dir: DataDirOption = None
) -> None:
    """Let somebody not sign in any more; their sessions and webhooks end at once."""
    with open_store(database_url, data_dir) as database, database.write() as connection:
        now, found = datetime.now(UTC), users.get_user(connection, name)
        users.disable_user(connection, found, now)
        subscriptions.rest_owner(connection, f"user:{found.name}", "its owner was disabled", now)
        _note(connection, Action.USER_DISABLED, found, now)


@user.command("enable")
def enable(
    name: NameArgument, database_url: DatabaseOption = None, data_dir: DataDirOption = None
) -> None:
    """Let somebody sign in again, with the password they had; failures are forgotten."""
    with open_store(database_url, data_dir) as database, database.write() as connection:
        found = users.get_user(connection, name)
        users.enable_user(connection, found)
        throttle.forgive(connection, f"user:{users.name_key(name)}")
        _note(connection, Action.USER_CHANGED, found, datetime.now(UTC))


@user.command("set-password")
def set_password(
    name: NameArgument, database_url: DatabaseOption = None, data_dir: DataDirOption = None
) -> None:
    """Give somebody another password, asked for or read from standard input. Sessions end."""
    with open_store(database_url, data_dir) as database:
        with database.read() as connection:
            found = users.get_user(connection, name)
        hashed = passwords.hash_password(_new_password(name))
        with database.write() as connection:
            now = datetime.now(UTC)
            users.set_password(connection, found, hashed, now)
            throttle.forgive(connection, f"user:{users.name_key(name)}")
            _note(connection, Action.PASSWORD_SET, found, now)


@user.command("set-role")
def set_role(
    name: NameArgument,
    role: Annotated[Role, typer.Argument(help="viewer, operator, dispatcher, crew or admin.")],
    department: DepartmentsOption = None,
    database_url: DatabaseOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Give somebody another role and other departments; none given: the whole city."""
    departments = _checked(role, department)
    with open_store(database_url, data_dir) as database, database.write() as connection:
        found = users.get_user(connection, name)
        users.set_role(connection, found, role, departments)
        subscriptions.limit_owner(connection, f"user:{found.name}", departments)
        _note(connection, Action.USER_CHANGED, users.get_user(connection, name), datetime.now(UTC))


def rotate_key(
    name: KeyArgument,
    grace: Annotated[str, typer.Option(help="How long the old one is valid too.")] = "24h",
    expires_in: Annotated[
        str | None, typer.Option(help="Such as 90d; left out: it ends when the old one would.")
    ] = None,
    database_url: DatabaseOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Replace an API key and print the new one, this one time."""
    _check_not_of_environment(name)
    token, now, overlap = access.new_token(), datetime.now(UTC), length_of(grace)
    end = None if expires_in is None else now + length_of(expires_in)
    with open_store(database_url, data_dir) as database, database.write() as connection:
        keys.rotate(connection, name, token, now, overlap, end)
        keys.note_key(connection, CLI_ACTOR, Action.KEY_ROTATED, name, now)
    typer.echo(token)


def revoke_key(
    name: KeyArgument, database_url: DatabaseOption = None, data_dir: DataDirOption = None
) -> None:
    """End an API key, its sessions and its webhooks at once."""
    _check_not_of_environment(name)
    with open_store(database_url, data_dir) as database, database.write() as connection:
        now = datetime.now(UTC)
        keys.revoke(connection, name, now)
        keys.note_key(connection, CLI_ACTOR, Action.KEY_REVOKED, name, now)


def list_keys(database_url: DatabaseOption = None, data_dir: DataDirOption = None) -> None:
    """Show all API keys by name, never the keys themselves."""
    with open_store(database_url, data_dir) as database, database.read() as connection:
        for key in access.list_keys(connection):
            ended = "revoked" if key.revoked_at is not None else "valid"
            end = "for good" if key.expires_at is None else f"until {key.expires_at:%Y-%m-%d}"
            departments = ",".join(key.department_ids) or "whole city"
            typer.echo("\t".join((key.name, key.role, departments, ended, end)))


def _check_not_of_environment(name: str) -> None:
    if name in keys.ENVIRONMENT_KEYS:
        raise SetupError(f"key {name} comes from the service's environment: change it there")


def _checked(role: Role, department: list[str] | None) -> tuple[str, ...]:
    departments = tuple(department or ())
    if role in NOT_FOR_PERSONS:
        raise SetupError(f"a {role} is no person: make a key, with streetwarden create-key")
    problem = scope_problem(role, departments)
    if problem is not None:
        raise SetupError(f"{problem}: see --department")
    return departments


def _new_password(name: str) -> str:
    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Again: ") != password:
            raise SetupError("the two passwords differ")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    problem = password_problem(name, password)
    if problem is not None:
        raise SetupError(problem)
    return password


def _note(connection: Connection, action: Action, about: User, now: datetime) -> None:
    audit.append(
        connection,
        at=now,
        actor=CLI_ACTOR,
        action=action,
        subject=f"user:{about.name}",
        detail={"role": about.role, "department_ids": list(about.department_ids)},
    )
