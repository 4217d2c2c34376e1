// Package stripedouble plays the part of Stripe that the shop uses, with a memory: intents, refunds, idempotency
// keys, signed webhooks, a ledger of all money that moved, and faults on demand.
package stripedouble

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Entry is money that moved: a charge, or a refund.
type Entry struct {
	Kind            string `json:"kind"`
	PaymentIntentID string `json:"payment_intent_id"`
	OrderID         string `json:"order_id"`
	Amount          int64  `json:"amount"`
	Currency        string `json:"currency"`
}

// Faults are what goes wrong, each with a probability from 0 to 1.
type Faults struct {
	ErrorRate        float64       `json:"error_rate"`         // answers 500 before it does anything
	StoredErrorRate  float64       `json:"stored_error_rate"`  // answers 500 and keeps that answer for the idempotency key
	LostAnswerRate   float64       `json:"lost_answer_rate"`   // does what it was told, then drops the connection
	WebhookLossRate  float64       `json:"webhook_loss_rate"`  // never sends the webhook
	WebhookTwiceRate float64       `json:"webhook_twice_rate"` // sends it twice
	Latency          time.Duration `json:"latency"`            // of every call, in nanoseconds
	WebhookDelay     time.Duration `json:"webhook_delay"`      // the most that a webhook waits; later ones overtake it
}

// Settings say who may call and where webhooks go; without a URL none are sent.
type Settings struct {
	APIKey        string
	WebhookURL    string
	WebhookSecret string
}

type intent struct {
	id, status, currency, orderID, method, secret string
	amount, refunded                              int64
}

type storedAnswer struct {
	request string
	status  int
	body    []byte
}

// Double is one Stripe account.
type Double struct {
	settings Settings
	client   *http.Client
	sending  sync.WaitGroup

	mutex   sync.Mutex
	faults  Faults
	intents map[string]*intent
	keys    map[string]*storedAnswer
	ledger  []Entry
	account string
	serial  int
}

// New opens an empty account.
func New(settings Settings) *Double {
	return &Double{
		settings: settings, client: &http.Client{Timeout: 5 * time.Second},
		intents: map[string]*intent{}, keys: map[string]*storedAnswer{},
		// A double that starts again has forgotten everything, and must not give a name a second time.
		account: fmt.Sprintf("%08x", rand.Uint32()),
	}
}

// Ledger is all money that moved, in order.
func (d *Double) Ledger() []Entry {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return append([]Entry(nil), d.ledger...)
}

// SetFaults replaces what goes wrong.
func (d *Double) SetFaults(faults Faults) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.faults = faults
}

// SetWebhookURL says where webhooks go from now on.
func (d *Double) SetWebhookURL(target string) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.settings.WebhookURL = target
}

// Pay is what the customer's browser does with an intent: it pays. It reports whether that was possible.
func (d *Double) Pay(id string) bool {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	i, ok := d.intents[id]
	if !ok || i.status == "succeeded" || i.status == "canceled" {
		return false
	}
	d.charge(i)
	return true
}

// Refund is what a person does in Stripe's dashboard. It reports whether that was possible.
func (d *Double) Refund(id string) bool {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	status, _ := d.refund(url.Values{"payment_intent": {id}})
	return status == http.StatusOK
}

// ForgetKeys is what Stripe does after a day.
func (d *Double) ForgetKeys() {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.keys = map[string]*storedAnswer{}
}

