package payment_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/cloudcommerce/order/internal/order"
	"github.com/cloudcommerce/order/internal/payment"
	"github.com/cloudcommerce/order/internal/stripedouble"
)

func newClient(t *testing.T) (*payment.Client, *stripedouble.Double) {
	t.Helper()
	double := stripedouble.New(stripedouble.Settings{APIKey: "sk_test_123"})
	server := httptest.NewServer(double)
	t.Cleanup(server.Close)
	return payment.NewClient("sk_test_123", server.URL, http.DefaultClient), double
}

func newOrder(t *testing.T, client *payment.Client, method string) order.Order {
	t.Helper()
	o, err := order.New("user", nil, "a@example.com", method)
	if err != nil {
		t.Fatal(err)
	}
	o.TotalMinor, o.Currency = 1999, "EUR"
	intent, err := client.Create(t.Context(), o, 0)
	if err != nil {
		t.Fatal(err)
	}
	o.PaymentIntentID = intent.ID
	return o
}

func TestNoSecondChargeAfterStripeForgotTheKeys(t *testing.T) {
	client, double := newClient(t)
	o := newOrder(t, client, stripedouble.Visa)
	for range 3 {
		if intent, err := client.Confirm(t.Context(), o, 0); err != nil || intent.Status != payment.Succeeded {
			t.Fatalf("got %+v, %v", intent, err)
		}
		double.ForgetKeys()
	}
	for range 3 {
		if _, err := client.Refund(t.Context(), o, 0); err != nil {
			t.Fatal(err)
		}
		double.ForgetKeys()
	}
	if ledger := double.Ledger(); len(ledger) != 2 {
		t.Errorf("got %+v, want one charge and one refund", ledger)
	}
}

func TestAFailureThatStripeKeepsIsOvercome(t *testing.T) {
	client, double := newClient(t)
	o := newOrder(t, client, stripedouble.Visa)
	double.SetFaults(stripedouble.Faults{StoredErrorRate: 1})
	if _, err := client.Confirm(t.Context(), o, 0); err == nil {
		t.Fatal("no error")
	}
	double.SetFaults(stripedouble.Faults{})
	if intent, err := client.Confirm(t.Context(), o, 1); err != nil || intent.Status != payment.Succeeded || len(double.Ledger()) != 1 {
		t.Errorf("got %+v, %v, ledger %v", intent, err, double.Ledger())
	}
}

func TestRefusals(t *testing.T) {
	client, double := newClient(t)
	if _, err := client.Confirm(t.Context(), newOrder(t, client, stripedouble.Declined), 0); !errors.Is(err, payment.ErrDeclined) {
		t.Errorf("a declined card: %v", err)
	}
	paid := newOrder(t, client, stripedouble.Visa)
	if _, err := client.Confirm(t.Context(), paid, 0); err != nil {
		t.Fatal(err)
	}
	if intent, err := client.Cancel(t.Context(), paid, 0); err != nil || intent.Status != payment.Succeeded {
		t.Errorf("cancelling what was paid: %+v, %v", intent, err)
	}
	if len(double.Ledger()) != 1 {
		t.Errorf("ledger %v", double.Ledger())
	}
}
