"""The stack's audit output: what stands, and machine-readable claims about it that can be proved against AWS.

The document crosses a border: the program writes it, `operations audit` and auditors' own tools read it.
They share `schema.json` and no code, so that the proof does not lean on the program that made the claim.
"""

from infra.audit.document import audit_document

__all__ = ["audit_document"]