// ServeHTTP answers the API under /v1, and under /double what tests and demonstrations need.
func (d *Double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	if strings.HasPrefix(r.URL.Path, "/double/") {
		d.control(w, r, body)
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+d.settings.APIKey {
		send(w, http.StatusUnauthorized, failure("invalid_request_error", "", "Invalid API Key provided"))
		return
	}
	d.mutex.Lock()
	faults := d.faults
	d.mutex.Unlock()
	time.Sleep(faults.Latency)
	if chance(faults.ErrorRate) {
		send(w, http.StatusInternalServerError, failure("api_error", "", "made up"))
		return
	}
	form, _ := url.ParseQuery(string(body))
	status, answer := d.once(w, r, form, string(body), faults)
	if chance(faults.LostAnswerRate) {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}

// once does what a request says, or repeats what it answered to the same idempotency key.
func (d *Double) once(w http.ResponseWriter, r *http.Request, form url.Values, body string, faults Faults) (int, []byte) {
	key := r.Header.Get("Idempotency-Key")
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if r.Method != http.MethodPost || key == "" {
		status, answer := d.act(r, form)
		return status, encode(answer)
	}
	request := r.URL.Path + "?" + body
	if stored, ok := d.keys[key]; ok {
		if stored.request != request {
			return http.StatusBadRequest, encode(failure("idempotency_error", "", "Keys for idempotent requests can only be used with the same parameters they were first used with."))
		}
		w.Header().Set("Idempotent-Replayed", "true")
		return stored.status, stored.body
	}
	var status int
	var answer any
	if chance(faults.StoredErrorRate) {
		status, answer = http.StatusInternalServerError, failure("api_error", "", "made up, and kept")
	} else {
		status, answer = d.act(r, form)
	}
	d.keys[key] = &storedAnswer{request: request, status: status, body: encode(answer)}
	return status, d.keys[key].body
}

func (d *Double) act(r *http.Request, form url.Values) (int, any) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	route := r.Method + " " + strings.Join(parts[:min(2, len(parts))], "/")
	switch {
	case route == "POST v1/payment_intents" && len(parts) == 2:
		return d.create(form)
	case route == "POST v1/refunds" && len(parts) == 2:
		return d.refund(form)
	case strings.HasSuffix(route, "v1/payment_intents") && len(parts) >= 3:
		i, ok := d.intents[parts[2]]
		if !ok {
			return http.StatusNotFound, failure("invalid_request_error", "resource_missing", "No such payment_intent")
		}
		switch verb := strings.Join(parts[3:], "/"); {
		case r.Method == http.MethodGet && verb == "":
			return http.StatusOK, d.show(i)
		case r.Method == http.MethodPost && verb == "confirm":
			return d.confirm(i)
		case r.Method == http.MethodPost && verb == "cancel":
			return d.cancel(i)
		}
	}
	return http.StatusNotFound, failure("invalid_request_error", "", "Unrecognized request URL")
}

func (d *Double) nextID(prefix string) string {
	d.serial++
	return fmt.Sprintf("%s_double%s%08d", prefix, d.account, d.serial)
}

// control is not Stripe's: GET /double/ledger, PUT /double/faults, POST /double/payment_intents/{id}/pay.
func (d *Double) control(w http.ResponseWriter, r *http.Request, body []byte) {
	path := strings.TrimPrefix(r.URL.Path, "/double/")
	id, paying := strings.CutSuffix(strings.TrimPrefix(path, "payment_intents/"), "/pay")
	switch {
	case r.Method == http.MethodGet && path == "ledger":
		send(w, http.StatusOK, d.Ledger())
	case r.Method == http.MethodPut && path == "faults":
		var faults Faults
		if err := json.Unmarshal(body, &faults); err != nil {
			send(w, http.StatusBadRequest, failure("invalid_request_error", "", err.Error()))
			return
		}
		d.SetFaults(faults)
		send(w, http.StatusOK, faults)
	case r.Method == http.MethodPost && paying:
		if !d.Pay(id) {
			send(w, http.StatusConflict, failure("invalid_request_error", "payment_intent_unexpected_state", "This intent can't be paid."))
			return
		}
		send(w, http.StatusOK, map[string]bool{"paid": true})
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func send(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encode(answer))
}

func encode(answer any) []byte {
	var buffer bytes.Buffer
	if err := json.NewEncoder(&buffer).Encode(answer); err != nil {
		panic(err)
	}
	return buffer.Bytes()
}

func failure(kind, code, message string) any {
	return map[string]any{"error": map[string]any{"type": kind, "code": code, "message": message}}
}

func chance(rate float64) bool { return rate > 0 && rand.Float64() < rate }
