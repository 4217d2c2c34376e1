"""Network: the VPC with its subnets, endpoints, flow logs and the workloads' security group."""

from components.network.endpoints import VpcEndpoints, VpcEndpointsArgs
from components.network.flow_logs import FlowLogs, FlowLogsArgs
from components.network.vpc import Vpc, VpcArgs
from components.network.workloads import WorkloadSecurityGroup, WorkloadSecurityGroupArgs

__all__ = [
    "FlowLogs",
    "FlowLogsArgs",
    "Vpc",
    "VpcArgs",
    "VpcEndpoints",
    "VpcEndpointsArgs",
    "WorkloadSecurityGroup",
    "WorkloadSecurityGroupArgs",
]
