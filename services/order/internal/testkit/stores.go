// Package testkit gives tests real stores, doubles of other services, and the built programs.
package testkit

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/cloudcommerce/order/internal/migrations"
)

// StoreURL reads where a store of the tests is. A test that needs one fails without it.
func StoreURL(t testing.TB, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("%s is not set: start the store and set it to its URL (see README.md, Tests)", name)
	}
	return value
}

// Database makes an empty database that goes away with the test.
func Database(t testing.TB) string {
	t.Helper()
	server := StoreURL(t, "TEST_POSTGRES_URL")
	name := "order_" + uuid.NewString()[:8]
	execute(t, server, fmt.Sprintf(`create database %q`, name))
	t.Cleanup(func() { execute(t, server, fmt.Sprintf(`drop database %q with (force)`, name)) })
	target, err := url.Parse(server)
	if err != nil {
		t.Fatal("TEST_POSTGRES_URL is not a URL")
	}
	target.Path = "/" + name
	return target.String()
}

// Migrated makes a database with the schema of this version.
func Migrated(t testing.TB) string {
	t.Helper()
	target := Database(t)
	if err := migrations.Run(t.Context(), target, time.Now()); err != nil {
		t.Fatal(err)
	}
	return target
}

func execute(t testing.TB, server, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	connection, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatalf("TEST_POSTGRES_URL: %v", err)
	}
	defer func() { _ = connection.Close(ctx) }()
	if _, err := connection.Exec(ctx, statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// Eventually waits until the condition holds, and fails the test with what is missing when it never does.
func Eventually(t testing.TB, within time.Duration, missing string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("after %v: %s", within, missing)
		}
		time.Sleep(25 * time.Millisecond)
	}
}
