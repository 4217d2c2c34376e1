"""RabbitMQ: vhosts, users, permissions and policies, through the management HTTP API."""
