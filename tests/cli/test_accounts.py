"""``streetwarden user …`` and the commands for keys, on a real database."""

from __future__ import annotations

import getpass
import io
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from typer.testing import CliRunner, Result

from models.errors import SetupError
from service.api.keys import ENVIRONMENT_KEYS
from service.cli import accounts
from service.cli.app import app
from service.decisions.access import Role
from service.store import access, audit, passwords, subscriptions, throttle, users
from service.store.audit import AuditFilter
from service.store.database import Database, open_database
from service.store.records import Subscription, User
from tests.support.dispatch import copied_url

PASSWORD = "correct horse battery"
OTHER = "another long password"
IDLE = timedelta(hours=1)
Line = list[str]


class Shop:
    """The commands on one database, and what is in it afterwards."""

    def __init__(self, url: str, database: Database) -> None:
        self._url = url
        self.database = database

    def run(self, *arguments: str, password: str | None = None) -> Result:
        given = None if password is None else f"{password}\n"
        return CliRunner().invoke(app, [*arguments, "--database-url", self._url], input=given)

    def done(self, *arguments: str, password: str | None = None) -> str:
        result = self.run(*arguments, password=password)
        assert result.exit_code == 0, str(result.exception or result.output)
        return result.output

    def refused(self, *arguments: str, password: str | None = None) -> str:
        result = self.run(*arguments, password=password)
        assert result.exit_code == 1, result.output
        return str(result.exception)

    def user(self, name: str) -> tuple[User, str]:
        with self.database.read() as connection:
            found = users.password_of(connection, name)
        assert found is not None
        return found

    def lines(self, *command: str) -> dict[str, Line]:
        rows = [line.split("\t") for line in self.done(*command).splitlines()]
        return {row[0]: row[1:] for row in rows}

    def key_of(self, token: str) -> str | None:
        with self.database.read() as connection:
            key = access.find_key(connection, token, datetime.now(UTC))
        return None if key is None else key.name

    def session(self, owner: User) -> str:
        now = datetime.now(UTC)
        with self.database.write() as connection:
            return access.open_session(connection, owner, now, now + IDLE)

    def has_session(self, token: str) -> bool:
        with self.database.read() as connection:
            return access.find_session(connection, token, datetime.now(UTC), IDLE) is not None

    def noted(self, subject: str) -> Sequence[str]:
        with self.database.read() as connection:
            found = audit.entries(connection, AuditFilter(subject=subject))
            entries = list(found)
        assert {each.actor for each in entries} <= {"command line"}
        return [each.action for each in entries]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    # The same hash with the least memory and time: how much it costs is no matter here.
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_HASHER", cheap)
    with copied_url("sqlite", tmp_path) as url, open_database(url) as database:
        yield Shop(url, database)


@pytest.fixture
def li(shop: Shop) -> User:
    shop.done("user", "add", "Li Wei", "--role", "viewer", password=PASSWORD)
    return shop.user("li wei")[0]


def test_who_is_added_may_sign_in_and_the_password_is_nowhere_else(shop: Shop) -> None:
    said = shop.done(
        "user", "add", "Wang", "--role", "crew",
        "--department", "traffic", "--department", "cleaning", password=PASSWORD,
    )  # fmt: skip
    assert said == "Wang may sign in as crew\n"
    made, stored = shop.user("WANG")
    assert passwords.verify_password(stored, PASSWORD)
    assert PASSWORD not in stored
    assert (made.role, made.department_ids) == ("crew", ("traffic", "cleaning"))
    assert shop.lines("user", "list")["Wang"] == ["crew", "traffic,cleaning", "active", "never"]
    assert shop.noted("user:Wang") == ["user.created"]


