package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/cloudcommerce/order/internal/order"
)

const orderColumns = `id, created_at, user_id, state, version, items, total_minor, currency, contact_email,
	payment_method, payment_intent_id, client_secret, refund_id, reserved_until, reason, timeline, updated_at`

// Order reads one order from the primary. Its identifier names the partition, so only that one is read.
func (s *Store) Order(ctx context.Context, id uuid.UUID) (order.Order, error) {
	row := s.primary.QueryRow(ctx, `select `+orderColumns+` from orders where id = $1 and created_at = $2`,
		id, order.CreatedAt(id))
	return scanOrder(row)
}

// Page is a position in a customer's history: what was made before the order with this identifier.
type Page struct {
	Before uuid.UUID
	Limit  int
}

// History reads a customer's orders from a replica, newest first. That nothing is younger than the bound is said
// twice, because only the second way lets PostgreSQL leave later months out.
func (s *Store) History(ctx context.Context, userID string, page Page) ([]order.Order, error) {
	before := page.Before
	if before == uuid.Nil {
		before = uuid.Max
	}
	rows, err := s.replica.Query(ctx, `select `+orderColumns+` from orders
		where user_id = $1 and (created_at, id) < ($2, $3) and created_at <= $2
		order by created_at desc, id desc limit $4`, userID, historyBound(before), before, page.Limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (order.Order, error) { return scanOrder(row) })
}

func historyBound(before uuid.UUID) time.Time {
	if before == uuid.Max {
		return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return order.CreatedAt(before)
}

func scanOrder(row pgx.Row) (order.Order, error) {
	var o order.Order
	var items, timeline []byte
	var reservedUntil *time.Time
	err := row.Scan(&o.ID, &o.CreatedAt, &o.UserID, &o.State, &o.Version, &items, &o.TotalMinor, &o.Currency,
		&o.ContactEmail, &o.PaymentMethod, &o.PaymentIntentID, &o.ClientSecret, &o.RefundID, &reservedUntil,
		&o.Reason, &timeline, &o.UpdatedAt)
	if err != nil {
		return o, notFound(err)
	}
	if reservedUntil != nil {
		o.ReservedUntil = reservedUntil.UTC()
	}
	o.CreatedAt, o.UpdatedAt = o.CreatedAt.UTC(), o.UpdatedAt.UTC()
	if err := json.Unmarshal(items, &o.Items); err != nil {
		return o, err
	}
	return o, json.Unmarshal(timeline, &o.Timeline)
}

func nullable(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

func names(states []order.State) []string {
	texts := make([]string, len(states))
	for i, state := range states {
		texts[i] = string(state)
	}
	return texts
}
