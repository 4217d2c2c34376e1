"""The controls that claims are evidence for.

Titles are in our words. Sources: CIS AWS Foundations Benchmark v3.0.0 as AWS Security Hub lists it
(https://docs.aws.amazon.com/securityhub/latest/userguide/cis-aws-foundations-benchmark.html); SOC 2 Trust
Services Criteria (2017, with the points of focus of 2022) of the AICPA.
"""

from collections.abc import Mapping
from types import MappingProxyType

from infra.audit.models import Control

_CIS = "CIS AWS Foundations Benchmark v3.0.0"
_SOC2 = "AICPA SOC 2 Trust Services Criteria 2017 (rev. 2022)"

RDS_ENCRYPTED = "CIS-AWS-2.3.1"
RDS_MINOR_UPGRADES = "CIS-AWS-2.3.2"
RDS_PRIVATE = "CIS-AWS-2.3.3"
KEY_ROTATION = "CIS-AWS-3.6"
FLOW_LOGS = "CIS-AWS-3.7"
NO_OPEN_INGRESS = "CIS-AWS-5.2"
DEFAULT_GROUP_CLOSED = "CIS-AWS-5.4"
LOGICAL_ACCESS = "SOC2-CC6.1"
BOUNDARY = "SOC2-CC6.6"
TRANSMISSION = "SOC2-CC6.7"
SOUND_SOFTWARE = "SOC2-CC6.8"
VULNERABILITIES = "SOC2-CC7.1"
MONITORING = "SOC2-CC7.2"
CAPACITY = "SOC2-A1.1"
BACKUPS = "SOC2-A1.2"

_ROWS = (
    (RDS_ENCRYPTED, "RDS instances are encrypted at rest", _CIS),
    (RDS_MINOR_UPGRADES, "RDS instances take minor upgrades by themselves", _CIS),
    (RDS_PRIVATE, "RDS instances are not publicly accessible", _CIS),
    (KEY_ROTATION, "Customer-managed symmetric KMS keys rotate", _CIS),
    (FLOW_LOGS, "Every VPC has flow logs", _CIS),
    (NO_OPEN_INGRESS, "No security group admits the whole Internet to administration ports", _CIS),
    (DEFAULT_GROUP_CLOSED, "The default security group of every VPC admits nothing", _CIS),
    (LOGICAL_ACCESS, "Logical access to protected information is restricted", _SOC2),
    (BOUNDARY, "Threats from outside the system's boundary are kept out", _SOC2),
    (TRANSMISSION, "Information is protected while it is transmitted", _SOC2),
    (SOUND_SOFTWARE, "Unauthorized or altered software is prevented", _SOC2),
    (VULNERABILITIES, "Vulnerabilities are detected", _SOC2),
    (MONITORING, "System components are monitored for anomalies", _SOC2),
    (CAPACITY, "Capacity and redundancy meet the commitments on availability", _SOC2),
    (BACKUPS, "Data backup and recovery infrastructure meets the objectives", _SOC2),
)

CONTROLS: Mapping[str, Control] = MappingProxyType(
    {identity: Control(id=identity, title=title, source=source) for identity, title, source in _ROWS}
)
"""Every control by id."""
