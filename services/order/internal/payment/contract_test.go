package payment_test

import (
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/cloudcommerce/order/internal/order"
	"github.com/cloudcommerce/order/internal/payment"
	"github.com/cloudcommerce/order/internal/testkit"
)

// startMock runs Stripe's own mock, which checks requests against Stripe's schema and remembers nothing.
func startMock(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "stripe-mock")
	build := exec.Command("go", "build", "-o", binary, "github.com/stripe/stripe-mock")
	build.Dir = filepath.Join("..", "..", "tools")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build stripe-mock: %v\n%s", err, output)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	mock := exec.Command(binary, "-http-addr", "127.0.0.1:"+strconv.Itoa(port))
	if err := mock.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mock.Process.Kill(); _ = mock.Wait() })
	base := "http://127.0.0.1:" + strconv.Itoa(port)
	testkit.Eventually(t, 20*time.Second, "stripe-mock does not start", func() bool {
		response, err := http.Get(base)
		if err == nil {
			_ = response.Body.Close()
		}
		return err == nil
	})
	return base
}

func TestStripeAcceptsEveryRequest(t *testing.T) {
	client := payment.NewClient("sk_test_123", startMock(t), http.DefaultClient)
	o, err := order.New("user", nil, "a@example.com", "pm_card_visa")
	if err != nil {
		t.Fatal(err)
	}
	o.TotalMinor, o.Currency, o.PaymentIntentID = 1999, "EUR", "pi_123"
	inBrowser := o
	inBrowser.PaymentMethod = ""
	for name, call := range map[string]func() (payment.Intent, error){
		"create":               func() (payment.Intent, error) { return client.Create(t.Context(), o, 0) },
		"create for a browser": func() (payment.Intent, error) { return client.Create(t.Context(), inBrowser, 0) },
		"confirm":              func() (payment.Intent, error) { return client.Confirm(t.Context(), o, 0) },
		"retrieve":             func() (payment.Intent, error) { return client.Retrieve(t.Context(), o.PaymentIntentID) },
		"cancel":               func() (payment.Intent, error) { return client.Cancel(t.Context(), o, 0) },
	} {
		if intent, err := call(); err != nil || intent.ID == "" {
			t.Errorf("%s: got %+v, %v", name, intent, err)
		}
	}
	if id, err := client.Refund(t.Context(), o, 0); err != nil || id == "" {
		t.Errorf("refund: got %q, %v", id, err)
	}
}
