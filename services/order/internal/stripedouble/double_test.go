package stripedouble_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/cloudcommerce/order/internal/stripedouble"
)

// The shop keeps intents' names for good; two orders under one name would get each other's money.
func TestADoubleThatStartsAgainReusesNoName(t *testing.T) {
	names := map[string]bool{}
	for range 2 {
		double := stripedouble.New(stripedouble.Settings{APIKey: "sk_test_key", WebhookSecret: "whsec"})
		for _, order := range []string{"a", "b"} {
			form := url.Values{"amount": {"100"}, "currency": {"usd"}, "metadata[order_id]": {order}}
			request := httptest.NewRequest(http.MethodPost, "/v1/payment_intents", strings.NewReader(form.Encode()))
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			request.Header.Set("Authorization", "Bearer sk_test_key")
			request.Header.Set("Idempotency-Key", order)
			answer := httptest.NewRecorder()
			double.ServeHTTP(answer, request)
			var intent struct{ ID string }
			if err := json.Unmarshal(answer.Body.Bytes(), &intent); err != nil || intent.ID == "" {
				t.Fatalf("%d %s: %v", answer.Code, answer.Body, err)
			}
			if names[intent.ID] {
				t.Errorf("%s names a second intent", intent.ID)
			}
			names[intent.ID] = true
		}
	}
}
