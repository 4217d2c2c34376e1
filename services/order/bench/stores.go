package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"github.com/cloudcommerce/order/internal/broker"
	"github.com/cloudcommerce/order/internal/migrations"
)

type stores struct{ postgres, redis, rabbitmq string }

// storesFromEnvironment names every variable that is missing, at once.
func storesFromEnvironment() (stores, error) {
	var missing []string
	get := func(name string) string {
		value := os.Getenv(name)
		if value == "" {
			missing = append(missing, name)
		}
		return value
	}
	found := stores{postgres: get("TEST_POSTGRES_URL"), redis: get("TEST_REDIS_URL"), rabbitmq: get("TEST_RABBITMQ_URL")}
	if len(missing) > 0 {
		return found, errors.New(strings.Join(missing, ", ") + ": not set; the benchmark needs real servers")
	}
	return found, nil
}

// pinPostgres keeps the server on the others' processor, so that every client finds the same server; sessions follow
// their first process. That is possible for a superuser of a server on this machine.
func (r *rig) pinPostgres(ctx context.Context, server string) error {
	connection, err := pgx.Connect(ctx, server)
	if err != nil {
		return errors.New("TEST_POSTGRES_URL: can't connect")
	}
	defer func() { _ = connection.Close(ctx) }()
	var pid int
	err = connection.QueryRow(ctx, `select split_part(pg_read_file('postmaster.pid'), E'\n', 1)::int`).Scan(&pid)
	if err == nil && pinProcess(pid, r.processors.others) == nil {
		r.pinned = true
		all := r.processors.serving + "-" + r.processors.others
		r.later(func() { _ = pinProcess(pid, all) })
	}
	return nil
}

func (r *rig) createDatabase(ctx context.Context, server string) error {
	name := "order_bench_" + uuid.NewString()[:8]
	target, err := url.Parse(server)
	if err != nil {
		return errors.New("TEST_POSTGRES_URL: not a URL")
	}
	administrate := func(statement string) error {
		connection, err := pgx.Connect(context.WithoutCancel(ctx), server)
		if err != nil {
			return err
		}
		defer func() { _ = connection.Close(context.WithoutCancel(ctx)) }()
		_, err = connection.Exec(context.WithoutCancel(ctx), statement)
		return err
	}
	if err := administrate(fmt.Sprintf(`create database %q`, name)); err != nil {
		return err
	}
	r.later(func() { _ = administrate(fmt.Sprintf(`drop database %q with (force)`, name)) })
	target.Path = "/" + name
	r.url = target.String()
	if err := migrations.Run(ctx, r.url, time.Now()); err != nil {
		return err
	}
	if r.database, err = pgx.Connect(ctx, r.url); err != nil {
		return err
	}
	r.later(func() { _ = r.database.Close(context.WithoutCancel(ctx)) })
	return nil
}

// logIn begins the customers' session, as the user service does.
func (r *rig) logIn(ctx context.Context, server string) error {
	options, err := redis.ParseURL(server)
	if err != nil {
		return errors.New("TEST_REDIS_URL: not a URL")
	}
	client := redis.NewClient(options)
	r.later(func() {
		client.Del(context.WithoutCancel(ctx), "session:auth:"+sessionID)
		_ = client.Close()
	})
	return client.HSet(ctx, "session:auth:"+sessionID, "user", "customer of the benchmark").Err()
}

func removeQueues(server string, topology broker.Topology) {
	connection, err := broker.Dial(server, "order benchmark")
	if err != nil {
		return
	}
	defer func() { _ = connection.Close() }()
	channel, err := connection.Channel()
	if err != nil {
		return
	}
	for _, queue := range []string{topology.Notifications(), topology.Dead()} {
		_, _ = channel.QueueDelete(queue, false, false, false)
	}
	for _, exchange := range []string{topology.Exchange(), topology.DeadLetters()} {
		_ = channel.ExchangeDelete(exchange, false, false)
	}
}
