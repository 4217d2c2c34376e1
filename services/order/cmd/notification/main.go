// Command notification is the worker that tells customers what became of their orders.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/cloudcommerce/order/internal/broker"
	"github.com/cloudcommerce/order/internal/config"
	"github.com/cloudcommerce/order/internal/notification"
	"github.com/cloudcommerce/order/internal/store"
	"github.com/cloudcommerce/order/internal/telemetry"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "notification:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	settings, err := config.LoadNotification()
	if err != nil {
		return err
	}
	if err := telemetry.SetUpLogs(os.Stdout, "notification", settings.LogLevel); err != nil {
		return fmt.Errorf("LOG_LEVEL: %w", err)
	}
	flush, err := telemetry.SetUpTraces(ctx, "notification", settings.OTLPEndpoint)
	if err != nil {
		return err
	}
	defer func() { _ = flush(context.WithoutCancel(ctx)) }()
	database, err := store.Open(ctx, settings.DatabaseURL, settings.DatabaseReplicaURL, settings.DatabaseMaxConnections)
	if err != nil {
		return err
	}
	defer database.Close()
	sender, err := senderOf(settings)
	if err != nil {
		return err
	}
	metrics := telemetry.NewMetrics()
	worker := notification.NewWorker(database, sender, notification.Settings{
		URL: settings.RabbitMQURL, Topology: broker.Topology{Namespace: settings.AMQPNamespace},
		RetryDelays: settings.RetryDelays, Prefetch: settings.Prefetch, Claim: settings.Claim,
	}, func(kind, outcome string) {
		if !notification.Known(kind) {
			kind = "unknown"
		}
		metrics.Notifications.WithLabelValues(kind, outcome).Inc()
	})
	var running sync.WaitGroup
	running.Go(func() { worker.Run(ctx) })
	err = serveHealth(ctx, settings, metrics, worker, database)
	running.Wait()
	return err
}

func senderOf(settings config.Notification) (notification.Sender, error) {
	if settings.Sender == "file" {
		return notification.NewFileSender(settings.File)
	}
	return notification.NewSMTPSender(notification.SMTPSettings{
		Host: settings.SMTPHost, Port: settings.SMTPPort, Username: settings.SMTPUsername,
		Password: settings.SMTPPassword, From: settings.From,
	})
}

// serveHealth answers the platform until the context ends.
func serveHealth(
	ctx context.Context, settings config.Notification, metrics *telemetry.Metrics, worker *notification.Worker, database *store.Store,
) error {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"status":"ok"}`)) })
	routes.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if !worker.Connected() || database.Ping(ctx) != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	routes.Handle("GET /metrics", metrics.Handler())
	web := &http.Server{
		Addr: net.JoinHostPort(settings.Host, strconv.Itoa(settings.Port)), Handler: routes,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
	}
	failed := make(chan error, 1)
	go func() { failed <- web.ListenAndServe() }()
	slog.Info("listening", "address", web.Addr)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settings.ShutdownTimeout)
	defer cancel()
	if err := web.Shutdown(ctx); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
