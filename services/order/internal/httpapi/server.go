// Package httpapi is the service's face: the public API under /api/v1, and health and metrics for the platform.
package httpapi

import (
	"context"
	"net/http"
	"regexp"
	"sync/atomic"
	"time"

	"github.com/gin-contrib/gzip"
	"github.com/gin-gonic/gin"
	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/contrib/instrumentation/github.com/gin-gonic/gin/otelgin"

	"github.com/cloudcommerce/order/internal/auth"
	"github.com/cloudcommerce/order/internal/cart"
	"github.com/cloudcommerce/order/internal/live"
	"github.com/cloudcommerce/order/internal/saga"
	"github.com/cloudcommerce/order/internal/store"
	"github.com/cloudcommerce/order/internal/telemetry"
)

// Limits of one request, and of one process's open streams.
const (
	MaxBody        = 64 << 10
	MaxWebhookBody = 256 << 10
)

// Server answers requests.
type Server struct {
	Store         *store.Store
	Carts         *cart.Carts
	Redis         *redis.Client
	Hub           *live.Hub
	Verifier      *auth.Verifier
	Sessions      *auth.Sessions
	Runner        *saga.Runner
	Metrics       *telemetry.Metrics
	WebhookSecret string
	Streams       StreamLimits
	// BrokerConnected tells readiness whether events get out at the moment.
	BrokerConnected func() bool
	// Wake tells the outbox that there is something in it.
	Wake func()

	draining atomic.Bool
	streams  streamCounter
	closing  chan struct{}
}

// StreamLimits bound the server-sent events.
type StreamLimits struct {
	Heartbeat  time.Duration
	Max        int
	MaxPerUser int
}

var eventsPath = regexp.MustCompile(`/events$`)

// Handler routes requests.
func (s *Server) Handler() *gin.Engine {
	s.closing = make(chan struct{})
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.HandleMethodNotAllowed = true
	router.ContextWithFallback = true
	_ = router.SetTrustedProxies(nil)
	router.Use(s.measure, recovered, secured)
	router.NoRoute(notFound)
	router.NoMethod(methodNotAllowed)

	router.GET("/healthz", func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"status": "ok"}) })
	router.GET("/readyz", s.ready)
	router.GET("/metrics", gin.WrapH(s.Metrics.Handler()))
	router.GET("/openapi.json", serveDescription)

	api := router.Group("/api/v1", otelgin.Middleware("order"), logged,
		gzip.Gzip(gzip.DefaultCompression, gzip.WithExcludedPathsRegexs([]string{eventsPath.String()})))
	api.POST("/payment/stripe/webhook", limited(MaxWebhookBody), s.stripeWebhook)

	own := api.Group("", s.authenticated, limited(MaxBody))
	own.GET("/cart", s.getCart)
	own.PUT("/cart", s.putCart)
	own.DELETE("/cart", s.deleteCart)
	own.POST("/orders", s.createOrder)
	own.GET("/orders", s.listOrders)
	own.GET("/orders/:id", s.getOrder)
	own.POST("/orders/:id/cancel", s.cancelOrder)
	own.GET("/orders/:id/events", s.streamEvents)

	staff := own.Group("", staffOnly)
	staff.POST("/orders/:id/refund", s.refundOrder)
	staff.POST("/orders/:id/fulfill", s.fulfillOrder)
	return router
}

// Drain makes readiness fail, so that no new requests come.
func (s *Server) Drain() { s.draining.Store(true) }

// CloseStreams ends all streams; their clients come back to another instance.
func (s *Server) CloseStreams() { close(s.closing) }

const readyTimeout = 2 * time.Second

func (s *Server) ready(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), readyTimeout)
	defer cancel()
	checks := gin.H{"broker": state(s.BrokerConnected())}
	status := http.StatusOK
	for name, check := range map[string]func(context.Context) error{
		"database": s.Store.Ping,
		"schema":   s.schemaApplied,
		"redis":    func(ctx context.Context) error { return s.Redis.Ping(ctx).Err() },
	} {
		failed := check(ctx) != nil
		checks[name] = state(!failed)
		if failed {
			status = http.StatusServiceUnavailable
		}
	}
	if s.draining.Load() {
		checks["draining"], status = "yes", http.StatusServiceUnavailable
	}
	c.JSON(status, checks)
}

func state(up bool) string {
	if up {
		return "up"
	}
	return "down"
}
