from __future__ import annotations

import pytest

from models.errors import StoreError
from service.store.secrets import NO_KEY, SEALED, SecretBox

BOX = SecretBox(key="a text that nobody can guess")


def test_what_is_sealed_cannot_be_read_and_can_be_opened() -> None:
    sealed = BOX.seal("whsec_c2VjcmV0")

    assert sealed.startswith(SEALED)
    assert "c2VjcmV0" not in sealed
    assert BOX.open(sealed) == "whsec_c2VjcmV0"
    assert BOX.seal("whsec_c2VjcmV0") != sealed


def test_without_a_key_secrets_stay_as_they_are() -> None:
    assert NO_KEY.seal("whsec_c2VjcmV0") == "whsec_c2VjcmV0"
    assert BOX.open("whsec_c2VjcmV0") == "whsec_c2VjcmV0"


@pytest.mark.parametrize("box", [NO_KEY, SecretBox(key="another text")], ids=["none", "other"])
def test_another_key_is_an_error_that_shows_no_secret(box: SecretBox) -> None:
    with pytest.raises(StoreError, match="wrong or no secret key"):
        box.open(BOX.seal("whsec_c2VjcmV0"))
    assert "nobody" not in repr(BOX)
