"""What ``city.yaml`` says of single sign-on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from service.config.rule_forms import Form
from service.config.scalars import Text
from service.config.sources import check_issuer, environment_name

PersonRole = Literal["viewer", "operator", "dispatcher", "crew", "admin"]


SECRET_ENV = "STREETWARDEN_OIDC_SECRET"  # noqa: S105 - a name


class OidcForm(Form):
    """An OpenID Connect provider where people sign in."""

    issuer: Annotated[str, AfterValidator(check_issuer)]
    """Its address, exactly as its own description says it."""
    client_id: Text
    """What the provider knows this service by."""
    roles: Annotated[dict[str, PersonRole], Field(min_length=1)]
    """Value of the claim, such as a group, to the role it gives; who has none may not sign in."""
    role_claim: Text = "roles"
    """Claim of the ID token that says what somebody is; also one in another: realm_access.roles."""
    department_claim: Text | None = None
    """Claim with the ids of departments whose orders they see; left out: the whole city."""
    secret_env: Annotated[str, AfterValidator(environment_name)] = SECRET_ENV
    """Environment variable that holds the client's secret, which is never in this file itself."""
    label: Annotated[Text, Field(max_length=60)] = "Single sign-on"
    """What the button says."""
