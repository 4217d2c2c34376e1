package telemetry

import (
	"context"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/cloudcommerce/order/internal/order"
	"github.com/cloudcommerce/order/internal/store"
)

// Metrics are what Prometheus asks for.
type Metrics struct {
	registry        *prometheus.Registry
	Requests        *prometheus.HistogramVec
	Streams         prometheus.Gauge
	orders          *prometheus.CounterVec
	revenue         *prometheus.CounterVec
	paymentFailures *prometheus.CounterVec
	Notifications   *prometheus.CounterVec
}

// NewMetrics registers the service's metrics and those of the Go runtime.
func NewMetrics() *Metrics {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	factory := promauto.With(registry)
	return &Metrics{
		registry: registry,
		Requests: factory.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_server_request_duration_seconds", Help: "Time to answer a request.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"method", "route", "status"}),
		Streams: factory.NewGauge(prometheus.GaugeOpts{
			Name: "cloudcommerce_order_streams", Help: "Clients that watch an order right now.",
		}),
		orders: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "cloudcommerce_orders_total", Help: "Orders that came into a state.",
		}, []string{"state"}),
		revenue: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "cloudcommerce_revenue_minor_total", Help: "Money taken, in the currency's minor unit; refunds are counted by direction.",
		}, []string{"currency", "direction"}),
		paymentFailures: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "cloudcommerce_payment_failures_total", Help: "Payments that came to nothing.",
		}, []string{"reason"}),
		Notifications: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "cloudcommerce_notifications_total", Help: "Notifications by event type and outcome.",
		}, []string{"type", "outcome"}),
	}
}

// Moved counts an order's change of state.
func (m *Metrics) Moved(o order.Order) {
	m.orders.WithLabelValues(string(o.State)).Inc()
	switch o.State {
	case order.Paid:
		m.revenue.WithLabelValues(o.Currency, "in").Add(float64(o.TotalMinor))
	case order.Refunded:
		m.revenue.WithLabelValues(o.Currency, "out").Add(float64(o.TotalMinor))
	}
}

// PaymentFailed counts a payment that came to nothing.
func (m *Metrics) PaymentFailed(reason string) { m.paymentFailures.WithLabelValues(reason).Inc() }

// Handler answers Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// Watch measures the database's backlog and the pool whenever Prometheus asks.
func (m *Metrics) Watch(s *store.Store) { m.registry.MustRegister(backlog{s, s.Primary()}) }

var (
	lagDescription     = prometheus.NewDesc("cloudcommerce_outbox_lag_seconds", "Age of the oldest event that waits to be sent.", []string{"destination"}, nil)
	pendingDescription = prometheus.NewDesc("cloudcommerce_outbox_pending", "Events that wait to be sent.", []string{"destination"}, nil)
	overdueDescription = prometheus.NewDesc("cloudcommerce_sagas_overdue", "Orders whose next step is more than a minute late, or failed ten times in a row.", nil, nil)
	poolDescription    = prometheus.NewDesc("cloudcommerce_database_connections", "Connections of the pool to the primary.", []string{"state"}, nil)
)

type backlog struct {
	store *store.Store
	pool  *pgxpool.Pool
}

const scrapeTimeout = 2 * time.Second

func (b backlog) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- lagDescription
	descriptions <- pendingDescription
	descriptions <- overdueDescription
	descriptions <- poolDescription
}

func (b backlog) Collect(metrics chan<- prometheus.Metric) {
	gauge := func(description *prometheus.Desc, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(description, prometheus.GaugeValue, value, labels...)
	}
	statistics := b.pool.Stat()
	gauge(poolDescription, float64(statistics.AcquiredConns()), "busy")
	gauge(poolDescription, float64(statistics.IdleConns()), "idle")
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	backlogs, err := b.store.Backlogs(ctx)
	if err != nil {
		return // a scrape without these says as much as the database's own alert
	}
	for _, one := range backlogs {
		gauge(lagDescription, one.Oldest.Seconds(), one.Destination)
		gauge(pendingDescription, float64(one.Pending), one.Destination)
	}
	if overdue, err := b.store.OverdueSagas(ctx, time.Minute); err == nil {
		gauge(overdueDescription, float64(overdue))
	}
}
