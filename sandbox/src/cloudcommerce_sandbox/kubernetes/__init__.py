"""Kubernetes for the sandbox: a real control plane for each cluster that stands in the emulator's EKS."""
