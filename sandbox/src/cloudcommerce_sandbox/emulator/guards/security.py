"""What KMS, Secrets Manager, CloudWatch Logs, Elastic Load Balancing and EKS refuse."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from cloudcommerce_sandbox.emulator.guards import state
from cloudcommerce_sandbox.emulator.guards.rule import Request, refuses
from cloudcommerce_sandbox.emulator.wire import ApiError


@refuses(
    "kms",
    "CreateKey",
    "PutKeyPolicy",
    source="https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html",
)
def key_policy_that_locks_out(request: Request) -> None:
    """A key policy must leave somebody who can change it."""
    document = request.get("Policy")
    if document is None or request.get("BypassPolicyLockoutSafetyCheck"):
        return
    try:
        statements = state.statements(document)
    except (ValueError, AttributeError) as error:
        raise ApiError("MalformedPolicyDocumentException", f"The policy is not JSON: {error}") from error
    for statement in statements:
        if statement.get("Effect") != "Allow" or not _allows_policy_changes(statement):
            continue
        if any(
            name == "*" or f":{state.ACCOUNT}:" in name or name == state.ACCOUNT
            for name in state.principals(statement)
        ):
            return
    raise ApiError(
        "MalformedPolicyDocumentException",
        "The new key policy will not allow you to update the key policy in the future.",
    )


def _allows_policy_changes(statement: dict[str, Any]) -> bool:
    patterns = {action.lower() for action in state.actions(statement)}
    return any(fnmatchcase("kms:putkeypolicy", pattern) for pattern in patterns)


@refuses(
    "logs",
    "CreateLogGroup",
    "AssociateKmsKey",
    source="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html",
)
def log_group_key_that_shuts_out_logs(request: Request) -> None:
    """The key's policy must let the regional Logs service use it."""
    key_id = request.get("kmsKeyId")
    if not key_id:
        return
    group = request.get("logGroupName") or request.get("resourceIdentifier")
    key = state.kms_key(request.region, key_id)
    if key is None or key.key_state != "Enabled":
        raise ApiError("InvalidParameterException", f"The specified KMS Key Id could not be found. '{group}'")
    service = f"logs.{request.region}.amazonaws.com"
    for statement in state.statements(key.policy):
        if statement.get("Effect") == "Allow" and state.principals(statement) & {
            service,
            "logs.amazonaws.com",
            "*",
        }:
            return
    raise ApiError(
        "AccessDeniedException",
        f"The specified KMS key does not exist or is not allowed to be used with Arn '{group}': "
        f"its key policy must allow {service}.",
    )


@refuses(
    "elbv2",
    "DeleteLoadBalancer",
    source="https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteLoadBalancer.html",
)
def protected_load_balancer(request: Request) -> None:
    """Deletion protection holds."""
    balancers = state.backend("elbv2", request.region).load_balancers
    balancer = balancers.get(request.get("LoadBalancerArn"))
    if balancer is not None and balancer.attrs.get("deletion_protection.enabled") == "true":
        message = f"Load balancer '{balancer.arn}' cannot be deleted because deletion protection is enabled"
        raise ApiError("OperationNotPermitted", message)


@refuses(
    "secretsmanager",
    "CreateSecret",
    source="https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html",
)
def name_of_a_secret_that_is_going(request: Request) -> None:
    """A secret in its recovery window keeps its name."""
    secret = state.backend("secretsmanager", request.region).secrets.get(request.get("Name"))
    if secret is not None and secret.is_deleted():
        raise ApiError(
            "InvalidRequestException",
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
        )


@refuses(
    "secretsmanager",
    "CreateSecret",
    "UpdateSecret",
    source="https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html",
)
def unusable_key_of_a_secret(request: Request) -> None:
    """The key of a secret must exist and be enabled."""
    state.require_usable_key(request.region, request.get("KmsKeyId"), "EncryptionFailure")
