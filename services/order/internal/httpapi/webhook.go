package httpapi

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/stripe/stripe-go/v86"
	"github.com/stripe/stripe-go/v86/webhook"

	"github.com/cloudcommerce/order/internal/order"
	"github.com/cloudcommerce/order/internal/payment"
	"github.com/cloudcommerce/order/internal/problem"
	"github.com/cloudcommerce/order/internal/saga"
	"github.com/cloudcommerce/order/internal/store"
)

// stripeWebhook takes an event as a hint that Stripe knows something new about an order's payment. What that
// is, the saga asks Stripe itself; so the order of events, repetitions and old contents do no harm.
func (s *Server) stripeWebhook(c *gin.Context) {
	payload, err := io.ReadAll(c.Request.Body)
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			problem.Send(c, tooLarge(large.Limit))
			return
		}
		problem.Send(c, problem.New(http.StatusBadRequest, "malformed", "The body can't be read."))
		return
	}
	event, err := webhook.ConstructEventWithOptions(payload, c.GetHeader("Stripe-Signature"), s.WebhookSecret,
		webhook.ConstructEventOptions{Tolerance: webhook.DefaultTolerance, IgnoreAPIVersionMismatch: true})
	if err != nil {
		slog.WarnContext(c.Request.Context(), "webhook refused", "reason", err.Error())
		problem.Send(c, problem.New(http.StatusBadRequest, "bad-signature", "The signature or its time is not valid."))
		return
	}
	fresh, err := s.takeEvent(c, event)
	if err != nil {
		fail(c, "can't take in a webhook", err)
		return
	}
	c.JSON(http.StatusOK, gin.H{"received": true, "duplicate": !fresh})
}

func (s *Server) takeEvent(c *gin.Context, event stripe.Event) (bool, error) {
	var object struct {
		ID            string            `json:"id"`
		Object        string            `json:"object"`
		PaymentIntent string            `json:"payment_intent"`
		Metadata      map[string]string `json:"metadata"`
	}
	if event.Data != nil {
		if err := json.Unmarshal(event.Data.Raw, &object); err != nil {
			slog.InfoContext(c.Request.Context(), "a webhook about something else", "type", event.Type)
		}
	}
	taken := store.StripeEvent{ID: event.ID, Kind: string(event.Type), IntentID: object.PaymentIntent}
	if object.Object == "payment_intent" {
		taken.IntentID = object.ID
	}
	if id, ok := order.ParseID(object.Metadata[payment.MetadataOrderID]); ok {
		taken.OrderID = id
		taken.Step, taken.In = reaction(string(event.Type))
	}
	return s.Store.TakeStripeEvent(c.Request.Context(), taken)
}

// reaction is the step that an event calls for, and the states in which it calls for one. The rest of the time
// it tells what the saga already knows.
func reaction(kind string) (string, []order.State) {
	switch {
	case kind == "payment_intent.succeeded":
		return string(saga.SettlePayment), []order.State{order.Reserved, order.Cancelled, order.Failed}
	case strings.HasPrefix(kind, "payment_intent."):
		return string(saga.SettlePayment), []order.State{order.Reserved}
	case strings.HasPrefix(kind, "refund."), strings.HasPrefix(kind, "charge.refund"):
		return string(saga.SettleRefund), []order.State{order.Paid, order.Fulfilled}
	default:
		return "", nil
	}
}
