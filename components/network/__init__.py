"""Network: the VPC with its subnets, endpoints, flow logs and the workloads' security group."""
