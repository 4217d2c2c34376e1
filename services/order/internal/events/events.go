// Package events describes orders' changes as CloudEvents 1.0, and the exchange and queues they travel by.
package events

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/cloudcommerce/order/internal/order"
)

// Destinations of the outbox.
const (
	Broker = "broker" // RabbitMQ, for other services and the notification worker
	Live   = "live"   // Redis, for clients that watch an order
)

// ContentType is CloudEvents' structured JSON mode.
const ContentType = "application/cloudevents+json"

// announced are the states that leave the service; a reservation is nobody else's business.
var announced = map[order.State]string{
	order.Pending:   "order.created",
	order.Paid:      "order.paid",
	order.Fulfilled: "order.fulfilled",
	order.Cancelled: "order.cancelled",
	order.Refunded:  "order.refunded",
	order.Failed:    "order.failed",
}

// CloudEvent is the envelope; see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md.
type CloudEvent struct {
	SpecVersion     string    `json:"specversion"`
	ID              uuid.UUID `json:"id"`
	Source          string    `json:"source"`
	Type            string    `json:"type"`
	Subject         string    `json:"subject"`
	Time            time.Time `json:"time"`
	DataContentType string    `json:"datacontenttype"`
	Data            Data      `json:"data"`
}

// Data is what happened. It names the customer by identifier only: whoever needs the address asks for it.
type Data struct {
	OrderID    uuid.UUID   `json:"order_id"`
	UserID     string      `json:"user_id"`
	State      order.State `json:"state"`
	Version    int         `json:"version"`
	TotalMinor int64       `json:"total_minor"`
	Currency   string      `json:"currency,omitempty"`
	Reason     string      `json:"reason,omitempty"`
}

// Outgoing is one entry of the outbox.
type Outgoing struct {
	ID          uuid.UUID
	Destination string
	RoutingKey  string
	Payload     []byte
}

// Of tells what has to be sent after the order's latest change.
func Of(o order.Order) ([]Outgoing, error) {
	live, err := json.Marshal(o.Timeline[len(o.Timeline)-1])
	if err != nil {
		return nil, err
	}
	liveID, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	outgoing := []Outgoing{{ID: liveID, Destination: Live, RoutingKey: "order." + string(o.State), Payload: live}}
	routingKey, ok := announced[o.State]
	if !ok {
		return outgoing, nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	payload, err := json.Marshal(CloudEvent{
		SpecVersion: "1.0", ID: id, Source: "/services/order", Type: routingKey, Subject: o.ID.String(),
		Time: o.UpdatedAt, DataContentType: "application/json",
		Data: Data{o.ID, o.UserID, o.State, o.Version, o.TotalMinor, o.Currency, o.Reason},
	})
	if err != nil {
		return nil, err
	}
	return append(outgoing, Outgoing{ID: id, Destination: Broker, RoutingKey: routingKey, Payload: payload}), nil
}
