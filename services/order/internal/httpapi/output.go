package httpapi

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/cloudcommerce/order/internal/order"
	"github.com/cloudcommerce/order/internal/problem"
)

type orderView struct {
	ID                  string         `json:"id"`
	UserID              string         `json:"user_id"`
	State               order.State    `json:"state"`
	Version             int            `json:"version"`
	Items               []order.Item   `json:"items"`
	TotalMinor          int64          `json:"total_minor"`
	Currency            string         `json:"currency,omitempty"`
	ContactEmail        string         `json:"contact_email"`
	Reason              string         `json:"reason,omitempty"`
	PaymentClientSecret string         `json:"payment_client_secret,omitempty"`
	ReservedUntil       *time.Time     `json:"reserved_until,omitempty"`
	Timeline            []order.Change `json:"timeline"`
	CreatedAt           time.Time      `json:"created_at"`
	UpdatedAt           time.Time      `json:"updated_at"`
}

// view shows an order to its owner, or to staff, who have no use for the means to pay.
func view(o order.Order, owner bool) orderView {
	v := orderView{
		ID: o.ID.String(), UserID: o.UserID, State: o.State, Version: o.Version, Items: o.Items,
		TotalMinor: o.TotalMinor, Currency: o.Currency, ContactEmail: o.ContactEmail, Reason: o.Reason,
		Timeline: o.Timeline, CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt,
	}
	if !o.ReservedUntil.IsZero() {
		v.ReservedUntil = &o.ReservedUntil
	}
	if owner && o.PaymentMethod == "" {
		v.PaymentClientSecret = o.ClientSecret
	}
	return v
}

// answerOf is what the request that created an order is told: the order, or why there is none to wait for.
func answerOf(c *gin.Context, o order.Order) (int, any) {
	refused := func(status int, slug, detail string) (int, any) {
		p := problem.New(status, slug, detail).Complete(c)
		p.OrderID = o.ID.String()
		return status, p
	}
	if o.State != order.Failed {
		return http.StatusCreated, view(o, true)
	}
	switch o.Reason {
	case order.ReasonInsufficientStock:
		return refused(http.StatusConflict, "insufficient-stock", "There is not enough of a product in stock.")
	case order.ReasonPaymentDeclined:
		return refused(http.StatusPaymentRequired, "payment-declined", "The payment was declined. Nothing was charged.")
	case order.ReasonNotPayable:
		return refused(http.StatusConflict, "not-orderable", "A product can't be ordered, or the total can't be charged.")
	default:
		return http.StatusCreated, view(o, true)
	}
}
