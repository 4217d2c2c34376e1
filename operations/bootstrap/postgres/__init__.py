"""PostgreSQL: databases, roles and privileges, brought to exactly what the plan says.

`desired` and `differences` are pure; `catalog` reads a server; `server` connects, locks and carries out.
"""
