// Package payment takes and returns money through Stripe.
//
// No charge happens twice: an intent is first created without being confirmed, its identifier is then written
// down, and only that one intent is ever confirmed. Stripe refuses to confirm an intent that was paid, so this
// holds even for retries that come after Stripe has forgotten an idempotency key (24 hours).
package payment

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/stripe/stripe-go/v86"

	"github.com/cloudcommerce/order/internal/order"
)

// ErrDeclined says that the customer's bank, or Stripe, refuses this payment for good.
var ErrDeclined = errors.New("payment declined")

// Status is how far an intent got, as far as an order cares.
type Status int

// Statuses of an intent.
const (
	Open       Status = iota // waits for the customer
	Processing               // neither paid nor to be stopped
	Succeeded
	Canceled
)

// Intent is one payment of one order.
type Intent struct {
	ID           string
	ClientSecret string
	Status       Status
	Refunded     bool // wholly
}

// MetadataOrderID is where an intent names its order.
const MetadataOrderID = "order_id"

// MaxAmount is the largest amount, in minor units, that Stripe charges:
// https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
const MaxAmount = 99_999_999

// Client speaks to Stripe.
type Client struct {
	stripe *stripe.Client
}

// NewClient takes the secret key, the API's base URL and the HTTP client. Stripe's library does the retries.
func NewClient(key, base string, client *http.Client) *Client {
	backends := stripe.NewBackendsWithConfig(&stripe.BackendConfig{
		HTTPClient:        client,
		URL:               stripe.String(strings.TrimSuffix(base, "/")),
		MaxNetworkRetries: stripe.Int64(2),
		EnableTelemetry:   stripe.Bool(false),
		LeveledLogger:     quiet{},
	})
	return &Client{stripe.NewClient(key, stripe.WithBackends(backends))}
}

// Create makes the order's intent, to be confirmed by Confirm when the order has a payment method, or by the
// customer's browser with the client secret when it has none.
func (c *Client) Create(ctx context.Context, o order.Order, attempt int) (Intent, error) {
	return c.idempotent(o.ID, "create_payment", attempt, func(params stripe.Params) (*stripe.PaymentIntent, error) {
		automatic := &stripe.PaymentIntentCreateAutomaticPaymentMethodsParams{Enabled: stripe.Bool(true)}
		create := &stripe.PaymentIntentCreateParams{
			Params: params, Amount: stripe.Int64(o.TotalMinor), Currency: stripe.String(strings.ToLower(o.Currency)),
			AutomaticPaymentMethods: automatic, Metadata: map[string]string{MetadataOrderID: o.ID.String()},
		}
		if o.PaymentMethod != "" {
			// There is no page for a redirect to come back to when the server confirms.
			automatic.AllowRedirects = stripe.String("never")
			create.PaymentMethod = stripe.String(o.PaymentMethod)
		}
		return c.stripe.V1PaymentIntents.Create(ctx, create)
	})
}

// Confirm charges the order's payment method, once; ErrDeclined when that is refused.
func (c *Client) Confirm(ctx context.Context, o order.Order, attempt int) (Intent, error) {
	intent, err := c.idempotent(o.ID, "confirm_payment", attempt, func(params stripe.Params) (*stripe.PaymentIntent, error) {
		return c.stripe.V1PaymentIntents.Confirm(ctx, o.PaymentIntentID, &stripe.PaymentIntentConfirmParams{Params: params})
	})
	if hasCode(err, stripe.ErrorCodePaymentIntentUnexpectedState) {
		return c.Retrieve(ctx, o.PaymentIntentID)
	}
	return intent, err
}

// Retrieve asks how an intent stands.
func (c *Client) Retrieve(ctx context.Context, id string) (Intent, error) {
	params := &stripe.PaymentIntentRetrieveParams{}
	params.AddExpand("latest_charge")
	intent, err := c.stripe.V1PaymentIntents.Retrieve(ctx, id, params)
	if err != nil {
		return Intent{}, err
	}
	return intentOf(intent), nil
}

