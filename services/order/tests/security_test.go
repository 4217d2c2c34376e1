package tests

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/stripe/stripe-go/v86/webhook"

	"github.com/cloudcommerce/order/internal/stripedouble"
	"github.com/cloudcommerce/order/internal/testkit"
)

func TestSecurity(t *testing.T) {
	shop := testkit.NewShop(t, nil)
	product := shop.NewProduct(1000)
	owner, stranger, support := shop.NewCustomer(), shop.NewCustomer(), shop.NewCustomer("support")
	order := owner.Buy(product, "")
	path := "/api/v1/orders/" + order.ID

	t.Run("other people's orders do not exist", func(t *testing.T) {
		for _, request := range [][2]string{{"GET", ""}, {"POST", "/cancel"}, {"GET", "/events"}} {
			stranger.Must(http.StatusNotFound, request[0], path+request[1], nil)
		}
		stranger.Must(http.StatusNotFound, "GET", "/api/v1/orders/"+uuid.Must(uuid.NewV7()).String(), nil)
		shown := support.Must(http.StatusOK, "GET", path, nil).Order(t)
		if shown.PaymentClientSecret != "" {
			t.Error("support sees the means to pay")
		}
	})

	t.Run("customers can't refund or fulfill", func(t *testing.T) {
		owner.Must(http.StatusForbidden, "POST", path+"/refund", nil)
		owner.Must(http.StatusForbidden, "POST", path+"/fulfill", nil)
	})

	t.Run("tokens", func(t *testing.T) {
		change := func(key string, value any) string {
			claims := testkit.Claims(owner.UserID)
			claims[key] = value
			return shop.Issuer.Sign(t, claims)
		}
		sign := func(method jwt.SigningMethod, key any, kind string) string {
			token := jwt.NewWithClaims(method, testkit.Claims(owner.UserID))
			token.Header["kid"], token.Header["typ"] = shop.Issuer.KeyID, kind
			signed, err := token.SignedString(key)
			if err != nil {
				t.Fatal(err)
			}
			return signed
		}
		public, err := shop.Issuer.Key.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		other := testkit.NewIssuer(t)
		good := strings.Split(owner.Token, ".")
		for name, token := range map[string]string{
			"no token":         "",
			"alg none":         sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "at+jwt"),
			"key confusion":    sign(jwt.SigningMethodHS256, public, "at+jwt"),
			"another type":     sign(jwt.SigningMethodES256, shop.Issuer.Key, "JWT"),
			"another key":      other.Token(t, owner.UserID),
			"expired":          change("exp", time.Now().Add(-time.Minute).Unix()),
			"no expiry":        change("exp", nil),
			"not yet":          change("nbf", time.Now().Add(time.Minute).Unix()),
			"another issuer":   change("iss", "https://evil.example"),
			"another audience": change("aud", "other"),
			"no subject":       change("sub", ""),
			"no session":       change("sid", nil),
			"another session":  change("sid", uuid.NewString()),
			"changed claims":   good[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"x","roles":["admin"]}`)) + "." + good[2],
		} {
			thief := *owner
			thief.Token = token
			if answer, err := thief.Do("GET", path, nil); err != nil || answer.Status != http.StatusUnauthorized {
				t.Errorf("%s: got %d, %v", name, answer.Status, err)
			}
		}
		skewed := *owner
		skewed.Token = change("exp", time.Now().Add(-10*time.Second).Unix())
		skewed.Must(http.StatusOK, "GET", path, nil)
	})

	t.Run("hostile bodies", func(t *testing.T) {
		line := func(id string, quantity any) string {
			return fmt.Sprintf(`{"contact_email":"a@example.com","items":[{"product_id":%q,"quantity":%v}]}`, id, quantity)
		}
		for name, test := range map[string]struct {
			status int
			body   string
		}{
			"not JSON":            {400, `{`},
			"two values":          {400, line(product, 1) + `{}`},
			"deeply nested":       {400, strings.Repeat("[", 60000)},
			"mass assignment":     {422, `{"contact_email":"a@example.com","state":"paid","total_minor":1}`},
			"wrong type":          {422, line(product, `"1"`)},
			"no pieces":           {422, line(product, 0)},
			"negative":            {422, line(product, -1)},
			"too many pieces":     {422, line(product, 1000)},
			"SQL":                 {422, line(`' or 1=1 --`, 1)},
			"header in address":   {422, `{"contact_email":"a@example.com\r\nBcc: b@example.com"}`},
			"empty cart":          {422, `{"contact_email":"a@example.com"}`},
			"bad payment method":  {422, `{"contact_email":"a@example.com","payment_method":"../x"}`},
			"oversize":            {413, `{"contact_email":"` + strings.Repeat("a", 70_000) + `"}`},
			"the same line twice": {422, fmt.Sprintf(`{"contact_email":"a@example.com","items":[{"product_id":%[1]q,"quantity":1},{"product_id":%[1]q,"quantity":1}]}`, product)},
		} {
			answer, err := owner.Do("POST", "/api/v1/orders", test.body, "Idempotency-Key", uuid.NewString())
			if err != nil || answer.Status != test.status {
				t.Errorf("%s: got %d %s, %v; want %d", name, answer.Status, answer.Body, err, test.status)
			}
		}
		owner.Must(http.StatusUnsupportedMediaType, "POST", "/api/v1/orders", "a=b", "Content-Type", "text/plain", "Idempotency-Key", "k")
		owner.Must(http.StatusUnprocessableEntity, "POST", "/api/v1/orders", testkit.OrderBody(product, 1, ""))
		owner.Must(http.StatusUnprocessableEntity, "GET", "/api/v1/orders?cursor='", nil)
		owner.Must(http.StatusUnprocessableEntity, "GET", "/api/v1/orders?limit=101", nil)
	})

	t.Run("webhooks", func(t *testing.T) {
		intent, _, _ := strings.Cut(order.PaymentClientSecret, "_secret")
		payload := fmt.Appendf(nil, `{"id":"evt_forged","object":"event","type":"payment_intent.succeeded","data":{"object":
			{"id":%q,"object":"payment_intent","status":"succeeded","metadata":{"order_id":%q}}}}`, intent, order.ID)
		post := func(header string) int {
			request, err := http.NewRequest("POST", shop.Service.URL()+"/api/v1/payment/stripe/webhook", bytes.NewReader(payload))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Stripe-Signature", header)
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			return response.StatusCode
		}
		signed := func(secret string, at time.Time) string {
			return webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: payload, Secret: secret, Timestamp: at}).Header
		}
		for name, header := range map[string]string{
			"unsigned": "", "nonsense": "t=1,v1=00", "another secret": signed("whsec_other", time.Now()),
			"old": signed(testkit.WebhookSecret, time.Now().Add(-10*time.Minute)),
		} {
			if status := post(header); status != http.StatusBadRequest {
				t.Errorf("%s: got %d", name, status)
			}
		}
		// Even a signed lie does not pay an order: the service asks Stripe.
		for range 3 {
			if status := post(signed(testkit.WebhookSecret, time.Now())); status != http.StatusOK {
				t.Errorf("got %d", status)
			}
		}
		time.Sleep(300 * time.Millisecond)
		if state := owner.Must(http.StatusOK, "GET", path, nil).Order(t).State; state != "reserved" {
			t.Errorf("the order is %s", state)
		}
	})

	t.Run("a token ends with its session, unless Redis is away", func(t *testing.T) {
		leaver := shop.NewCustomer()
		leaver.Must(http.StatusOK, "GET", "/api/v1/orders", nil)
		leaver.LogOut()
		leaver.Must(http.StatusUnauthorized, "GET", "/api/v1/orders", nil)
		leaver.Must(http.StatusUnauthorized, "POST", "/api/v1/orders", testkit.OrderBody(product, 1, ""), "Idempotency-Key", "k")
		shop.Redis.Cut()
		began := time.Now()
		leaver.Must(http.StatusOK, "GET", "/api/v1/orders", nil)
		if took := time.Since(began); took > time.Second {
			t.Errorf("without Redis a request takes %v", took)
		}
		shop.Redis.Restore(t)
		shop.Service.WaitReady()
	})

	t.Run("nothing listens but where it was told to", func(t *testing.T) {
		// All of 127/8 is this machine, so that a program on all addresses would answer here.
		for _, program := range []*testkit.Program{shop.Service, shop.Worker} {
			elsewhere := strings.Replace(program.URL(), "127.0.0.1", "127.0.0.2", 1)
			if response, err := http.Get(elsewhere + "/healthz"); err == nil {
				_ = response.Body.Close()
				t.Errorf("%s answers", elsewhere)
			}
		}
	})

	t.Run("logs name nobody and no secret", func(t *testing.T) {
		owner.Buy(product, stripedouble.Visa)
		for _, secret := range []string{"customer@example.com", owner.Token, testkit.StripeKey, testkit.InternalToken, testkit.WebhookSecret, "_secret_"} {
			if strings.Contains(shop.Service.Log(), secret) || strings.Contains(shop.Worker.Log(), secret) {
				t.Errorf("a log has %q", secret)
			}
		}
	})
}
