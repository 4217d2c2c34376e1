"""`aws:iam/getPolicyDocument`: an IAM policy document from statement blocks, without a call to AWS.

Semantics: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from cloudcommerce_sandbox.plugins.provider import ProviderError

_VERSION = "2012-10-17"


def policy_document(args: dict[str, Any]) -> dict[str, Any]:
    """Return the document as `json` (indented) and `minifiedJson`, beside the arguments.

    Args:
        args: `statements`, `version`, `policyId`, `sourcePolicyDocuments` (merged first) and
            `overridePolicyDocuments` (replace statements of the same Sid).

    Raises:
        ProviderError: Two source statements have the same Sid, or a document is no JSON.
    """
    statements: list[dict[str, Any]] = []
    for source in args.get("sourcePolicyDocuments") or ():
        statements += _statements_of(source)
    statements += [_statement(block) for block in args.get("statements") or ()]
    _refuse_double_sids(statements)
    for override in args.get("overridePolicyDocuments") or ():
        for statement in _statements_of(override):
            statements = _replaced(statements, statement)
    document: dict[str, Any] = {"Version": args.get("version") or _VERSION}
    if args.get("policyId"):
        document["Id"] = args["policyId"]
    document["Statement"] = statements
    minified = json.dumps(document, separators=(",", ":"))
    return {
        **args,
        "id": str(int(hashlib.sha256(minified.encode()).hexdigest()[:8], 16)),
        "json": json.dumps(document, indent=2),
        "minifiedJson": minified,
    }


def _statements_of(text: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(text).get("Statement", [])
    except (ValueError, AttributeError) as error:
        message = f"a source or override policy document is no JSON object: {error}"
        raise ProviderError(message) from error
    return found if isinstance(found, list) else [found]


def _refuse_double_sids(statements: list[dict[str, Any]]) -> None:
    sids = [statement["Sid"] for statement in statements if statement.get("Sid")]
    doubled = sorted({sid for sid in sids if sids.count(sid) > 1})
    if doubled:
        message = f"statements with the same sid: {', '.join(doubled)}; give each its own, or override one"
        raise ProviderError(message)


def _replaced(statements: list[dict[str, Any]], new: dict[str, Any]) -> list[dict[str, Any]]:
    sid = new.get("Sid")
    if not sid or all(statement.get("Sid") != sid for statement in statements):
        return [*statements, new]
    return [new if statement.get("Sid") == sid else statement for statement in statements]


def _statement(block: dict[str, Any]) -> dict[str, Any]:
    statement: dict[str, Any] = {}
    if block.get("sid"):
        statement["Sid"] = block["sid"]
    statement["Effect"] = block.get("effect") or "Allow"
    for name in ("actions", "notActions", "resources", "notResources"):
        if block.get(name):
            statement[name[0].upper() + name[1:-1]] = _short(sorted(block[name], reverse=True))
    for name in ("principals", "notPrincipals"):
        if block.get(name):
            statement[name[0].upper() + name[1:-1]] = _principals(block[name])
    if block.get("conditions"):
        statement["Condition"] = _conditions(block["conditions"])
    return statement


def _short(values: list[str]) -> Any:
    return values[0] if len(values) == 1 else values


def _principals(blocks: list[dict[str, Any]]) -> Any:
    merged: dict[str, list[str]] = {}
    for block in blocks:
        merged.setdefault(block["type"], []).extend(block["identifiers"])
    if merged == {"*": ["*"]}:
        return "*"
    return {kind: _short(sorted(set(names), reverse=True)) for kind, names in merged.items()}


def _conditions(blocks: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    merged: dict[str, dict[str, list[str]]] = {}
    for block in blocks:
        merged.setdefault(block["test"], {}).setdefault(block["variable"], []).extend(block["values"])
    return {test: {name: _short(values) for name, values in table.items()} for test, table in merged.items()}
