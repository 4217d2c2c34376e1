package tests

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/cloudcommerce/order/internal/stripedouble"
	"github.com/cloudcommerce/order/internal/testkit"
)

func types(shop *testkit.Shop, orderID string) string {
	var kinds []string
	for _, letter := range shop.SentLetters() {
		if letter.OrderID == orderID {
			kinds = append(kinds, strings.TrimPrefix(letter.Type, "order."))
		}
	}
	return strings.Join(kinds, " ")
}

func count(entries []stripedouble.Entry, kind, orderID string) (n int) {
	for _, entry := range entries {
		if entry.Kind == kind && entry.OrderID == orderID {
			n++
		}
	}
	return n
}

func TestFlows(t *testing.T) {
	shop := testkit.NewShop(t, nil)
	support := shop.NewCustomer("support")

	t.Run("from cart to letter", func(t *testing.T) {
		product, customer := shop.NewProduct(10), shop.NewCustomer()
		items := map[string]any{"items": []map[string]any{{"product_id": product, "quantity": 3}}}
		customer.Must(http.StatusOK, "PUT", "/api/v1/cart", items)
		order := customer.Must(http.StatusCreated, "POST", "/api/v1/orders",
			map[string]any{"contact_email": "a@example.com", "payment_method": stripedouble.Visa}, "Idempotency-Key", "k1").Order(t)
		if order.State != "paid" || order.TotalMinor != 3*testkit.Price {
			t.Fatalf("got %+v", order)
		}
		cart := customer.Must(http.StatusOK, "GET", "/api/v1/cart", nil)
		if !strings.Contains(string(cart.Body), `"items":[]`) {
			t.Errorf("the ordered cart is still full: %s", cart.Body)
		}
		if status := shop.Product.Status(order.ID); status != "confirmed" {
			t.Errorf("reservation is %q", status)
		}
		support.Must(http.StatusOK, "POST", "/api/v1/orders/"+order.ID+"/fulfill", nil)
		support.Must(http.StatusOK, "POST", "/api/v1/orders/"+order.ID+"/refund", nil)
		if n := count(shop.Stripe.Ledger(), "refund", order.ID); n != 1 {
			t.Errorf("%d refunds", n)
		}
		testkit.Eventually(t, 10*time.Second, "letters are missing", func() bool {
			sent := types(shop, order.ID)
			return len(strings.Fields(sent)) == 4 && strings.Contains(sent, "created") && strings.Contains(sent, "paid") &&
				strings.Contains(sent, "fulfilled") && strings.Contains(sent, "refunded")
		})
	})

	t.Run("nothing in stock", func(t *testing.T) {
		product, customer := shop.NewProduct(1), shop.NewCustomer()
		answer := customer.Must(http.StatusConflict, "POST", "/api/v1/orders",
			testkit.OrderBody(product, 2, stripedouble.Visa), "Idempotency-Key", "k1")
		if p := answer.Order(t); !strings.HasSuffix(p.Type, "/insufficient-stock") || p.OrderID == "" {
			t.Errorf("got %s", answer.Body)
		}
		if shop.Product.Available(product) != 1 {
			t.Error("stock is lost")
		}
	})

	t.Run("card declined", func(t *testing.T) {
		product, customer := shop.NewProduct(1), shop.NewCustomer()
		answer := customer.Must(http.StatusPaymentRequired, "POST", "/api/v1/orders",
			testkit.OrderBody(product, 1, stripedouble.Declined), "Idempotency-Key", "k1")
		customer.WaitFor(answer.Order(t).OrderID, "failed")
		testkit.Eventually(t, 5*time.Second, "the stock does not come back", func() bool { return shop.Product.Available(product) == 1 })
	})

	t.Run("the customer pays in the browser", func(t *testing.T) {
		product, customer := shop.NewProduct(1), shop.NewCustomer()
		order := customer.Buy(product, "")
		if order.State != "reserved" || order.PaymentClientSecret == "" {
			t.Fatalf("got %+v", order)
		}
		intent, _, _ := strings.Cut(order.PaymentClientSecret, "_secret")
		if !shop.Stripe.Pay(intent) {
			t.Fatal("can't pay")
		}
		paid := customer.WaitFor(order.ID, "paid")
		if paid.PaymentClientSecret != "" {
			t.Error("a paid order still shows the secret")
		}
	})

	t.Run("cancelled before payment", func(t *testing.T) {
		product, customer := shop.NewProduct(1), shop.NewCustomer()
		order := customer.Buy(product, stripedouble.AuthenticationRequired)
		cancelled := customer.Must(http.StatusOK, "POST", "/api/v1/orders/"+order.ID+"/cancel", nil).Order(t)
		if cancelled.State != "cancelled" || shop.Product.Available(product) != 1 {
			t.Errorf("got %+v, %d in stock", cancelled, shop.Product.Available(product))
		}
		customer.Must(http.StatusOK, "POST", "/api/v1/orders/"+order.ID+"/cancel", nil)
		if count(shop.Stripe.Ledger(), "charge", order.ID) != 0 {
			t.Error("charged")
		}
	})

	t.Run("cancelled after payment", func(t *testing.T) {
		product, customer := shop.NewProduct(1), shop.NewCustomer()
		order := customer.Buy(product, stripedouble.Visa)
		cancelled := customer.Must(http.StatusOK, "POST", "/api/v1/orders/"+order.ID+"/cancel", nil).Order(t)
		if cancelled.State != "refunded" || shop.Product.Available(product) != 1 {
			t.Errorf("got %+v, %d in stock", cancelled, shop.Product.Available(product))
		}
	})

	t.Run("too late to cancel", func(t *testing.T) {
		product, customer := shop.NewProduct(1), shop.NewCustomer()
		order := customer.Buy(product, stripedouble.Visa)
		support.Must(http.StatusOK, "POST", "/api/v1/orders/"+order.ID+"/fulfill", nil)
		customer.Must(http.StatusConflict, "POST", "/api/v1/orders/"+order.ID+"/cancel", nil)
	})

	t.Run("stock gone while paying", func(t *testing.T) {
		product, customer := shop.NewProduct(1), shop.NewCustomer()
		order := customer.Buy(product, "")
		shop.Product.Expire(order.ID)
		intent, _, _ := strings.Cut(order.PaymentClientSecret, "_secret")
		shop.Stripe.Pay(intent)
		refunded := customer.WaitFor(order.ID, "refunded")
		if refunded.Reason != "stock_expired" || count(shop.Stripe.Ledger(), "refund", order.ID) != 1 {
			t.Errorf("got %+v", refunded)
		}
	})

	t.Run("paging through the history", func(t *testing.T) {
		product, customer := shop.NewProduct(10), shop.NewCustomer()
		var want, got []string
		for range 5 {
			want = append([]string{customer.Buy(product, stripedouble.Visa).ID}, want...)
		}
		cursor := ""
		for range 3 {
			var page struct {
				Items      []testkit.Order `json:"items"`
				NextCursor *string         `json:"next_cursor"`
			}
			decode(t, customer.Must(http.StatusOK, "GET", "/api/v1/orders?limit=2"+cursor, nil).Body, &page)
			for _, order := range page.Items {
				got = append(got, order.ID)
			}
			if page.NextCursor == nil {
				break
			}
			cursor = "&cursor=" + *page.NextCursor
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestRefundInTheDashboard(t *testing.T) {
	shop := testkit.NewShop(t, nil)
	product, customer := shop.NewProduct(1), shop.NewCustomer()
	order := customer.Buy(product, stripedouble.Visa)
	if !shop.Stripe.Refund(shop.Stripe.Ledger()[0].PaymentIntentID) {
		t.Fatal("can't refund")
	}
	refunded := customer.WaitFor(order.ID, "refunded")
	if refunded.Reason != "external_refund" || count(shop.Stripe.Ledger(), "refund", order.ID) != 1 {
		t.Errorf("got %+v, ledger %v", refunded, shop.Stripe.Ledger())
	}
	testkit.Eventually(t, 5*time.Second, "the stock does not come back", func() bool { return shop.Product.Available(product) == 1 })
}

func TestIdempotency(t *testing.T) {
	shop := testkit.NewShop(t, nil)

	t.Run("many at once make one order", func(t *testing.T) {
		product, customer := shop.NewProduct(100), shop.NewCustomer()
		answers := make([]testkit.Answer, 20)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() {
				answers[i], _ = customer.Do("POST", "/api/v1/orders", testkit.OrderBody(product, 1, stripedouble.Visa), "Idempotency-Key", "same")
			})
		}
		all.Wait()
		for _, answer := range answers {
			if answer.Status != http.StatusCreated || string(answer.Body) != string(answers[0].Body) {
				t.Errorf("got %d %s, another got %s", answer.Status, answer.Body, answers[0].Body)
			}
		}
		if shop.Product.Available(product) != 99 {
			t.Errorf("%d left of 100", shop.Product.Available(product))
		}
	})

	t.Run("another body", func(t *testing.T) {
		product, customer := shop.NewProduct(10), shop.NewCustomer()
		customer.Must(http.StatusCreated, "POST", "/api/v1/orders", testkit.OrderBody(product, 1, stripedouble.Visa), "Idempotency-Key", "k")
		answer := customer.Must(http.StatusUnprocessableEntity, "POST", "/api/v1/orders", testkit.OrderBody(product, 2, stripedouble.Visa), "Idempotency-Key", "k")
		if !strings.HasSuffix(answer.Order(t).Type, "/idempotency-key-reused") {
			t.Errorf("got %s", answer.Body)
		}
	})

	t.Run("a refusal is repeated", func(t *testing.T) {
		product, customer := shop.NewProduct(0), shop.NewCustomer()
		body := testkit.OrderBody(product, 1, stripedouble.Visa)
		first := customer.Must(http.StatusConflict, "POST", "/api/v1/orders", body, "Idempotency-Key", "k")
		shop.Product.Put(product, 5)
		again := customer.Must(http.StatusConflict, "POST", "/api/v1/orders", body, "Idempotency-Key", "k")
		if again.Header.Get("Idempotency-Replayed") != "true" || again.Order(t).OrderID != first.Order(t).OrderID {
			t.Errorf("got %s, first %s", again.Body, first.Body)
		}
	})

	t.Run("another customer's key is another key", func(t *testing.T) {
		product := shop.NewProduct(2)
		for range 2 {
			shop.NewCustomer().Must(http.StatusCreated, "POST", "/api/v1/orders", testkit.OrderBody(product, 1, stripedouble.Visa), "Idempotency-Key", "k")
		}
		if shop.Product.Available(product) != 0 {
			t.Error("two customers got one order")
		}
	})
}

func TestRacingForTheLastPieces(t *testing.T) {
	shop := testkit.NewShop(t, nil)
	const stock, customers = 50, 200
	product := shop.NewProduct(stock)
	var all sync.WaitGroup
	sold := make(chan string, customers)
	for range customers {
		customer := shop.NewCustomer()
		all.Go(func() {
			answer, err := customer.Do("POST", "/api/v1/orders", testkit.OrderBody(product, 1, stripedouble.Visa), "Idempotency-Key", uuid.NewString())
			if err == nil && answer.Status == http.StatusCreated {
				sold <- answer.Order(t).ID
			}
		})
	}
	all.Wait()
	close(sold)
	if len(sold) != stock {
		t.Errorf("sold %d of %d", len(sold), stock)
	}
	for id := range sold {
		if n := count(shop.Stripe.Ledger(), "charge", id); n != 1 {
			t.Errorf("order %s was charged %d times", id, n)
		}
	}
}

func TestCancelAgainstPay(t *testing.T) {
	shop := testkit.NewShop(t, nil)
	product := shop.NewProduct(100)
	var all sync.WaitGroup
	for range 30 {
		customer := shop.NewCustomer()
		all.Go(func() {
			order := customer.Buy(product, "")
			intent, _, _ := strings.Cut(order.PaymentClientSecret, "_secret")
			var both sync.WaitGroup
			both.Go(func() { shop.Stripe.Pay(intent) })
			both.Go(func() { _, _ = customer.Do("POST", "/api/v1/orders/"+order.ID+"/cancel", nil) })
			both.Wait()
			var state string
			testkit.Eventually(t, 20*time.Second, "order "+order.ID+" never settles", func() bool {
				answer, err := customer.Do("GET", "/api/v1/orders/"+order.ID, nil)
				if err != nil {
					return false
				}
				state = answer.Order(t).State
				return state == "cancelled" || state == "refunded"
			})
			charges, refunds := count(shop.Stripe.Ledger(), "charge", order.ID), count(shop.Stripe.Ledger(), "refund", order.ID)
			if charges > 1 || charges != refunds || (state == "cancelled") != (charges == 0) {
				t.Errorf("order %s is %s with %d charges and %d refunds", order.ID, state, charges, refunds)
			}
		})
	}
	all.Wait()
	testkit.Eventually(t, 10*time.Second, "stock does not add up", func() bool { return shop.Product.Available(product) == 100 })
}