@pytest.mark.parametrize(
    ("options", "password", "said"),
    [
        pytest.param(["X", "--role", "viewer"], "short", "12 or more", id="short password"),
        pytest.param(["X", "--role", "viewer"], "x" * 201, "at most 200", id="long password"),
        pytest.param(
            ["Long enough a name", "--role", "viewer"], "long ENOUGH a name", "not be the name",
            id="name as password",
        ),
        pytest.param(["X", "--role", "crew"], PASSWORD, "--department", id="crew of nowhere"),
        pytest.param(
            ["X", "--role", "admin", "--department", "traffic"], PASSWORD, "whole city",
            id="admin of a department",
        ),
        pytest.param(["X", "--role", "detector"], PASSWORD, "is no person", id="detector"),
        pytest.param([" ", "--role", "viewer"], PASSWORD, "1 to 200", id="no name"),
        pytest.param(["li  wei".replace("  ", " "), "--role", "viewer"], PASSWORD, "already",
                     id="name taken"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("li")
def test_what_cannot_be_is_refused(
    shop: Shop, options: list[str], password: str, said: str
) -> None:
    before = shop.done("user", "list")
    assert said in shop.refused("user", "add", *options, password=password)
    assert shop.done("user", "list") == before


def test_a_disabled_user_is_out_at_once_and_may_come_back(shop: Shop, li: User) -> None:
    token = shop.session(li)
    shop.done("user", "disable", "LI WEI")
    assert not shop.has_session(token)
    assert shop.lines("user", "list")["Li Wei"][2] == "disabled"
    with shop.database.write() as connection:
        throttle.save_failures(connection, "user:li wei", 9, datetime.now(UTC), None)

    shop.done("user", "enable", "Li Wei")

    assert shop.lines("user", "list")["Li Wei"][2] == "active"
    assert shop.has_session(shop.session(li))
    with shop.database.read() as connection:
        assert throttle.failures_of(connection, "user:li wei")[0] == 0
    assert shop.noted("user:Li Wei") == ["user.created", "user.disabled", "user.changed"]


def test_a_new_password_ends_sessions_and_the_old_one(shop: Shop, li: User) -> None:
    token = shop.session(li)
    assert "12 or more" in shop.refused("user", "set-password", "Li Wei", password="short")
    assert shop.has_session(token)

    shop.done("user", "set-password", "Li Wei", password=OTHER)

    stored = shop.user("Li Wei")[1]
    assert passwords.verify_password(stored, OTHER)
    assert not passwords.verify_password(stored, PASSWORD)
    assert not shop.has_session(token)
    assert shop.noted("user:Li Wei")[-1] == "user.password_set"


def test_a_new_role_takes_its_departments_and_those_of_its_webhooks(shop: Shop, li: User) -> None:
    hook = Subscription(
        subscription_id="s-1",
        url="https://city.example/hook",
        description="",
        event_types=(),
        categories=(),
        department_ids=(),
        secret="whsec_x",
        active=True,
        disabled_reason=None,
        failures_in_a_row=0,
        paused_until=None,
        created_at=datetime.now(UTC),
        owner=f"user:{li.name}",
    )
    with shop.database.write() as connection:
        subscriptions.add_subscription(connection, hook)
    shop.done("user", "set-role", "Li Wei", "dispatcher", "--department", "traffic")
    assert shop.lines("user", "list")["Li Wei"][:2] == ["dispatcher", "traffic"]
    with shop.database.read() as connection:
        found = subscriptions.get_subscription(connection, "s-1")
    assert found.owner_department_ids == ("traffic",)
    assert "--department" in shop.refused("user", "set-role", "Li Wei", "crew")


@pytest.mark.parametrize(
    "command",
    [
        ["user", "disable"],
        ["user", "enable"],
        ["user", "set-password"],
        ["rotate-key"],
        ["revoke-key"],
    ],
    ids=" ".join,
)
def test_who_is_not_there_is_named(shop: Shop, command: list[str]) -> None:
    assert "nobody" in shop.refused(*command, "nobody", password=PASSWORD)


def test_a_typed_password_is_asked_for_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    typed = iter([PASSWORD, OTHER, PASSWORD, PASSWORD])
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: next(typed))
    with pytest.raises(SetupError, match="differ"):
        accounts._new_password("Li")
    assert accounts._new_password("Li") == PASSWORD


def test_a_key_is_printed_once_and_listed_without_itself(shop: Shop) -> None:
    token = shop.done(
        "create-key", "crew app", "--role", "crew", "--department", "traffic",
        "--expires-in", "90d",
    ).strip()  # fmt: skip
    assert re.fullmatch(r"sw_[\w-]{43}", token)
    assert shop.key_of(token) == "crew app"
    listed = shop.done("list-keys")
    assert token not in listed
    end = (datetime.now(UTC) + timedelta(days=90)).date()
    role, departments, state, until = shop.lines("list-keys")["crew app"]
    assert (role, departments, state) == ("crew", "traffic", "valid")
    assert until in {f"until {end}", f"until {end - timedelta(days=1)}"}
    assert shop.lines("list-keys")["test-admin"] == ["admin", "whole city", "valid", "for good"]


def test_a_rotated_key_is_valid_twice_for_a_while(shop: Shop) -> None:
    first = shop.done("create-key", "gis", "--role", "client").strip()
    second = shop.done("rotate-key", "gis", "--grace", "1h").strip()
    assert shop.key_of(first) == shop.key_of(second) == "gis"
    third = shop.done("rotate-key", "gis", "--grace", "0m", "--expires-in", "8w").strip()
    assert [shop.key_of(each) for each in (first, second, third)] == [None, None, "gis"]
    assert shop.lines("list-keys")["gis"][3].startswith("until ")
    assert shop.noted("key:gis") == ["key.created", "key.rotated", "key.rotated"]


def test_a_revoked_key_is_out_and_stays_listed(shop: Shop) -> None:
    token = shop.done("create-key", "gis", "--role", "client").strip()
    shop.done("revoke-key", "gis")
    assert shop.key_of(token) is None
    assert shop.lines("list-keys")["gis"][2] == "revoked"
    assert "has ended" in shop.refused("rotate-key", "gis")
    assert shop.noted("key:gis") == ["key.created", "key.revoked"]


@pytest.mark.parametrize("name", sorted(ENVIRONMENT_KEYS))
def test_keys_of_the_environment_are_changed_there(shop: Shop, name: str) -> None:
    for command in (["create-key", name, "--role", "admin"], ["rotate-key", name],
                    ["revoke-key", name]):  # fmt: skip
        assert "environment" in shop.refused(*command)


@pytest.mark.parametrize("length", ["", "90", "-1d", "1y", "d", "999999d"])
def test_a_length_of_time_that_is_none_is_told(shop: Shop, length: str) -> None:
    said = shop.refused("create-key", "x", "--role", Role.VIEWER, "--expires-in", length)
    assert "is no length of time: 30m, 12h, 90d or 8w" in said
