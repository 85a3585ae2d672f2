from __future__ import annotations

from pathlib import Path

import pytest

from detector.weights.form import RegistryForm, WeightsFormat
from detector.weights.registry import (
    BUNDLED_FOLDER,
    DATA_ENV,
    REGISTRY_NAME,
    load_registry,
    read_registry_file,
    resolve,
    sha256_of,
    verify,
    weights_folder,
    write_registry_file,
)
from models.errors import WeightsError

CONTENT = b"numbers"

ENTRY = """
version: 1
weights:
  - name: {name}
    description: for a test
    status: trial
    licence: CC0-1.0
    image_size_px: 640
    labels: [person, car]
    figures: {{map50: 0.5}}
    variants:
      - format: openvino
        precision: float16
        files:
          - {{path: net/net.xml, sha256: {sha256}}}
      - format: pytorch
        files:
          - {{path: net/net.pt, sha256: {sha256}}}
"""


def write_folder(folder: Path, name: str = "net-a") -> Path:
    """A registry with one network whose files lie beside it."""
    for file in ("net.xml", "net.pt"):
        path = folder / "net" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(CONTENT)
    text = ENTRY.format(name=name, sha256=sha256_of(folder / "net" / "net.pt"))
    (folder / REGISTRY_NAME).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("formats", "file"),
    [
        pytest.param(tuple(WeightsFormat), "net.xml", id="any"),
        pytest.param((WeightsFormat.PYTORCH,), "net.pt", id="pytorch"),
        pytest.param((WeightsFormat.ONNX, WeightsFormat.PYTORCH), "net.pt", id="second choice"),
    ],
)
def test_a_name_gives_the_best_form_that_the_caller_can_use(
    tmp_path: Path, formats: tuple[WeightsFormat, ...], file: str
) -> None:
    registry = load_registry(write_folder(tmp_path / "a"), tmp_path / "none")
    found = resolve("net-a", formats, registry)
    assert found.path == tmp_path / "a" / "net" / file
    assert found.labels == ("person", "car")
    assert found.image_size_px == 640
    assert found.verified


def test_a_form_that_there_is_not_says_which_there_are(tmp_path: Path) -> None:
    registry = load_registry(write_folder(tmp_path), tmp_path / "none")
    with pytest.raises(WeightsError, match="comes as openvino, pytorch, but onnx is needed"):
        resolve("net-a", (WeightsFormat.ONNX,), registry)


def test_an_altered_file_is_refused_with_both_hashes(tmp_path: Path) -> None:
    registry = load_registry(write_folder(tmp_path), tmp_path / "none")
    (tmp_path / "net" / "net.xml").write_bytes(CONTENT + b"!")
    with pytest.raises(WeightsError, match=rf"sha256 is \w{{64}}, {sha256_of_content()} is"):
        resolve("net-a", registry=registry)


def sha256_of_content() -> str:
    import hashlib

    return hashlib.sha256(CONTENT).hexdigest()


def test_a_missing_file_is_told_with_its_place(tmp_path: Path) -> None:
    registry = load_registry(write_folder(tmp_path), tmp_path / "none")
    (tmp_path / "net" / "net.xml").unlink()
    with pytest.raises(WeightsError, match=r"net\.xml of net-a is missing: install"):
        resolve("net-a", registry=registry)


def test_an_unknown_name_is_told_with_those_that_are_known(tmp_path: Path) -> None:
    registry = load_registry(write_folder(tmp_path), tmp_path / "none")
    with pytest.raises(WeightsError, match=r"no weights named 'net-b' \(known: net-a\)"):
        resolve("net-b", registry=registry)


def test_a_path_is_taken_as_it_is_and_not_called_verified(tmp_path: Path) -> None:
    path = tmp_path / "own.pt"
    path.write_bytes(CONTENT)
    found = resolve(str(path), registry=load_registry(user_folder=tmp_path / "none"))
    assert (found.path, found.format, found.verified) == (path, WeightsFormat.PYTORCH, False)


def test_a_name_wins_over_a_file_of_that_name_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = load_registry(write_folder(tmp_path / "a"), tmp_path / "none")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net-a").mkdir()
    assert resolve("net-a", registry=registry).verified


