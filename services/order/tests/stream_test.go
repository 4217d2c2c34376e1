package tests

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cloudcommerce/order/internal/stripedouble"
	"github.com/cloudcommerce/order/internal/testkit"
)

// follow opens a stream and hands its lines over, until the server or the test ends it.
func follow(t *testing.T, shop *testkit.Shop, customer *testkit.Customer, id, lastEventID string) (<-chan string, *http.Response) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "GET", shop.Service.URL()+"/api/v1/orders/"+id+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+customer.Token)
	request.Header.Set("Accept-Encoding", "gzip")
	if lastEventID != "" {
		request.Header.Set("Last-Event-ID", lastEventID)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		scanner := bufio.NewScanner(response.Body)
		for scanner.Scan() {
			lines <- scanner.Text()
		}
	}()
	return lines, response
}

// expect reads lines until one starts with each prefix, in order.
func expect(t *testing.T, lines <-chan string, prefixes ...string) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for _, prefix := range prefixes {
		for found := false; !found; {
			select {
			case line, open := <-lines:
				if !open {
					t.Fatalf("the stream ended before %q", prefix)
				}
				found = strings.HasPrefix(line, prefix)
			case <-deadline:
				t.Fatalf("no line %q", prefix)
			}
		}
	}
}

func TestStreams(t *testing.T) {
	shop := testkit.NewShop(t, map[string]string{"SSE_HEARTBEAT": "500ms", "SSE_MAX_STREAMS_PER_USER": "3"})
	product := shop.NewProduct(100)
	pay := func(order testkit.Order) {
		intent, _, _ := strings.Cut(order.PaymentClientSecret, "_secret")
		shop.Stripe.Pay(intent)
	}

	t.Run("live, with heartbeats and nothing that buffers", func(t *testing.T) {
		customer := shop.NewCustomer()
		order := customer.Buy(product, "")
		lines, response := follow(t, shop, customer, order.ID, "")
		if response.Header.Get("Content-Encoding") != "" || response.Header.Get("X-Accel-Buffering") != "no" {
			t.Errorf("headers %v", response.Header)
		}
		expect(t, lines, "id: 2", "event: reserved", ": heartbeat")
		pay(order)
		expect(t, lines, "id: 3", "event: paid")
	})

	t.Run("a client that comes back gets what it missed", func(t *testing.T) {
		customer := shop.NewCustomer()
		order := customer.Buy(product, stripedouble.Visa)
		lines, _ := follow(t, shop, customer, order.ID, "1")
		expect(t, lines, "id: 2", "event: reserved", "id: 3", "event: paid")
	})

	t.Run("changes arrive while Redis is down", func(t *testing.T) {
		customer := shop.NewCustomer()
		order := customer.Buy(product, "")
		lines, _ := follow(t, shop, customer, order.ID, "")
		expect(t, lines, "id: 2")
		shop.Redis.Cut()
		pay(order)
		expect(t, lines, "id: 3")
		shop.Redis.Restore(t)
		shop.Service.WaitReady()
	})

	t.Run("limits", func(t *testing.T) {
		customer := shop.NewCustomer()
		order := customer.Buy(product, "")
		for range 3 {
			lines, _ := follow(t, shop, customer, order.ID, "")
			expect(t, lines, "id: 2")
		}
		customer.Must(http.StatusTooManyRequests, "GET", "/api/v1/orders/"+order.ID+"/events", nil)
	})

	t.Run("the stream ends with the token", func(t *testing.T) {
		customer := shop.NewCustomer()
		order := customer.Buy(product, "")
		claims := testkit.Claims(customer.UserID)
		claims["exp"] = time.Now().Add(2 * time.Second).Unix()
		customer.Token = shop.Issuer.Sign(t, claims)
		lines, _ := follow(t, shop, customer, order.ID, "")
		testkit.Eventually(t, 10*time.Second, "the stream stays open", func() bool {
			select {
			case _, open := <-lines:
				return !open
			default:
				return false
			}
		})
	})

	t.Run("shutdown ends streams and loses nothing", func(t *testing.T) {
		customer := shop.NewCustomer()
		order := customer.Buy(product, "")
		lines, _ := follow(t, shop, customer, order.ID, "")
		expect(t, lines, "id: 2")
		if code := shop.Service.Terminate(); code != 0 {
			t.Errorf("exit code %d", code)
		}
		shop.Service.Start()
		shop.Service.WaitReady()
		pay(order)
		lines, _ = follow(t, shop, customer, order.ID, "2")
		expect(t, lines, "id: 3")
	})
}
