"""AWS on one machine: a moto server with what moto lacks added and what AWS refuses refused."""
