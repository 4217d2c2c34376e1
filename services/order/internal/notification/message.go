// Package notification tells customers by e-mail what became of their orders.
package notification

import (
	"fmt"

	"github.com/cloudcommerce/order/internal/events"
)

// Message is one e-mail. Its key is the event's identifier: a provider that sees it twice sends it once.
type Message struct {
	Key     string `json:"key"`
	To      string `json:"to"`
	Type    string `json:"type"`
	OrderID string `json:"order_id"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
}

var subjects = map[string]string{
	"order.created":   "We have received your order",
	"order.paid":      "Your payment has arrived",
	"order.fulfilled": "Your order is on its way",
	"order.cancelled": "Your order is cancelled",
	"order.refunded":  "Your money is on its way back",
	"order.failed":    "Your order could not be completed",
}

// Known reports whether customers are told of events of this type.
func Known(kind string) bool { return subjects[kind] != "" }

// Compose writes the e-mail about an event.
func Compose(event events.CloudEvent, to string) Message {
	text := fmt.Sprintf("%s.\n\nOrder: %s\n", subjects[event.Type], event.Data.OrderID)
	if event.Data.TotalMinor > 0 {
		text += fmt.Sprintf("Total: %s\n", amount(event.Data.TotalMinor, event.Data.Currency))
	}
	return Message{
		Key: event.ID.String(), To: to, Type: event.Type, OrderID: event.Data.OrderID.String(),
		Subject: subjects[event.Type], Text: text,
	}
}
