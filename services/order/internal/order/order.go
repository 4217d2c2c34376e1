package order

import (
	"time"

	"github.com/google/uuid"
)

// Reasons why an order failed or money went back.
const (
	ReasonInsufficientStock = "insufficient_stock"
	ReasonNotPayable        = "not_payable"
	ReasonStockUnavailable  = "stock_unavailable"
	ReasonPaymentDeclined   = "payment_declined"
	ReasonPaymentTimeout    = "payment_timeout"
	ReasonStockExpired      = "stock_expired"
	ReasonCustomerRequest   = "customer_request"
	ReasonSupportRefund     = "support_refund"
	ReasonLatePayment       = "late_payment"
	ReasonExternalRefund    = "external_refund"
)

// Item is one line of an order. Name and price are known once the stock is reserved.
type Item struct {
	ProductID      string `json:"product_id"`
	Quantity       int    `json:"quantity"`
	Name           string `json:"name,omitempty"`
	UnitPriceMinor int64  `json:"unit_price_minor,omitempty"`
}

// Change is one entry of an order's history; its version is the number of the change, from 1.
type Change struct {
	Version int       `json:"version"`
	State   State     `json:"state"`
	At      time.Time `json:"at"`
	Reason  string    `json:"reason,omitempty"`
}

// Order is what the customer bought and how far it got. Amounts are integers of the currency's minor unit.
type Order struct {
	ID              uuid.UUID
	CreatedAt       time.Time
	UserID          string
	State           State
	Version         int
	Items           []Item
	TotalMinor      int64
	Currency        string
	ContactEmail    string
	PaymentMethod   string
	PaymentIntentID string
	ClientSecret    string
	RefundID        string
	ReservedUntil   time.Time
	Reason          string
	Timeline        []Change
	UpdatedAt       time.Time
}

// New makes a pending order whose creation time is the one inside its identifier, so that the identifier
// alone names the partition that holds it.
func New(userID string, items []Item, contactEmail, paymentMethod string) (Order, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Order{}, err
	}
	at := CreatedAt(id)
	return Order{
		ID: id, CreatedAt: at, UpdatedAt: at, UserID: userID, State: Pending, Version: 1, Items: items,
		ContactEmail: contactEmail, PaymentMethod: paymentMethod,
		Timeline: []Change{{Version: 1, State: Pending, At: at}},
	}, nil
}

// CreatedAt reads the time of creation, in whole milliseconds, from a UUIDv7 (RFC 9562, section 5.7).
func CreatedAt(id uuid.UUID) time.Time {
	var milliseconds int64
	for _, octet := range id[:6] {
		milliseconds = milliseconds<<8 | int64(octet)
	}
	return time.UnixMilli(milliseconds).UTC()
}

// ParseID reads an order's identifier; anything but a UUIDv7 in its canonical form is none.
func ParseID(text string) (uuid.UUID, bool) {
	id, err := uuid.Parse(text)
	if err != nil || id.Version() != 7 || id.String() != text {
		return uuid.Nil, false
	}
	return id, true
}

// MoveTo changes the state and writes the change into the timeline. Whether the move is allowed is decided
// by the store, where the state is.
func (o *Order) MoveTo(state State, reason string, at time.Time) {
	o.State, o.Reason = state, reason
	o.Version++
	o.UpdatedAt = at.UTC().Truncate(time.Millisecond)
	o.Timeline = append(o.Timeline, Change{Version: o.Version, State: state, At: o.UpdatedAt, Reason: reason})
}
