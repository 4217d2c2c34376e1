// Package config reads the environment, once, at start.
package config

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/caarlos0/env/v11"
)

// Telemetry is common to both programs.
type Telemetry struct {
	LogLevel     string `env:"LOG_LEVEL" envDefault:"info"`
	OTLPEndpoint string `env:"OTEL_EXPORTER_OTLP_ENDPOINT"`
}

// Stores are where both programs keep and fetch things.
type Stores struct {
	DatabaseURL            string `env:"DATABASE_URL,required,notEmpty"`
	DatabaseReplicaURL     string `env:"DATABASE_REPLICA_URL"`
	DatabaseMaxConnections int32  `env:"DATABASE_MAX_CONNECTIONS" envDefault:"10"`
	RabbitMQURL            string `env:"RABBITMQ_URL,required,notEmpty"`
	AMQPNamespace          string `env:"AMQP_NAMESPACE"`
}

// Order configures the order service.
type Order struct {
	Telemetry
	Stores
	Host               string        `env:"HOST" envDefault:"0.0.0.0"`
	Port               int           `env:"PORT" envDefault:"8080"`
	RedisURL           string        `env:"REDIS_URL,required,notEmpty"`
	JWKSURL            string        `env:"JWKS_URL,required,notEmpty"`
	JWTIssuer          string        `env:"JWT_ISSUER" envDefault:"https://auth.cloudcommerce.example"`
	JWTAudience        string        `env:"JWT_AUDIENCE" envDefault:"cloudcommerce"`
	ProductInternalURL string        `env:"PRODUCT_INTERNAL_URL,required,notEmpty"`
	InternalAPIToken   string        `env:"INTERNAL_API_TOKEN,required,notEmpty"`
	StripeAPIKey       string        `env:"STRIPE_API_KEY,required,notEmpty"`
	StripeAPIBase      string        `env:"STRIPE_API_BASE" envDefault:"https://api.stripe.com"`
	StripeWebhookKey   string        `env:"STRIPE_WEBHOOK_SECRET,required,notEmpty"`
	ReservationTTL     time.Duration `env:"RESERVATION_TTL" envDefault:"15m"`
	SagaLease          time.Duration `env:"SAGA_LEASE" envDefault:"30s"`
	SagaInterval       time.Duration `env:"SAGA_INTERVAL" envDefault:"500ms"`
	SagaRetryMax       time.Duration `env:"SAGA_RETRY_MAX" envDefault:"1m"`
	OutboxInterval     time.Duration `env:"OUTBOX_INTERVAL" envDefault:"200ms"`
	Heartbeat          time.Duration `env:"SSE_HEARTBEAT" envDefault:"15s"`
	MaxStreams         int           `env:"SSE_MAX_STREAMS" envDefault:"2000"`
	MaxStreamsPerUser  int           `env:"SSE_MAX_STREAMS_PER_USER" envDefault:"10"`
	DrainDelay         time.Duration `env:"DRAIN_DELAY" envDefault:"5s"`
	ShutdownTimeout    time.Duration `env:"SHUTDOWN_TIMEOUT" envDefault:"20s"`
}

// Notification configures the notification worker.
type Notification struct {
	Telemetry
	Stores
	Host            string          `env:"HOST" envDefault:"0.0.0.0"`
	Port            int             `env:"PORT" envDefault:"8081"`
	Sender          string          `env:"NOTIFICATION_SENDER" envDefault:"smtp"`
	File            string          `env:"NOTIFICATION_FILE"`
	SMTPHost        string          `env:"SMTP_HOST"`
	SMTPPort        int             `env:"SMTP_PORT" envDefault:"587"`
	SMTPUsername    string          `env:"SMTP_USERNAME"`
	SMTPPassword    string          `env:"SMTP_PASSWORD"`
	From            string          `env:"NOTIFICATION_FROM" envDefault:"orders@cloudcommerce.example"`
	RetryDelays     []time.Duration `env:"NOTIFICATION_RETRY_DELAYS" envDefault:"5s,30s,5m"`
	Prefetch        int             `env:"NOTIFICATION_PREFETCH" envDefault:"20"`
	Claim           time.Duration   `env:"NOTIFICATION_CLAIM" envDefault:"1m"`
	ShutdownTimeout time.Duration   `env:"SHUTDOWN_TIMEOUT" envDefault:"20s"`
}

