"""Configuration from the environment, checked once at start."""

from typing import Annotated, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, HttpUrl, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Port = Annotated[int, Field(ge=1, le=65_535)]
S = TypeVar("S", bound="DatabaseSettings")


class ConfigurationError(Exception):
    """A variable of the environment is missing or wrong; the message names it and what it must be."""


class DatabaseSettings(BaseSettings):
    """What migrations and maintenance need.

    Attributes:
        database_url: The primary, as libpq reads it (`postgresql://user:password@host/db?sslmode=verify-full`).
        database_prepared_statements: Off where a transaction pooler such as RDS Proxy stands between: a named
            prepared statement pins its client to one connection.
        stock_partitions_ahead: How many months of stock movements have their partition made in advance.
    """

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True)

    database_url: SecretStr
    database_prepared_statements: bool = True
    stock_partitions_ahead: Annotated[int, Field(ge=1, le=36)] = 6

    @field_validator("database_url", "database_replica_url", check_fields=False)
    @classmethod
    def _is_postgres(cls, url: SecretStr | None) -> SecretStr | None:
        if url and urlsplit(url.get_secret_value()).scheme not in {"postgresql", "postgres"}:
            raise ValueError("must be a postgresql:// URL")
        return url


class Settings(DatabaseSettings):
    """The whole service. Durations are seconds; README.md describes every variable."""

    host: str = "0.0.0.0"  # noqa: S104 - a pod is reached on its own address
    port: Port = 8000
    internal_port: Port = 8001
    internal_api_token: Annotated[SecretStr, Field(min_length=32)]

    database_replica_url: SecretStr | None = None
    database_pool_size: Annotated[int, Field(ge=1, le=100)] = 10
    database_replica_pool_size: Annotated[int, Field(ge=1, le=100)] = 10
    database_pool_timeout: Seconds = 2
    database_statement_timeout: Seconds = 5
    replica_lag_window: Seconds = 5

    redis_url: SecretStr
    redis_pool_size: Annotated[int, Field(ge=1, le=500)] = 20
    redis_timeout: Seconds = 0.5
    cache_fresh: Seconds = 60
    cache_stale: Seconds = 60
    cache_held_bytes: Annotated[int, Field(ge=0, le=2**30)] = 16 * 2**20

    jwks_url: HttpUrl
    jwt_issuer: str = "https://auth.cloudcommerce.example"
    jwt_audience: str = "cloudcommerce"

    cursor_secret: Annotated[SecretStr, Field(min_length=32)]
    default_currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"

    sweep_interval: Seconds = 5
    reservation_max_ttl: Seconds = 3600
    shutdown_delay: Annotated[float, Field(ge=0, le=120)] = 5
    shutdown_grace: Seconds = 20
    log_level: Annotated[str, Field(pattern=r"^(debug|info|warning|error)$")] = "info"

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, url: SecretStr) -> SecretStr:
        if urlsplit(url.get_secret_value()).scheme not in {"redis", "rediss"}:
            raise ValueError("must be a redis:// or rediss:// URL")
        return url

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        if self.port == self.internal_port:
            raise ValueError(f"PORT and INTERNAL_PORT are both {self.port}: choose two")
        return self


def load(kind: type[S]) -> S:
    """Read settings of a kind from the environment.

    Raises:
        ConfigurationError: With one line for each wrong variable, never with its value.
    """
    try:
        return kind()
    except ValidationError as error:
        lines = [
            f"{'.'.join(str(part) for part in problem['loc']).upper() or 'environment'}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        ]
        raise ConfigurationError("\n".join(lines)) from None
