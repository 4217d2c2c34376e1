package tests

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/cloudcommerce/order/internal/order"
	"github.com/cloudcommerce/order/internal/saga"
	"github.com/cloudcommerce/order/internal/stripedouble"
	"github.com/cloudcommerce/order/internal/testkit"
)

// audit waits until nothing is under way, and then counts: each order's money, stock and letters must agree
// with its state.
func audit(t *testing.T, shop *testkit.Shop, product string, stock int) {
	t.Helper()
	pool := shop.Store.Primary()
	left := func(query string) int {
		var n int
		if err := pool.QueryRow(t.Context(), query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	testkit.Eventually(t, 60*time.Second, "orders are stuck", func() bool { return left(`select count(*) from sagas`) == 0 })
	testkit.Eventually(t, 30*time.Second, "events are stuck", func() bool { return left(`select count(*) from outbox`) == 0 })

	rows, err := pool.Query(t.Context(), `select id, state, timeline from orders`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	sold, wanted := 0, map[string]int{}
	ledger := shop.Stripe.Ledger()
	for rows.Next() {
		var id uuid.UUID
		var state order.State
		var timeline []order.Change
		if err := rows.Scan(&id, &state, &timeline); err != nil {
			t.Fatal(err)
		}
		charges, refunds := count(ledger, "charge", id.String()), count(ledger, "refund", id.String())
		want := map[order.State][2]int{
			order.Paid: {1, 0}, order.Fulfilled: {1, 0}, order.Refunded: {1, 1}, order.Cancelled: {0, 0}, order.Failed: {0, 0},
		}
		if money, settled := want[state]; !settled || money != [2]int{charges, refunds} {
			t.Errorf("order %s is %s with %d charges and %d refunds: %v", id, state, charges, refunds, timeline)
		}
		if state == order.Paid || state == order.Fulfilled {
			sold++
		}
		for _, change := range timeline {
			if change.State != order.Reserved {
				kind := string(change.State)
				if change.State == order.Pending {
					kind = "created"
				}
				wanted[id.String()+" order."+kind]++
			}
		}
	}
	if available := shop.Product.Available(product); available+sold != stock {
		t.Errorf("%d sold and %d left of %d", sold, available, stock)
	}
	testkit.Eventually(t, 30*time.Second, "letters are missing", func() bool { return len(shop.SentLetters()) >= len(wanted) })
	sent := map[string]int{}
	for _, letter := range shop.SentLetters() {
		sent[letter.OrderID+" "+letter.Type]++
	}
	for letter, times := range sent {
		if times != wanted[letter] {
			t.Errorf("letter %s was sent %d times, want %d", letter, times, wanted[letter])
		}
	}
	if len(sent) != len(wanted) {
		t.Errorf("%d letters sent, want %d", len(sent), len(wanted))
	}
	t.Logf("%d letters, %d entries in the ledger, %d sold", len(sent), len(ledger), sold)
}

func TestCrashAtEveryStep(t *testing.T) {
	shop := testkit.NewShop(t, map[string]string{"SAGA_LEASE": "1s"})
	const stock = 1000
	product := shop.NewProduct(stock)
	support := shop.NewCustomer("support")
	for _, step := range saga.Steps() {
		if step == saga.SettleRefund {
			continue // TestRefundInTheDashboard
		}
		for _, moment := range []string{"before", "called", "recorded"} {
			place := fmt.Sprintf("%s:%s", step, moment)
			shop.Service.Kill()
			shop.Service.Start("CRASH_AT=" + place)
			readyOrCrashed(t, shop.Service)
			customer, key := shop.NewCustomer(), uuid.NewString()
			body := testkit.OrderBody(product, 1, methodFor(step))
			provoke(shop, customer, support, step, body, key)
			select {
			case <-shop.Service.Exited():
			case <-time.After(10 * time.Second):
				t.Fatalf("the service did not crash at %s", place)
			}
			shop.Service.Start()
			shop.Service.WaitReady()
			// The customer did not get an answer and tries again.
			var answer testkit.Answer
			testkit.Eventually(t, 20*time.Second, "no answer after "+place, func() bool {
				var err error
				answer, err = customer.Do("POST", "/api/v1/orders", body, "Idempotency-Key", key)
				return err == nil && (answer.Status == http.StatusCreated || answer.Status == http.StatusPaymentRequired)
			})
			if o := answer.Order(t); o.PaymentClientSecret != "" {
				// What the crash left for the browser to pay is called off, so that the audit finds it settled.
				_, _ = customer.Do("POST", "/api/v1/orders/"+o.ID+"/cancel", nil)
			}
		}
	}
	audit(t, shop, product, stock)
}

func methodFor(step saga.Step) string {
	switch step {
	case saga.CancelPayment, saga.ReleaseStock:
		return stripedouble.Declined
	case saga.SettlePayment:
		return ""
	default:
		return stripedouble.Visa
	}
}

// readyOrCrashed waits for a program that may find an order to crash on as soon as it starts.
func readyOrCrashed(t *testing.T, program *testkit.Program) {
	t.Helper()
	testkit.Eventually(t, 20*time.Second, "the service does not start", func() bool {
		select {
		case <-program.Exited():
			return true
		default:
		}
		response, err := http.Get(program.URL() + "/readyz")
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

// provoke does what leads to the step.
func provoke(shop *testkit.Shop, customer, support *testkit.Customer, step saga.Step, body map[string]any, key string) {
	answer, err := customer.Do("POST", "/api/v1/orders", body, "Idempotency-Key", key)
	if err != nil || answer.Status != http.StatusCreated {
		return
	}
	id := strings.TrimPrefix(answer.Header.Get("Location"), "/api/v1/orders/")
	switch step {
	case saga.SettlePayment:
		intent, _, _ := strings.Cut(string(answer.Body[strings.Index(string(answer.Body), "pi_"):]), "_secret")
		shop.Stripe.Pay(intent)
	case saga.RefundPayment:
		_, _ = customer.Do("POST", "/api/v1/orders/"+id+"/cancel", nil)
	case saga.Fulfill:
		_, _ = support.Do("POST", "/api/v1/orders/"+id+"/fulfill", nil)
	}
}

func TestKilledUnderLoad(t *testing.T) {
	kills := 10
	if os.Getenv("CLOUDCOMMERCE_TEST_FULL") == "1" {
		kills = 50
	}
	shop := testkit.NewShop(t, map[string]string{"LOG_LEVEL": "error"})
	shop.Stripe.SetFaults(stripedouble.Faults{
		ErrorRate: 0.02, StoredErrorRate: 0.02, LostAnswerRate: 0.05, WebhookLossRate: 0.1, WebhookTwiceRate: 0.2,
		Latency: 5 * time.Millisecond, WebhookDelay: 200 * time.Millisecond,
	})
	const stock, customers = 100_000, 8
	product := shop.NewProduct(stock)
	stop := make(chan struct{})
	var load sync.WaitGroup
	bought := make([][]string, customers)
	for i := range customers {
		customer := shop.NewCustomer()
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					bought[i] = append(bought[i], buyStubbornly(t, customer, product))
				}
			}
		})
	}
	for kill := range kills {
		time.Sleep(time.Duration(100+rand.IntN(500)) * time.Millisecond)
		victims := []*testkit.Program{shop.Service}
		if kill%2 == 1 {
			victims = append(victims, shop.Worker)
		}
		for _, victim := range victims {
			victim.Kill()
			victim.Start()
			victim.WaitReady()
		}
	}
	close(stop)
	load.Wait()
	shop.Stripe.SetFaults(stripedouble.Faults{})
	audit(t, shop, product, stock)
	orders := slices.Sorted(slices.Values(slices.Concat(bought...)))
	var kept []string
	rows, err := shop.Store.Primary().Query(t.Context(), `select id::text from orders order by id::text`)
	if err == nil {
		kept, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err != nil || !slices.Equal(orders, kept) {
		t.Errorf("%d orders were answered, each request with one, and %d are there, %v", len(orders), len(kept), err)
	}
	t.Logf("%d orders over %d kills", len(orders), kills)
}

// buyStubbornly repeats one request until it is answered with an order, and cancels every fourth.
func buyStubbornly(t *testing.T, customer *testkit.Customer, product string) string {
	key, body := uuid.NewString(), testkit.OrderBody(product, 1, stripedouble.Visa)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		answer, err := customer.Do("POST", "/api/v1/orders", body, "Idempotency-Key", key)
		if err != nil || answer.Status == http.StatusServiceUnavailable || answer.Status == http.StatusConflict {
			continue
		}
		if answer.Status != http.StatusCreated {
			t.Errorf("got %d %s", answer.Status, answer.Body)
		}
		id := strings.TrimPrefix(answer.Header.Get("Location"), "/api/v1/orders/")
		if rand.IntN(4) == 0 {
			_, _ = customer.Do("POST", "/api/v1/orders/"+id+"/cancel", nil)
		}
		return id
	}
	t.Error("a request was not answered within a minute")
	return ""
}

func TestStoresDownAndBack(t *testing.T) {
	shop := testkit.NewShop(t, nil)
	const stock = 10_000
	product := shop.NewProduct(stock)
	outages := map[string]struct{ cut, restore func() }{
		"redis":      {shop.Redis.Cut, func() { shop.Redis.Restore(t) }},
		"rabbitmq":   {shop.Rabbit.Cut, func() { shop.Rabbit.Restore(t) }},
		"postgresql": {shop.Postgres.Cut, func() { shop.Postgres.Restore(t) }},
		"product":    {func() { shop.Product.SetDown(true) }, func() { shop.Product.SetDown(false) }},
	}
	for name, outage := range outages {
		stop := make(chan struct{})
		var load sync.WaitGroup
		for range 4 {
			customer := shop.NewCustomer()
			load.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					answer, err := customer.Do("POST", "/api/v1/orders", testkit.OrderBody(product, 1, stripedouble.Visa), "Idempotency-Key", uuid.NewString())
					if err == nil && answer.Status != http.StatusCreated && answer.Status != http.StatusServiceUnavailable {
						t.Errorf("%s down: got %d %s", name, answer.Status, answer.Body)
					}
					time.Sleep(10 * time.Millisecond)
				}
			})
		}
		time.Sleep(300 * time.Millisecond)
		outage.cut()
		time.Sleep(1500 * time.Millisecond)
		outage.restore()
		time.Sleep(300 * time.Millisecond)
		close(stop)
		load.Wait()
		shop.Service.WaitReady()
	}
	shop.Worker.WaitReady()
	audit(t, shop, product, stock)
}