def test_shipped_weights_come_first_and_cannot_be_replaced_by_the_users(tmp_path: Path) -> None:
    shipped = write_folder(tmp_path / "shipped", "street")
    own = write_folder(tmp_path / "own", "street")
    registry = load_registry(shipped, own)
    assert registry.names() == ("street",)
    assert registry.find("street").folder == shipped
    (own / REGISTRY_NAME).write_text(ENTRY.format(name="mine", sha256=sha256_of_content()))
    both = load_registry(shipped, own)
    assert both.names() == ("street", "mine")
    assert [item.shipped for item in both.listed] == [True, False]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(("version: 1", "version: 2"), "version", id="other version"),
        pytest.param(("trial", "great"), "status", id="unknown status"),
        pytest.param(("licence: CC0-1.0", "license: CC0-1.0"), "licen[cs]e", id="unknown key"),
        pytest.param(("net/net.xml", "../../etc/passwd"), "below the registry", id="path outside"),
        pytest.param(("net/net.xml", "/etc/passwd"), "below the registry", id="absolute path"),
        pytest.param(("name: net-a", "name: ../a"), "name", id="name that is a path"),
        pytest.param(("sha256: ", "sha256: Z"), "sha256", id="hash that is none"),
        pytest.param(("version: 1", "version: [1"), "cannot be read", id="not YAML"),
    ],
)
def test_a_registry_that_is_wrong_says_where(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    path = write_folder(tmp_path) / REGISTRY_NAME
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(WeightsError, match=said):
        read_registry_file(path)


def write_stated(folder: Path, stated: str) -> Path:
    path = write_folder(folder) / REGISTRY_NAME
    path.write_text(path.read_text().replace("    variants:", f"    {stated}\n    variants:"))
    return path


def test_thresholds_and_experimental_classes_are_read_and_written_back(tmp_path: Path) -> None:
    path = write_stated(tmp_path, "thresholds: {car: 0.45}\n    experimental: [person]")
    (entry,) = read_registry_file(path).weights
    assert (entry.thresholds, entry.experimental) == ({"car": 0.45}, ("person",))
    write_registry_file(path, read_registry_file(path))
    assert read_registry_file(path).weights == (entry,)


def test_without_them_no_class_has_a_threshold_and_none_is_experimental(tmp_path: Path) -> None:
    (entry,) = read_registry_file(write_folder(tmp_path) / REGISTRY_NAME).weights
    assert (dict(entry.thresholds), entry.experimental) == ({}, ())


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        pytest.param("thresholds: {lorry: 0.5}", "thresholds: lorry not among", id="unknown"),
        pytest.param("thresholds: {car: 1.5}", "thresholds.car: .*less than", id="above 1"),
        pytest.param("thresholds: {car: 0}", "thresholds.car: .*greater than", id="zero"),
        pytest.param("experimental: [lorry]", "experimental: lorry not among", id="not a class"),
        pytest.param("experimental: [car, car]", "experimental: net-a names a", id="twice"),
    ],
)
def test_a_statement_about_a_class_that_is_wrong_names_file_and_field(
    tmp_path: Path, stated: str, said: str
) -> None:
    path = write_stated(tmp_path, stated)
    with pytest.raises(WeightsError, match=rf"{REGISTRY_NAME}: .*{said}"):
        read_registry_file(path)


def test_a_name_listed_twice_is_an_error(tmp_path: Path) -> None:
    path = write_folder(tmp_path) / REGISTRY_NAME
    text = path.read_text()
    path.write_text(text + text.split("weights:\n")[1])
    with pytest.raises(WeightsError, match="lists net-a twice"):
        read_registry_file(path)


def test_what_is_written_is_read_back_the_same(tmp_path: Path) -> None:
    form = read_registry_file(write_folder(tmp_path) / REGISTRY_NAME)
    copy = tmp_path / "deep" / "er" / REGISTRY_NAME
    write_registry_file(copy, form)
    assert read_registry_file(copy) == form
    assert [path.name for path in copy.parent.iterdir()] == [REGISTRY_NAME]


def test_an_empty_registry_is_one() -> None:
    assert RegistryForm(version=1).weights == ()


def test_the_data_folder_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATA_ENV, str(tmp_path))
    assert weights_folder() == tmp_path / "weights"


def test_all_that_is_shipped_is_there_and_unaltered(tmp_path: Path) -> None:
    registry = load_registry(user_folder=tmp_path)
    for item in registry.listed:
        assert item.entry.labels
        assert item.entry.licence
        for variant in item.entry.variants:
            verify(item, variant)
    listed = {
        item.path(f) for item in registry.listed for v in item.entry.variants for f in v.files
    }
    kinds = {".xml", ".bin", ".pt", ".onnx"}
    there = {path for path in BUNDLED_FOLDER.rglob("*") if path.suffix in kinds}
    assert there == {path for path in listed if path.suffix in kinds}
