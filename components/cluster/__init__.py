"""Cluster: the EKS control plane, its nodes and add-ons, who may reach it, and the rooms inside it."""
