// Package store keeps orders, their unfinished business and what is to be told of them in PostgreSQL.
package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrNotFound says that there is no such row.
var ErrNotFound = errors.New("not found")

// Store reads and writes through two pools: all writes, and reads that must see them, go to the primary.
type Store struct {
	primary *pgxpool.Pool
	replica *pgxpool.Pool
}

// PlanCacheMode makes PostgreSQL plan each prepared statement once. By itself it would plan those on the partitioned
// table of orders each time they run, because it prices a plan for all partitions as if it read all of them.
const PlanCacheMode = "force_generic_plan"

// Open prepares the pools without waiting for the server. An empty replica URL means the primary.
func Open(ctx context.Context, primaryURL, replicaURL string, maxConnections int32) (*Store, error) {
	primary, err := pool(ctx, primaryURL, maxConnections)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	if replicaURL == "" {
		return &Store{primary, primary}, nil
	}
	replica, err := pool(ctx, replicaURL, maxConnections)
	if err != nil {
		primary.Close()
		return nil, fmt.Errorf("DATABASE_REPLICA_URL: %w", err)
	}
	return &Store{primary, replica}, nil
}

func pool(ctx context.Context, url string, maxConnections int32) (*pgxpool.Pool, error) {
	configuration, err := pgxpool.ParseConfig(url)
	if err != nil {
		// pgx's own error repeats the URL, password and all.
		return nil, errors.New("not a PostgreSQL URL")
	}
	configuration.MaxConns = maxConnections
	if configuration.ConnConfig.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement {
		configuration.ConnConfig.RuntimeParams["plan_cache_mode"] = PlanCacheMode
	}
	return pgxpool.NewWithConfig(ctx, configuration)
}

// Close waits for queries in flight.
func (s *Store) Close() {
	if s.replica != s.primary {
		s.replica.Close()
	}
	s.primary.Close()
}

// Primary is the pool of the primary, for statistics and for the tests' own questions.
func (s *Store) Primary() *pgxpool.Pool { return s.primary }

// Ping asks both servers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.primary.Ping(ctx); err != nil {
		return err
	}
	return s.replica.Ping(ctx)
}

// SchemaVersion answers the query for one number.
func (s *Store) SchemaVersion(ctx context.Context, query string) (int64, error) {
	var version int64
	err := s.primary.QueryRow(ctx, query).Scan(&version)
	return version, err
}

func notFound(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNotFound
	}
	return err
}
