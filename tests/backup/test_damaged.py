"""Archives that must not be put back, by the command."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from service.backup.archive import POSTGRESQL, SQLITE, ArchiveWriter, Manifest
from service.daemon.edge import EdgeStore, OutboxRequest
from service.store.database import open_database
from tests.backup.conftest import Site

NOW = datetime(2026, 11, 24, tzinfo=UTC)
REQUEST = OutboxRequest(
    incident_id="i-1", method="POST", path="/x", content_type="text/plain", body=b"kept"
)


def flip_the_middle(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[2000] ^= 1  # within the database, which comes first
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-12_000])


def is_untouched(site: Site) -> bool:
    if site.backend == "sqlite":
        return list(site.empty.folder.parent.iterdir()) == []
    with open_database(site.empty.url) as database, database.read() as connection:
        return sa.inspect(connection).get_table_names() == []


@pytest.mark.parametrize("damage", [flip_the_middle, cut])
def test_a_damaged_archive_changes_nothing(site: Site, damage: Callable[[Path], None]) -> None:
    made = site.backup()
    damage(made)

    done = site.run("restore", made, *site.empty.options)

    assert done.exit_code == 1
    assert "damaged" in str(done.exception) or "incomplete" in str(done.exception)
    assert is_untouched(site)
    assert site.run("backup", "--verify", made).exit_code == 1


def test_a_newer_backup_is_refused(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "newer.tar"
    name = SQLITE if site.backend == "sqlite" else POSTGRESQL
    with path.open("wb") as file:
        archive = ArchiveWriter(file, NOW)
        archive.add_bytes(name, b"of the future")
        archive.finish(
            Manifest(
                made_at=NOW,
                program="99.0",
                revision="9999",
                backend="sqlite" if site.backend == "sqlite" else "postgresql",
            )
        )

    done = site.run("restore", path, *site.empty.options)

    assert done.exit_code == 1
    assert "newer Streetwarden, 99.0 (schema 9999): update" in str(done.exception)
    assert is_untouched(site)


def test_a_hash_that_fits_does_not_make_a_database(site: Site, tmp_path: Path) -> None:
    """What the hashes cannot know: it was written damaged."""
    made = site.backup()
    path = tmp_path / "odd.tar"
    revision = "0010"
    name = SQLITE if site.backend == "sqlite" else POSTGRESQL
    with path.open("wb") as file:
        archive = ArchiveWriter(file, NOW)
        archive.add_bytes(name, made.read_bytes()[512:1512])
        archive.finish(
            Manifest(
                made_at=NOW,
                program="1",
                revision=revision,
                backend="sqlite" if site.backend == "sqlite" else "postgresql",
            )
        )
    assert site.run("backup", "--verify", path).exit_code == 1
    assert site.run("restore", path, *site.empty.options).exit_code == 1
    assert is_untouched(site)


@pytest.mark.needs_debian
def test_a_backup_goes_only_to_its_kind_of_database(site: Site, tmp_path: Path) -> None:
    made = site.backup()
    other = tmp_path / "other.sqlite3"
    url = f"sqlite:///{other}" if site.backend == "postgresql" else "postgresql://nobody@/none"
    done = site.run("restore", made, "--database-url", url, "--data-dir", tmp_path)
    assert done.exit_code == 1
    assert f"holds a database of {site.backend}" in str(done.exception)
    assert not other.exists()


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "daemon"
    folder.mkdir()
    (folder / "evidence-key.pem").write_text("a private key")
    with EdgeStore(folder / "edge.sqlite3") as store:
        store.commit("cam-1", "{}", [REQUEST])
    return folder


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_daemons_state_and_key_are_in_it_only_if_asked_for(
    site: Site, state_dir: Path, tmp_path: Path
) -> None:
    nowhere = ["--data-dir", tmp_path / "nowhere"]
    with EdgeStore(state_dir / "edge.sqlite3"):  # while the daemon runs
        done = site.run(
            "backup", site.backups, "--state-dir", state_dir, "--with-signing-key", *nowhere
        )
    assert done.exit_code == 0, done.output
    assert "the daemon's private key lies readable in it" in done.output
    (made,) = site.backups.iterdir()
    new = tmp_path / "new"

    restored = site.run("restore", made, "--state-dir", new, *nowhere)

    assert restored.exit_code == 0, restored.output
    with EdgeStore(new / "edge.sqlite3") as store:
        assert store.counts().waiting == 1
    assert (new / "evidence-key.pem").stat().st_mode & 0o777 == 0o600
    again = site.run("restore", made, "--state-dir", new, *nowhere)
    assert "--force" in str(again.exception)


@pytest.mark.parametrize("backend", ["sqlite"])
def test_nothing_to_back_up_is_an_error(site: Site, tmp_path: Path) -> None:
    done = site.run("backup", site.backups, "--data-dir", tmp_path / "nothing")
    assert done.exit_code == 1
    assert "there is no database in" in str(done.exception)
    done = site.run("backup", site.backups, "--database-url", f"sqlite:///{tmp_path / 'no.db'}")
    assert "there is no such file" in str(done.exception)
    assert not (tmp_path / "no.db").exists()
