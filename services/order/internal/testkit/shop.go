package testkit

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/redis/go-redis/v9"

	"github.com/cloudcommerce/order/internal/broker"
	"github.com/cloudcommerce/order/internal/notification"
	"github.com/cloudcommerce/order/internal/productdouble"
	"github.com/cloudcommerce/order/internal/store"
	"github.com/cloudcommerce/order/internal/stripedouble"
)

// Secrets of the tests.
const (
	StripeKey     = "sk_test_123"
	WebhookSecret = "whsec_of_the_tests"
	InternalToken = "internal-token-of-the-tests-0123456789"
	Price         = 1999
)

// Shop is the whole order side: the service and the worker as processes, on real stores, between doubles.
type Shop struct {
	t        testing.TB
	Issuer   *Issuer
	Stripe   *stripedouble.Double
	Product  *productdouble.Double
	Store    *store.Store
	Service  *Program
	Worker   *Program
	Topology broker.Topology
	Postgres *Proxy
	Redis    *Proxy
	Rabbit   *Proxy
	Letters  string
	Settings map[string]string
	sessions *redis.Client
}

// NewShop starts everything; settings override those of the service and the worker.
func NewShop(t testing.TB, settings map[string]string) *Shop {
	t.Helper()
	shop := &Shop{t: t, Issuer: NewIssuer(t), Product: productdouble.New(InternalToken, Price)}
	shop.Stripe = stripedouble.New(stripedouble.Settings{APIKey: StripeKey, WebhookSecret: WebhookSecret})
	stripe, product := httptest.NewServer(shop.Stripe), httptest.NewServer(shop.Product)
	t.Cleanup(func() { stripe.Close(); product.Close() })

	database := Migrated(t)
	var err error
	if shop.Store, err = store.Open(context.Background(), database, "", 5); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(shop.Store.Close)
	var throughPostgres, throughRedis, throughRabbit string
	shop.Postgres, throughPostgres = NewProxy(t, database)
	shop.Redis, throughRedis = NewProxy(t, StoreURL(t, "TEST_REDIS_URL"))
	options, err := redis.ParseURL(StoreURL(t, "TEST_REDIS_URL"))
	if err != nil {
		t.Fatal("TEST_REDIS_URL is not a URL")
	}
	shop.sessions = redis.NewClient(options)
	t.Cleanup(func() { _ = shop.sessions.Close() })
	shop.Rabbit, throughRabbit = NewProxy(t, StoreURL(t, "TEST_RABBITMQ_URL"))
	shop.Topology = broker.Topology{Namespace: "test-" + uuid.NewString()[:8] + "."}
	shop.Letters = filepath.Join(t.TempDir(), "letters.jsonl")

	shop.Settings = map[string]string{
		"DATABASE_URL": throughPostgres, "REDIS_URL": throughRedis, "RABBITMQ_URL": throughRabbit,
		"AMQP_NAMESPACE": shop.Topology.Namespace, "JWKS_URL": shop.Issuer.Server.URL,
		"PRODUCT_INTERNAL_URL": product.URL, "INTERNAL_API_TOKEN": InternalToken,
		"STRIPE_API_KEY": StripeKey, "STRIPE_API_BASE": stripe.URL, "STRIPE_WEBHOOK_SECRET": WebhookSecret,
		"SAGA_LEASE": "2s", "SAGA_INTERVAL": "50ms", "SAGA_RETRY_MAX": "1s", "OUTBOX_INTERVAL": "50ms",
		"DRAIN_DELAY": "100ms", "NOTIFICATION_SENDER": "file", "NOTIFICATION_FILE": shop.Letters,
		"NOTIFICATION_RETRY_DELAYS": "100ms,200ms,400ms", "NOTIFICATION_CLAIM": "1s", "DATABASE_MAX_CONNECTIONS": "20",
	}
	maps.Copy(shop.Settings, settings)
	shop.Service = NewProgram(t, "order", shop.Settings)
	shop.Worker = NewProgram(t, "notification", shop.Settings)
	shop.Stripe.SetWebhookURL(shop.Service.URL() + "/api/v1/payment/stripe/webhook")
	t.Cleanup(shop.deleteQueues)
	shop.Service.Start()
	shop.Worker.Start()
	shop.Service.WaitReady()
	shop.Worker.WaitReady()
	return shop
}

func (s *Shop) deleteQueues() {
	connection, err := broker.Dial(StoreURL(s.t, "TEST_RABBITMQ_URL"), "tests")
	if err != nil {
		return
	}
	defer func() { _ = connection.Close() }()
	channel, err := connection.Channel()
	if err != nil {
		return
	}
	names := []string{s.Topology.Notifications(), s.Topology.Dead()}
	for _, delay := range []time.Duration{100, 200, 400} {
		names = append(names, s.Topology.Retry(delay*time.Millisecond))
	}
	for _, name := range names {
		_, _ = channel.QueueDelete(name, false, false, false)
	}
	_ = channel.ExchangeDelete(s.Topology.Exchange(), false, false)
	_ = channel.ExchangeDelete(s.Topology.DeadLetters(), false, false)
}

