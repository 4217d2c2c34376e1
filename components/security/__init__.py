"""Security: the keys that encrypt everything else."""

from components.security.data_key import DataKey, DataKeyArgs
from components.security.key_policy import KeyUse

__all__ = ["DataKey", "DataKeyArgs", "KeyUse"]
