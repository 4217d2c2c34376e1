package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cloudcommerce/order/internal/auth"
	"github.com/cloudcommerce/order/internal/broker"
	"github.com/cloudcommerce/order/internal/cart"
	"github.com/cloudcommerce/order/internal/config"
	"github.com/cloudcommerce/order/internal/events"
	"github.com/cloudcommerce/order/internal/httpapi"
	"github.com/cloudcommerce/order/internal/live"
	"github.com/cloudcommerce/order/internal/outbox"
	"github.com/cloudcommerce/order/internal/outgoing"
	"github.com/cloudcommerce/order/internal/payment"
	"github.com/cloudcommerce/order/internal/saga"
	"github.com/cloudcommerce/order/internal/stock"
	"github.com/cloudcommerce/order/internal/store"
	"github.com/cloudcommerce/order/internal/telemetry"
)

const (
	recoveryWorkers = 16
	purgeInterval   = time.Hour
	// Stripe retries webhooks for three days, and clients their requests for less.
	keepKeys   = 72 * time.Hour
	keepEvents = 30 * 24 * time.Hour
)

func serve(ctx context.Context) error {
	settings, err := config.LoadOrder()
	if err != nil {
		return err
	}
	if err := telemetry.SetUpLogs(os.Stdout, "order", settings.LogLevel); err != nil {
		return fmt.Errorf("LOG_LEVEL: %w", err)
	}
	flush, err := telemetry.SetUpTraces(ctx, "order", settings.OTLPEndpoint)
	if err != nil {
		return err
	}
	defer func() { _ = flush(context.WithoutCancel(ctx)) }()

	database, err := store.Open(ctx, settings.DatabaseURL, settings.DatabaseReplicaURL, settings.DatabaseMaxConnections)
	if err != nil {
		return err
	}
	defer database.Close()
	redisOptions, err := redis.ParseURL(settings.RedisURL)
	if err != nil {
		return errors.New("REDIS_URL: not a Redis URL")
	}
	redisOptions.ContextTimeoutEnabled = true
	cache := redis.NewClient(redisOptions)
	defer func() { _ = cache.Close() }()

	background, stopBackground := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBackground()
	verifier, err := auth.NewVerifier(background, settings.JWKSURL, settings.JWTIssuer, settings.JWTAudience,
		outgoing.NewClient(outgoing.Limits{Timeout: 5 * time.Second}))
	if err != nil {
		return err
	}
	metrics := telemetry.NewMetrics()
	metrics.Watch(database)
	runner := saga.NewRunner(database,
		stock.NewClient(settings.ProductInternalURL, settings.InternalAPIToken,
			outgoing.NewClient(outgoing.Limits{Timeout: 5 * time.Second, Retries: 2})),
		payment.NewClient(settings.StripeAPIKey, settings.StripeAPIBase,
			outgoing.NewClient(outgoing.Limits{Timeout: 10 * time.Second})),
		metrics, saga.Settings{
			Lease: settings.SagaLease, ReservationTTL: settings.ReservationTTL,
			RetryBase: 200 * time.Millisecond, RetryMax: settings.SagaRetryMax,
		})
	publisher := broker.NewPublisher(settings.RabbitMQURL, broker.Topology{Namespace: settings.AMQPNamespace})
	defer publisher.Close()
	toBroker := outbox.NewRelay(database, publisher, events.Broker, settings.OutboxInterval)
	toClients := outbox.NewRelay(database, live.NewPublisher(cache), events.Live, settings.OutboxInterval)
	hub := live.NewHub(cache)
	server := &httpapi.Server{
		Store: database, Carts: cart.New(cache), Redis: cache, Hub: hub, Verifier: verifier,
		Sessions: auth.NewSessions(cache), Runner: runner, Metrics: metrics, WebhookSecret: settings.StripeWebhookKey,
		Streams: httpapi.StreamLimits{
			Heartbeat: settings.Heartbeat, Max: settings.MaxStreams, MaxPerUser: settings.MaxStreamsPerUser,
		},
		BrokerConnected: publisher.Connected,
		Wake:            func() { toBroker.Wake(); toClients.Wake() },
	}

	var running sync.WaitGroup
	if err := publisher.Connect(); err != nil {
		slog.Warn("events wait in the outbox", "error", err)
	}
	running.Go(func() { runner.Recover(background, settings.SagaInterval, recoveryWorkers) })
	running.Go(func() { toBroker.Run(background) })
	running.Go(func() { toClients.Run(background) })
	running.Go(func() { hub.Run(background) })
	running.Go(func() { purge(background, database) })
	err = listen(ctx, server, settings)
	stopBackground()
	running.Wait()
	return err
}

// listen serves until the context ends, then lets the load balancer notice, and the requests in flight finish.
func listen(ctx context.Context, server *httpapi.Server, settings config.Order) error {
	web := &http.Server{
		Addr: net.JoinHostPort(settings.Host, strconv.Itoa(settings.Port)), Handler: server.Handler(),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
	}
	web.RegisterOnShutdown(server.CloseStreams)
	failed := make(chan error, 1)
	go func() { failed <- web.ListenAndServe() }()
	slog.Info("listening", "address", web.Addr)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	slog.Info("draining")
	server.Drain()
	time.Sleep(settings.DrainDelay)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settings.ShutdownTimeout)
	defer cancel()
	return web.Shutdown(ctx)
}

func purge(ctx context.Context, database *store.Store) {
	ticker := time.NewTicker(purgeInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := database.Purge(ctx, keepKeys, keepEvents, keepEvents); err != nil {
				slog.WarnContext(ctx, "can't forget old keys", "error", err)
			}
		}
	}
}
