package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/cloudcommerce/order/internal/order"
)

// Message is an entry of the outbox on its way.
type Message struct {
	Position    int64
	EventID     uuid.UUID
	RoutingKey  string
	OrderID     uuid.UUID
	Payload     []byte
	Traceparent string
}

// Dispatch hands the oldest messages of a destination to publish, and removes those whose positions it
// returns, even when it failed on others. One process at a time serves a destination, so that an order's
// events keep their order. Dispatch returns how many messages were removed; a crash between publishing and
// removing sends a message again, with the same event identifier.
func (s *Store) Dispatch(
	ctx context.Context, destination string, limit int,
	publish func(context.Context, []Message) ([]int64, error),
) (int, error) {
	transaction, err := s.primary.Begin(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { _ = transaction.Rollback(context.WithoutCancel(ctx)) }()
	messages, err := pending(ctx, transaction, destination, limit)
	if err != nil || len(messages) == 0 {
		return 0, err
	}
	published, publishError := publish(ctx, messages)
	if len(published) > 0 {
		if _, err := transaction.Exec(ctx, `delete from outbox where position = any($1)`, published); err != nil {
			return 0, err
		}
		if err := transaction.Commit(ctx); err != nil {
			return 0, err
		}
	}
	return len(published), publishError
}

// pending reads the oldest messages, unless another process serves the destination. It looks only after it has the
// lock, but does not wait for that answer before it asks.
func pending(ctx context.Context, transaction pgx.Tx, destination string, limit int) ([]Message, error) {
	var mine bool
	var messages []Message
	var batch pgx.Batch
	batch.Queue(`select pg_try_advisory_xact_lock(hashtext('outbox ' || $1))`, destination).QueryRow(func(row pgx.Row) error {
		return row.Scan(&mine)
	})
	batch.Queue(`
		select position, event_id, routing_key, order_id, payload, traceparent from outbox
		where destination = $1 order by position limit $2`, destination, limit).Query(func(rows pgx.Rows) (err error) {
		messages, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Message])
		return err
	})
	if err := transaction.SendBatch(ctx, &batch).Close(); err != nil || !mine {
		return nil, err
	}
	return messages, nil
}

// Backlog is what waits in a destination's outbox.
type Backlog struct {
	Destination string
	Pending     int64
	Oldest      time.Duration
}

// Backlogs measures the outbox.
func (s *Store) Backlogs(ctx context.Context) ([]Backlog, error) {
	rows, err := s.primary.Query(ctx, `
		select d, count(position), coalesce(now() - min(created_at), interval '0')
		from unnest(array['broker', 'live']) as d left join outbox on destination = d group by d`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Backlog])
}

// stuckAttempts in a row without progress are a case for people.
const stuckAttempts = 10

// OverdueSagas counts sagas that should have been taken up longer ago than the limit, or that fail and fail.
func (s *Store) OverdueSagas(ctx context.Context, limit time.Duration) (int64, error) {
	var count int64
	err := s.primary.QueryRow(ctx, `select count(*) from sagas 
		where due_at < now() - $1::interval or attempts >= $2`, limit, stuckAttempts).Scan(&count)
	return count, err
}

// StripeEvent is a webhook about an order's payment, and the step that it calls for when the order is in one of
// the states.
type StripeEvent struct {
	ID       string
	Kind     string
	OrderID  uuid.UUID
	IntentID string
	Step     string
	In       []order.State
}

// TakeStripeEvent notes that an event was taken in, and wakes or begins the order's saga, in one statement; it
// reports false, and does nothing else, when the event was taken in before.
func (s *Store) TakeStripeEvent(ctx context.Context, e StripeEvent) (bool, error) {
	var fresh bool
	err := s.primary.QueryRow(ctx, `
		with fresh as (
			insert into stripe_events (id, type) values ($1, $2) on conflict do nothing returning 1
		), woken as (
			insert into sagas (order_id, order_created_at, step, due_at)
			select id, created_at, $6, now() from orders, fresh
			where id = $3 and created_at = $4 and payment_intent_id = $5 and state = any($7)
			on conflict (order_id) do update set due_at = now(), nudges = sagas.nudges + 1
		)
		select exists (select from fresh)`,
		e.ID, e.Kind, e.OrderID, order.CreatedAt(e.OrderID), e.IntentID, e.Step, names(e.In)).Scan(&fresh)
	return fresh, err
}

// Purge forgets what no retry will ask for anymore.
func (s *Store) Purge(ctx context.Context, keys, stripeEvents, inbox time.Duration) error {
	var batch pgx.Batch
	batch.Queue(`delete from idempotency_keys where created_at < now() - $1::interval`, keys)
	batch.Queue(`delete from stripe_events where received_at < now() - $1::interval`, stripeEvents)
	batch.Queue(`delete from notification_inbox where sent_at is not null and claimed_at < now() - $1::interval`, inbox)
	return s.primary.SendBatch(ctx, &batch).Close()
}
