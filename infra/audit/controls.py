"""The controls that claims are evidence for.

Titles are in our words. Sources: CIS AWS Foundations Benchmark v3.0.0 as AWS Security Hub lists it
(https://docs.aws.amazon.com/securityhub/latest/userguide/cis-aws-foundations-benchmark.html); CIS Amazon EKS
Benchmark v1.5.0 (https://www.cisecurity.org/benchmark/kubernetes); SOC 2 Trust Services Criteria (2017, with
the points of focus of 2022) of the AICPA.
"""

from collections.abc import Mapping
from types import MappingProxyType

from infra.audit.models import Control

_CIS = "CIS AWS Foundations Benchmark v3.0.0"
_CIS_EKS = "CIS Amazon EKS Benchmark v1.5.0"
_SOC2 = "AICPA SOC 2 Trust Services Criteria 2017 (rev. 2022)"

RDS_ENCRYPTED = "CIS-AWS-2.3.1"
RDS_MINOR_UPGRADES = "CIS-AWS-2.3.2"
RDS_PRIVATE = "CIS-AWS-2.3.3"
KEY_ROTATION = "CIS-AWS-3.6"
FLOW_LOGS = "CIS-AWS-3.7"
NO_OPEN_INGRESS = "CIS-AWS-5.2"
DEFAULT_GROUP_CLOSED = "CIS-AWS-5.4"
METADATA_SERVICE = "CIS-AWS-5.6"
EKS_AUDIT_LOGS = "CIS-EKS-2.1.1"
EKS_LEAST_PRIVILEGE = "CIS-EKS-4.1.3"
EKS_POD_SECURITY = "CIS-EKS-4.2.1"
EKS_CNI_POLICIES = "CIS-EKS-4.3.1"
EKS_NAMESPACE_POLICIES = "CIS-EKS-4.3.2"
EKS_WORKLOAD_IDENTITY = "CIS-EKS-5.2.1"
EKS_SECRETS_KEY = "CIS-EKS-5.3.1"
EKS_ENDPOINT = "CIS-EKS-5.4.1"
EKS_PRIVATE_ENDPOINT = "CIS-EKS-5.4.2"
EKS_IAM_USERS = "CIS-EKS-5.5.1"
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
    (METADATA_SERVICE, "EC2 instances answer version 2 of the metadata service only", _CIS),
    (EKS_AUDIT_LOGS, "Control-plane logs, audit among them, are kept", _CIS_EKS),
    (EKS_LEAST_PRIVILEGE, "Roles grant what is needed and no more", _CIS_EKS),
    (EKS_POD_SECURITY, "Privileged containers are not admitted", _CIS_EKS),
    (EKS_CNI_POLICIES, "The network plugin enforces network policies", _CIS_EKS),
    (EKS_NAMESPACE_POLICIES, "Every namespace has network policies", _CIS_EKS),
    (EKS_WORKLOAD_IDENTITY, "Workloads have service accounts and AWS roles of their own", _CIS_EKS),
    (EKS_SECRETS_KEY, "Kubernetes secrets are encrypted with a customer-managed KMS key", _CIS_EKS),
    (EKS_ENDPOINT, "Access to the control plane's endpoint is restricted", _CIS_EKS),
    (EKS_PRIVATE_ENDPOINT, "The control plane is reached by a private endpoint", _CIS_EKS),
    (EKS_IAM_USERS, "Users of the cluster are managed by IAM", _CIS_EKS),
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
