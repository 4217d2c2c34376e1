"""What happens inside a running cluster: nodes, access, volumes and add-ons, as on EKS."""
