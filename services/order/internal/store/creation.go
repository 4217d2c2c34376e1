package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/cloudcommerce/order/internal/events"
	"github.com/cloudcommerce/order/internal/order"
)

// Creation is a new order with the key that its customer gave it.
type Creation struct {
	Order       order.Order
	Key         string
	RequestHash []byte
	FirstStep   string
	Token       uuid.UUID
	Lease       time.Duration
	Traceparent string
}

// Attempt is what is known about an idempotency key.
type Attempt struct {
	RequestHash []byte
	OrderID     uuid.UUID
	Status      int // 0 while there is no answer yet
	Body        []byte
}

// Create writes the order, its saga (leased to the caller) and its events, unless the key was used before;
// then it writes nothing and reports false. One statement, so that it happens wholly or not at all.
func (s *Store) Create(ctx context.Context, c Creation) (bool, error) {
	o := c.Order
	items, err := json.Marshal(o.Items)
	if err != nil {
		return false, err
	}
	timeline, err := json.Marshal(o.Timeline)
	if err != nil {
		return false, err
	}
	outgoing, err := events.Of(o)
	if err != nil {
		return false, err
	}
	batch := columnsOf(outgoing)
	var created bool
	err = s.primary.QueryRow(ctx, `
		with key as (
			insert into idempotency_keys (user_id, key, request_hash, order_id, order_created_at)
			values ($1, $2, $3, $4, $5) on conflict do nothing returning 1
		), placed as (
			insert into orders (`+orderColumns+`)
			select $4, $5, $1, $6, $7, $8::jsonb, 0, '', $9, $10, '', '', '', null, '', $11::jsonb, $5 from key
			returning 1
		), begun as (
			insert into sagas (order_id, order_created_at, step, due_at, lease_token, leased_until, traceparent)
			select $4, $5, $12, now(), $13, now() + $14::interval, $15 from placed
		), told as (
			insert into outbox (event_id, destination, routing_key, order_id, payload, traceparent)
			select e.id, e.destination, e.routing_key, $4, e.payload, $15
			from placed, unnest($16::uuid[], $17::text[], $18::text[], $19::jsonb[])
				with ordinality as e(id, destination, routing_key, payload, nth)
			order by e.nth
		)
		select exists (select from placed)`,
		o.UserID, c.Key, c.RequestHash, o.ID, o.CreatedAt, o.State, o.Version, string(items), o.ContactEmail,
		o.PaymentMethod, string(timeline), c.FirstStep, c.Token, c.Lease, c.Traceparent,
		batch.ids, batch.destinations, batch.routingKeys, batch.payloads,
	).Scan(&created)
	return created, err
}

// Attempt looks a key up.
func (s *Store) Attempt(ctx context.Context, userID, key string) (Attempt, error) {
	var a Attempt
	err := s.primary.QueryRow(ctx, `
		select request_hash, order_id, coalesce(status, 0), body from idempotency_keys
		where user_id = $1 and key = $2`, userID, key,
	).Scan(&a.RequestHash, &a.OrderID, &a.Status, &a.Body)
	return a, notFound(err)
}

// Answer keeps the answer to a key's request. The first one stays; that one is returned.
func (s *Store) Answer(ctx context.Context, userID, key string, status int, body []byte) (int, []byte, error) {
	err := s.primary.QueryRow(ctx, `
		update idempotency_keys set status = coalesce(status, $3), body = coalesce(body, $4::jsonb)
		where user_id = $1 and key = $2 returning status, body`, userID, key, status, string(body),
	).Scan(&status, &body)
	return status, body, notFound(err)
}

// eventColumns are entries of the outbox as arrays, all of text: behind a connection proxy nobody asks the server
// for the parameters' types, and only text is the same for all of them.
type eventColumns struct {
	ids          []string
	destinations []string
	routingKeys  []string
	payloads     []string
}

func columnsOf(outgoing []events.Outgoing) eventColumns {
	var c eventColumns
	for _, event := range outgoing {
		c.ids = append(c.ids, event.ID.String())
		c.destinations = append(c.destinations, event.Destination)
		c.routingKeys = append(c.routingKeys, event.RoutingKey)
		c.payloads = append(c.payloads, string(event.Payload))
	}
	return c
}
