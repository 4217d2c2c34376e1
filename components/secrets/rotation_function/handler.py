"""Rotate a secret in the four steps of Secrets Manager.

Each step may run again after a crash anywhere, and the rotation still converges.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-lambda-functions.html
"""

import logging
from collections.abc import Callable, Mapping

import boto3

from .rabbitmq_store import RabbitMqStore
from .stores import DocumentDbStore, PostgresStore, Store, ValkeyStore
from .versions import RotatingSecret, RotationRefusedError, Value

_log = logging.getLogger(__name__)
_log.setLevel(logging.INFO)

_STORES: Mapping[str, Callable[[], Store]] = {
    "postgres": lambda: PostgresStore(boto3.client("rds")),
    "docdb": lambda: DocumentDbStore(boto3.client("docdb")),
    "valkey": lambda: ValkeyStore(boto3.client("elasticache")),
    "rabbitmq": RabbitMqStore,
}


def handle(event: Mapping[str, str], _context: object) -> None:
    """Run one step.

    Args:
        event: `Step`, `SecretId` and `ClientRequestToken`, as Secrets Manager sends them.
        _context: Lambda's context, which rotation does not need.

    Raises:
        RotationRefusedError: the step, the version or the secret's value is not what rotation expects.
        NotYetEffectiveError: the store needs more time; Secrets Manager tries again.
    """
    step = event["Step"]
    if step not in _STEPS:
        raise RotationRefusedError(f"unknown step {step!r}: take one of {', '.join(_STEPS)}")
    secret = RotatingSecret(boto3.client("secretsmanager"), event["SecretId"], event["ClientRequestToken"])
    if not secret.must_rotate():
        _log.info("%s of %s: the version is current already", step, secret.arn)
        return
    _STEPS[step](secret)
    _log.info("%s of %s: done", step, secret.arn)


def _set(secret: RotatingSecret) -> None:
    pending, current = secret.pending(), secret.current()
    if pending is None:
        raise RotationRefusedError(f"{secret.arn} has no pending value: the create step comes first")
    if not pending.same_target(current):
        # Whoever may write a secret must not be able to make this function set passwords elsewhere.
        raise RotationRefusedError(
            f"the pending value of {secret.arn} is for another user or store: remove it"
        )
    _store(pending).set_password(pending, current)


def _test(secret: RotatingSecret) -> None:
    # When rotation is configured, Secrets Manager runs this step alone, with a pending version that no create
    # step has filled: then what is tested is that the function reaches the store.
    value = secret.pending() or secret.current()
    _store(value).check(value)


def _store(value: Value) -> Store:
    try:
        return _STORES[value.engine]()
    except KeyError:
        raise RotationRefusedError(
            f"unknown engine {value.engine!r}: take one of {', '.join(_STORES)}"
        ) from None


_STEPS: Mapping[str, Callable[[RotatingSecret], None]] = {
    "createSecret": RotatingSecret.create_pending,
    "setSecret": _set,
    "testSecret": _test,
    "finishSecret": RotatingSecret.finish,
}