// Channel opens a channel to the broker, not through the proxy.
func (s *Shop) Channel() *amqp.Channel {
	s.t.Helper()
	connection, err := broker.Dial(StoreURL(s.t, "TEST_RABBITMQ_URL"), "tests")
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = connection.Close() })
	channel, err := connection.Channel()
	if err != nil {
		s.t.Fatal(err)
	}
	return channel
}

// NewProduct puts a product into the warehouse.
func (s *Shop) NewProduct(stock int) string {
	id := uuid.NewString()
	s.Product.Put(id, stock)
	return id
}

// SentLetters reads what the worker sent.
func (s *Shop) SentLetters() []notification.Message {
	content, err := os.ReadFile(s.Letters)
	if err != nil {
		return nil
	}
	var letters []notification.Message
	for line := range strings.Lines(string(content)) {
		var letter notification.Message
		if json.Unmarshal([]byte(line), &letter) == nil {
			letters = append(letters, letter)
		}
	}
	return letters
}

// Customer is somebody with a token.
type Customer struct {
	shop   *Shop
	UserID string
	Token  string
}

// NewCustomer makes somebody who has logged in, with the roles given besides "customer".
func (s *Shop) NewCustomer(roles ...string) *Customer {
	s.t.Helper()
	id := uuid.Must(uuid.NewV7()).String()
	if err := s.sessions.HSet(s.t.Context(), sessionKey(id), "user", id).Err(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { s.sessions.Del(context.Background(), sessionKey(id)) })
	return &Customer{s, id, s.Issuer.Token(s.t, id, roles...)}
}

// LogOut ends the customer's session, as the user service does.
func (c *Customer) LogOut() {
	c.shop.t.Helper()
	if err := c.shop.sessions.Del(c.shop.t.Context(), sessionKey(c.UserID)).Err(); err != nil {
		c.shop.t.Fatal(err)
	}
}

func sessionKey(userID string) string { return "session:auth:" + SessionID(userID) }

// Answer is what a request got.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Order is an order, or a problem, as the API shows it.
type Order struct {
	ID                  string `json:"id"`
	OrderID             string `json:"order_id"`
	State               string `json:"state"`
	Version             int    `json:"version"`
	Reason              string `json:"reason"`
	TotalMinor          int64  `json:"total_minor"`
	PaymentClientSecret string `json:"payment_client_secret"`
	Type                string `json:"type"`
}

// Order reads the answer's body.
func (a Answer) Order(t testing.TB) Order {
	t.Helper()
	var o Order
	if err := json.Unmarshal(a.Body, &o); err != nil {
		t.Fatalf("%d %s: %v", a.Status, a.Body, err)
	}
	return o
}

// Do sends a request; headers come as pairs. The error is the network's.
func (c *Customer) Do(method, path string, body any, headers ...string) (Answer, error) {
	var content io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		content = strings.NewReader(body)
	default:
		encoded, err := json.Marshal(body)
		if err != nil {
			return Answer{}, err
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequest(method, c.shop.Service.URL()+path, content)
	if err != nil {
		return Answer{}, err
	}
	request.Header.Set("Authorization", "Bearer "+c.Token)
	if content != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	read, err := io.ReadAll(response.Body)
	if err == nil {
		Described(c.shop.t, method, path, response, read)
	}
	return Answer{response.StatusCode, response.Header, read}, err
}

// Must sends a request that has to get the status wanted.
func (c *Customer) Must(status int, method, path string, body any, headers ...string) Answer {
	c.shop.t.Helper()
	answer, err := c.Do(method, path, body, headers...)
	if err != nil {
		c.shop.t.Fatal(err)
	}
	if answer.Status != status {
		c.shop.t.Fatalf("%s %s: got %d, want %d: %s", method, path, answer.Status, status, answer.Body)
	}
	return answer
}

// OrderBody is a request for pieces of one product; an empty payment method leaves paying to the browser.
func OrderBody(product string, quantity int, paymentMethod string) map[string]any {
	body := map[string]any{
		"items":         []map[string]any{{"product_id": product, "quantity": quantity}},
		"contact_email": "customer@example.com",
	}
	if paymentMethod != "" {
		body["payment_method"] = paymentMethod
	}
	return body
}

// Buy orders one piece and returns the order.
func (c *Customer) Buy(product, paymentMethod string) Order {
	c.shop.t.Helper()
	return c.Must(http.StatusCreated, http.MethodPost, "/api/v1/orders", OrderBody(product, 1, paymentMethod),
		"Idempotency-Key", uuid.NewString()).Order(c.shop.t)
}

// WaitFor waits until the order is in the state.
func (c *Customer) WaitFor(id, state string) Order {
	c.shop.t.Helper()
	var o Order
	Eventually(c.shop.t, 20*time.Second, "order "+id+" is not "+state, func() bool {
		answer, err := c.Do(http.MethodGet, "/api/v1/orders/"+id, nil)
		if err != nil || answer.Status != http.StatusOK {
			return false
		}
		o = answer.Order(c.shop.t)
		return o.State == state
	})
	return o
}
