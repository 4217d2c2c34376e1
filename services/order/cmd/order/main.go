// Command order is the order service. `order migrate` prepares its database and ends.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/cloudcommerce/order/internal/config"
	"github.com/cloudcommerce/order/internal/migrations"
	"github.com/cloudcommerce/order/internal/telemetry"
)

const usage = "usage: order [serve | migrate]"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "order:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	command := "serve"
	if len(arguments) == 1 {
		command = arguments[0]
	}
	switch {
	case len(arguments) > 1:
		return fmt.Errorf("%s", usage)
	case command == "serve":
		return serve(ctx)
	case command == "migrate":
		return migrate(ctx)
	default:
		return fmt.Errorf("unknown command %q; %s", command, usage)
	}
}

func migrate(ctx context.Context) error {
	settings, err := config.LoadMigration()
	if err != nil {
		return err
	}
	if err := telemetry.SetUpLogs(os.Stdout, "order-migrate", settings.LogLevel); err != nil {
		return err
	}
	if err := migrations.Run(ctx, settings.URL, time.Now()); err != nil {
		return err
	}
	slog.Info("the database is ready")
	return nil
}