// Migration configures `order migrate`, which wants an owner's rights and a direct connection.
type Migration struct {
	Telemetry
	URL string `env:"MIGRATION_DATABASE_URL,required,notEmpty"`
}

// minimumTokenLength is 128 bits in hexadecimal.
const minimumTokenLength = 32

// LoadOrder reads and checks the order service's settings; the error names each variable that is wrong.
func LoadOrder() (Order, error) {
	c, err := env.ParseAs[Order]()
	if err != nil {
		return c, err
	}
	return c, errors.Join(
		checkStores(c.Stores),
		checkURL("REDIS_URL", c.RedisURL, "redis", "rediss"),
		checkURL("JWKS_URL", c.JWKSURL, "http", "https"),
		checkURL("PRODUCT_INTERNAL_URL", c.ProductInternalURL, "http", "https"),
		checkURL("STRIPE_API_BASE", c.StripeAPIBase, "http", "https"),
		check(len(c.InternalAPIToken) >= minimumTokenLength, "INTERNAL_API_TOKEN", "wants at least %d characters", minimumTokenLength),
		check(c.Port > 0 && c.Port < 1<<16, "PORT", "is %d, wants 1 to 65535", c.Port),
		check(c.ReservationTTL >= time.Second, "RESERVATION_TTL", "is %v, wants at least 1s", c.ReservationTTL),
		check(c.SagaLease >= time.Second, "SAGA_LEASE", "is %v, wants at least 1s", c.SagaLease),
		check(c.SagaInterval > 0, "SAGA_INTERVAL", "is %v, wants more than 0", c.SagaInterval),
		check(c.OutboxInterval > 0, "OUTBOX_INTERVAL", "is %v, wants more than 0", c.OutboxInterval),
		check(c.Heartbeat > 0, "SSE_HEARTBEAT", "is %v, wants more than 0", c.Heartbeat),
	)
}

// LoadNotification reads and checks the worker's settings.
func LoadNotification() (Notification, error) {
	c, err := env.ParseAs[Notification]()
	if err != nil {
		return c, err
	}
	return c, errors.Join(
		checkStores(c.Stores),
		check(c.Sender == "smtp" || c.Sender == "file", "NOTIFICATION_SENDER", "is %q, wants smtp or file", c.Sender),
		check(c.Sender != "file" || c.File != "", "NOTIFICATION_FILE", "is empty, wants the path of the file to append to"),
		check(c.Sender != "smtp" || c.SMTPHost != "", "SMTP_HOST", "is empty, wants the mail server's name"),
		check(len(c.RetryDelays) > 0, "NOTIFICATION_RETRY_DELAYS", "is empty, wants durations such as 5s,30s,5m"),
		check(c.Prefetch > 0, "NOTIFICATION_PREFETCH", "is %d, wants at least 1", c.Prefetch),
	)
}

// LoadMigration reads the settings of `order migrate`; without its own URL it takes the service's.
func LoadMigration() (Migration, error) {
	c, err := env.ParseAs[Migration]()
	if err == nil {
		return c, nil
	}
	service, fallbackError := env.ParseAs[struct {
		Telemetry
		URL string `env:"DATABASE_URL,required,notEmpty"`
	}]()
	if fallbackError != nil {
		return c, err
	}
	return Migration{service.Telemetry, service.URL}, nil
}

func checkStores(s Stores) error {
	return errors.Join(
		checkURL("DATABASE_URL", s.DatabaseURL, "postgres", "postgresql"),
		checkURL("RABBITMQ_URL", s.RabbitMQURL, "amqp", "amqps"),
		check(s.DatabaseMaxConnections > 0, "DATABASE_MAX_CONNECTIONS", "is %d, wants at least 1", s.DatabaseMaxConnections),
	)
}

// checkURL never repeats the value, which may carry a password.
func checkURL(name, value string, schemes ...string) error {
	parsed, err := url.Parse(value)
	if err == nil && parsed.Host != "" {
		for _, scheme := range schemes {
			if parsed.Scheme == scheme {
				return nil
			}
		}
	}
	return fmt.Errorf("%s: wants a URL that starts with one of %v://", name, schemes)
}

func check(ok bool, name, format string, values ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf("%s "+format, append([]any{name}, values...)...)
}
