"""``streetwarden evidence``: checks that it is what the daemon saw, byte for byte."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from models.errors import EvidenceError, SetupError
from service.cli.folders import data_folder
from service.cli.originals import decrypt, keygen
from service.daemon.signing import KEY_FILE, Signer
from service.decisions.evidence_kinds import ORIGINAL, kind_of_name
from service.decisions.manifest import (
    MANIFEST,
    Manifest,
    check_chain,
    check_files,
    number_of,
    read_manifest,
)

KEY_ENV = "STREETWARDEN_API_KEY"
TIMEOUT_S = 30.0

evidence = typer.Typer(
    help="Verify the evidence of an order; show the key it is signed with.", no_args_is_help=True
)
evidence.command("keygen")(keygen)
evidence.command("decrypt")(decrypt)


@dataclass(frozen=True, kw_only=True, slots=True)
class Gathered:
    """Evidence of one incident, by name."""

    files: Mapping[str, bytes]
    """Pictures and films."""
    manifests: Mapping[int, bytes]
    """By their number."""


@evidence.command("public-key")
def public_key(
    state_dir: Annotated[
        Path | None, typer.Option(help="The daemon's --state-dir; default: where it usually is.")
    ] = None,
) -> None:
    """Print the public key of a daemon, by which others can tell its evidence.

    The daemon makes its key when it first starts. Hand the public one on by another way than the
    evidence itself.
    """
    folder = state_dir or data_folder() / "daemon"
    if not (folder / KEY_FILE).exists():
        raise SetupError(f"{folder}: no daemon has made a key here yet")
    typer.echo(Signer.of_folder(folder).public_key)


@evidence.command("verify")
def verify(
    what: Annotated[
        str,
        typer.Argument(
            help="A manifest file (the other files beside it), a folder with all files, or the"
            " address of an order: https://…/api/v1/work-orders/ID (key: STREETWARDEN_API_KEY)."
        ),
    ],
    key: Annotated[
        str | None,
        typer.Option("--public-key", help="The key it must be signed with, or a file with it."),
    ] = None,
    save: Annotated[
        Path | None, typer.Option(help="Of an order: also write its files into this folder.")
    ] = None,
) -> None:
    """Check signature, completeness and every byte of an order's evidence; exit code 1 if wrong."""
    trusted = None if key is None else _key_text(key)
    gathered = _of_order(what) if what.startswith(("http://", "https://")) else _of_path(Path(what))
    if save is not None:
        _save(gathered, save)
    manifest = checked(gathered, trusted, whole=not Path(what).is_file())
    for note in manifest.files:
        was_checked = note.name in gathered.files
        sign = "ok" if was_checked else "--"
        told = "" if was_checked else "  encrypted original, not checked"
        typer.echo(f"{sign}  {note.name}  {note.taken_at}  sha256 {note.sha256}{told}")
    made = manifest.values.get("made_with", {})
    typer.echo(
        f"incident {manifest.incident_id}, {len(manifest.files)} files, manifest"
        f" {manifest.revision}, {made.get('model_version', '')} {made.get('software', '')}"
    )
    typer.echo(f"signed with {manifest.public_key}" + ("" if trusted else " (compare this key)"))


def checked(gathered: Gathered, trusted_key: str | None, *, whole: bool) -> Manifest:
    """The manifest that all files agree with; raises :class:`EvidenceError` with all that is wrong.

    ``whole``: every manifest is there, and each must continue the one before it.
    """
    if not gathered.manifests:
        raise EvidenceError("there is no manifest: this evidence was not signed")
    ordered = [gathered.manifests[number] for number in sorted(gathered.manifests)]
    if whole:
        manifest = check_chain(ordered, trusted_key)
    else:
        manifest = read_manifest(ordered[-1], trusted_key)
    wrong = check_files(_without_sealed(manifest, gathered.files), gathered.files)
    listed = {note.name for note in manifest.files}
    if whole:
        extra = sorted(set(gathered.files) - listed)
        wrong += [f"{name}: is in no manifest" for name in extra]
    if wrong:
        raise EvidenceError("\n".join(wrong))
    return manifest


def _without_sealed(manifest: Manifest, files: Mapping[str, bytes]) -> Manifest:
    """Without encrypted originals that are not there: few may have them, and not for long."""
    present = [
        note
        for note in manifest.files
        if note.name in files or kind_of_name(note.name) is not ORIGINAL
    ]
    return replace(manifest, files=tuple(present))


def _key_text(key: str) -> str:
    path = Path(key)
    return (path.read_text(encoding="ascii") if path.is_file() else key).strip()


def _of_path(path: Path) -> Gathered:
    """A folder, or one manifest and what lies beside it."""
    folder = path if path.is_dir() else path.parent
    try:
        found = {each.stem: each for each in folder.iterdir() if each.is_file()}
        contents = {
            name: each.read_bytes()
            for name, each in found.items()
            if each.suffix == kind_of_name(name).suffix
        }
        alone = None if path.is_dir() else path.read_bytes()
    except OSError as error:
        raise EvidenceError(f"{path}: cannot be read: {error.strerror}") from error
    gathered = _sorted(contents)
    return gathered if alone is None else Gathered(files=gathered.files, manifests={1: alone})


def _of_order(url: str) -> Gathered:
    headers = {"Authorization": f"Bearer {os.environ.get(KEY_ENV, '')}"}
    base = httpx.URL(url)
    with httpx.Client(headers=headers, timeout=TIMEOUT_S) as http:
        order: dict[str, Any] = _get(http, base).json()
        contents = {}
        for each in order.get("evidence", []):
            link = base.join(each["url"])
            if (link.scheme, link.host, link.port) != (base.scheme, base.host, base.port):
                raise EvidenceError(f"{each['name']}: lies at another service, {link.host}")
            contents[each["name"]] = _get(http, link).content
    return _sorted(contents)


def _get(http: httpx.Client, url: httpx.URL) -> httpx.Response:
    try:
        answer = http.get(url)
    except httpx.HTTPError as error:
        raise EvidenceError(f"{url.host}: {type(error).__name__}: {error}") from error
    if not answer.is_success:
        hint = f" (is {KEY_ENV} set?)" if answer.status_code in {401, 403} else ""
        raise EvidenceError(f"{url.path}: the service answers {answer.status_code}{hint}")
    return answer


def _sorted(contents: Mapping[str, bytes]) -> Gathered:
    numbers = {name: number_of(name, MANIFEST) for name in contents}
    return Gathered(
        files={name: contents[name] for name, number in numbers.items() if number is None},
        manifests={
            number: contents[name] for name, number in numbers.items() if number is not None
        },
    )


def _save(gathered: Gathered, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in gathered.files.items():
        _write(folder, name, content)
    for number, content in gathered.manifests.items():
        _write(folder, MANIFEST if number == 1 else f"{MANIFEST}-{number}", content)


def _write(folder: Path, name: str, content: bytes) -> None:
    if "/" in name or "\\" in name or name.startswith("."):
        raise EvidenceError(f"{name!r}: is no name of evidence")
    (folder / f"{name}{kind_of_name(name).suffix}").write_bytes(content)
