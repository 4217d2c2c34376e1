"""PostgreSQL's settings as a function of the instance's memory and role.

Sources: https://www.postgresql.org/docs/17/runtime-config.html,
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Parameters.html and
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.SSL.html.
"""

from typing import Literal

from components.data.instance_classes import GIB
from components.data.parameter import Parameter

Role = Literal["primary", "replica"]

_KIB = 1024
_MIB = 1024 * _KIB
_PAGE = 8 * _KIB
_CONNECTIONS_PER_GIB = 50
_MIN_CONNECTIONS, _MAX_CONNECTIONS = 200, 2000


def max_connections(memory: int) -> int:
    """Connections that the instance accepts.

    RDS's default (memory / 9531392, 900 on 8 GiB) lets idle backends eat the cache. Behind a pooling proxy
    far fewer are needed: fifty per GiB, between 200 and 2000.

    Args:
        memory: Memory of the instance class in bytes.
    """
    return min(max(memory // GIB * _CONNECTIONS_PER_GIB, _MIN_CONNECTIONS), _MAX_CONNECTIONS)


def postgres_parameters(memory: int, role: Role) -> tuple[Parameter, ...]:
    """The parameter group of an instance.

    A replica has all of the primary's parameters, since it may be promoted and a standby with fewer
    connections than its primary does not start, and one of its own. Bind values stay out of the log
    (`log_parameter_max_length`) and `auto_explain` is left out because it would write them with its plans:
    customers' addresses do not belong into CloudWatch.

    Args:
        memory: Memory of the instance class in bytes.
        role: `primary` or `replica`.

    Returns:
        Parameters in the order of their names.
    """
    parameters = [*_memory(memory), *_SECURITY, *_OBSERVABILITY, *_AUTOVACUUM, *_SESSIONS]
    if role == "replica":
        parameters += _REPLICA
    return tuple(sorted(parameters, key=lambda p: p.name))


def _memory(memory: int) -> tuple[Parameter, ...]:
    connections = max_connections(memory)
    # A quarter of the memory if every connection sorts at once, and PostgreSQL's default at least.
    work_mem = max(memory // 4 // connections, 4 * _MIB)
    # Three autovacuum workers may each take it; more than 1 GiB never paid off for a vacuum.
    maintenance = min(memory // 20, GIB)
    return (
        Parameter(name="max_connections", value=str(connections), apply_method="pending-reboot"),
        Parameter(name="shared_buffers", value=str(memory // 4 // _PAGE), apply_method="pending-reboot"),
        Parameter(name="effective_cache_size", value=str(memory * 3 // 4 // _PAGE)),
        Parameter(name="work_mem", value=str(work_mem // _KIB)),
        Parameter(name="maintenance_work_mem", value=str(maintenance // _KIB)),
        # gp3 reads at random about as fast as in sequence.
        Parameter(name="random_page_cost", value="1.1"),
        Parameter(name="effective_io_concurrency", value="200"),
    )


# All but the last are RDS's defaults, said because a change of them would be a hole.
_SECURITY = (
    Parameter(name="rds.force_ssl", value="1", apply_method="pending-reboot"),
    Parameter(name="ssl_min_protocol_version", value="TLSv1.2", apply_method="pending-reboot"),
    Parameter(name="password_encryption", value="scram-sha-256", apply_method="pending-reboot"),
    Parameter(name="rds.accepted_password_auth_method", value="scram"),
)

_OBSERVABILITY = (
    Parameter(name="shared_preload_libraries", value="pg_stat_statements", apply_method="pending-reboot"),
    Parameter(name="pg_stat_statements.track", value="ALL"),
    Parameter(name="track_io_timing", value="1", apply_method="pending-reboot"),
    Parameter(name="log_connections", value="1"),
    Parameter(name="log_disconnections", value="1"),
    Parameter(name="log_statement", value="ddl"),
    Parameter(name="log_min_duration_statement", value="500"),
    Parameter(name="log_parameter_max_length", value="0"),
    Parameter(name="log_lock_waits", value="1"),
    Parameter(name="log_temp_files", value="10240"),
    Parameter(name="log_autovacuum_min_duration", value="10000", apply_method="pending-reboot"),
)

_AUTOVACUUM = (
    # The defaults let a fifth of a table die first: for orders and stock that is one long vacuum, too late.
    Parameter(name="autovacuum_vacuum_scale_factor", value="0.05"),
    Parameter(name="autovacuum_vacuum_insert_scale_factor", value="0.05"),
    Parameter(name="autovacuum_analyze_scale_factor", value="0.02"),
    Parameter(name="autovacuum_vacuum_cost_limit", value="1000"),
)

_SESSIONS = (
    # A transaction left open holds back every vacuum. Statement timeouts are each service's own, on its role.
    Parameter(name="idle_in_transaction_session_timeout", value="60000"),
    # A client that died in a failover is noticed within two minutes instead of two hours.
    Parameter(name="tcp_keepalives_idle", value="60"),
    Parameter(name="tcp_keepalives_interval", value="10"),
    Parameter(name="tcp_keepalives_count", value="6"),
)

_REPLICA = (
    # Reports on the replica are not canceled by the primary's vacuum, at the price of some bloat there.
    Parameter(name="hot_standby_feedback", value="1"),
)