// Cancel makes sure that the order's intent is never charged, or tells that this is too late.
func (c *Client) Cancel(ctx context.Context, o order.Order, attempt int) (Intent, error) {
	intent, err := c.idempotent(o.ID, "cancel_payment", attempt, func(params stripe.Params) (*stripe.PaymentIntent, error) {
		return c.stripe.V1PaymentIntents.Cancel(ctx, o.PaymentIntentID, &stripe.PaymentIntentCancelParams{Params: params})
	})
	if hasCode(err, stripe.ErrorCodePaymentIntentUnexpectedState) {
		return c.Retrieve(ctx, o.PaymentIntentID)
	}
	return intent, err
}

// Refund returns all the money and the refund's identifier. Stripe never returns more than it took, so a
// refund that was made before is a success without an identifier.
func (c *Client) Refund(ctx context.Context, o order.Order, attempt int) (string, error) {
	var id string
	_, err := c.idempotent(o.ID, "refund_payment", attempt, func(params stripe.Params) (*stripe.PaymentIntent, error) {
		refund, err := c.stripe.V1Refunds.Create(ctx, &stripe.RefundCreateParams{
			Params: params, PaymentIntent: stripe.String(o.PaymentIntentID),
			Metadata: map[string]string{MetadataOrderID: o.ID.String()},
		})
		if err == nil {
			id = refund.ID
		}
		return nil, err
	})
	if hasCode(err, stripe.ErrorCodeChargeAlreadyRefunded) {
		return "", nil
	}
	return id, err
}

// idempotent makes a call under the key of an order's step. Stripe replays a stored answer even when that was
// its own failure; then, and only then, another key is used, which is safe because of what each call checks.
func (c *Client) idempotent(
	id uuid.UUID, step string, attempt int, call func(stripe.Params) (*stripe.PaymentIntent, error),
) (Intent, error) {
	key := "order-" + id.String() + "-" + step
	intent, err := call(stripe.Params{IdempotencyKey: &key})
	if isReplayedFailure(err) {
		key += "-" + strconv.Itoa(attempt)
		intent, err = call(stripe.Params{IdempotencyKey: &key})
	}
	var refused *stripe.Error
	if errors.As(err, &refused) && refused.Type == stripe.ErrorTypeCard {
		return Intent{}, ErrDeclined
	}
	if err != nil || intent == nil {
		return Intent{}, err
	}
	return intentOf(intent), nil
}

func isReplayedFailure(err error) bool {
	var failure *stripe.Error
	return errors.As(err, &failure) && failure.HTTPStatusCode >= http.StatusInternalServerError &&
		failure.LastResponse != nil && failure.LastResponse.Header.Get("Idempotent-Replayed") == "true"
}

// IsRefused reports whether Stripe will answer the same to the same request, however often it is sent.
func IsRefused(err error) bool {
	var failure *stripe.Error
	return errors.As(err, &failure) && failure.Type == stripe.ErrorTypeInvalidRequest &&
		failure.HTTPStatusCode == http.StatusBadRequest
}

func hasCode(err error, code stripe.ErrorCode) bool {
	var failure *stripe.Error
	return errors.As(err, &failure) && failure.Code == code
}

func intentOf(intent *stripe.PaymentIntent) Intent {
	result := Intent{ID: intent.ID, ClientSecret: intent.ClientSecret}
	switch intent.Status {
	case stripe.PaymentIntentStatusSucceeded:
		result.Status = Succeeded
	case stripe.PaymentIntentStatusCanceled:
		result.Status = Canceled
	case stripe.PaymentIntentStatusProcessing:
		result.Status = Processing
	default:
		result.Status = Open
	}
	result.Refunded = intent.LatestCharge != nil && intent.LatestCharge.Refunded
	return result
}

// quiet keeps the library from writing request details to standard error.
type quiet struct{}

func (quiet) Debugf(string, ...any) {}
func (quiet) Infof(string, ...any)  {}
func (quiet) Warnf(string, ...any)  {}
func (quiet) Errorf(format string, _ ...any) {
	slog.Debug("stripe client", "format", format)
}
