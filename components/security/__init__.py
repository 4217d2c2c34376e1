"""Security: the keys that encrypt everything else."""
