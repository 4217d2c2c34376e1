package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/cloudcommerce/order/internal/events"
	"github.com/cloudcommerce/order/internal/order"
)

// ErrLostLease says that the saga is no longer the caller's, or no longer as the caller knew it. Nothing was
// written.
var ErrLostLease = errors.New("the saga was taken over or changed")

// Saga is an order's unfinished business, leased to the holder of the token.
type Saga struct {
	OrderID         uuid.UUID
	Step            string
	Reason          string
	CancelRequested bool
	Nudges          int
	Attempts        int
	Token           uuid.UUID
	Traceparent     string
}

const sagaColumns = `order_id, step, reason, cancel_requested, nudges, attempts, lease_token, traceparent`

func scanSaga(row pgx.CollectableRow) (Saga, error) {
	var s Saga
	var token *uuid.UUID
	err := row.Scan(&s.OrderID, &s.Step, &s.Reason, &s.CancelRequested, &s.Nudges, &s.Attempts, &token, &s.Traceparent)
	if token != nil {
		s.Token = *token
	}
	return s, err
}

// LeaseDue takes up to limit sagas that are due and nobody's. A leaseholder that dies loses them in time.
func (s *Store) LeaseDue(ctx context.Context, lease time.Duration, limit int) ([]Saga, error) {
	rows, err := s.primary.Query(ctx, `
		update sagas set lease_token = gen_random_uuid(), leased_until = now() + $1::interval,
			attempts = attempts + 1
		where order_id in (
			select order_id from sagas where due_at <= now() and (leased_until is null or leased_until < now())
			order by due_at limit $2 for update skip locked
		) returning `+sagaColumns, lease, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanSaga)
}

// Lease takes one order's saga, unless somebody has it or there is none (ErrNotFound).
func (s *Store) Lease(ctx context.Context, id uuid.UUID, lease time.Duration) (Saga, error) {
	rows, err := s.primary.Query(ctx, `
		update sagas set lease_token = gen_random_uuid(), leased_until = now() + $2::interval
		where order_id = $1 and (leased_until is null or leased_until < now())
		returning `+sagaColumns, id, lease)
	if err != nil {
		return Saga{}, err
	}
	saga, err := pgx.CollectExactlyOneRow(rows, scanSaga)
	return saga, notFound(err)
}

// Reload reads a saga again that the caller has leased.
func (s *Store) Reload(ctx context.Context, saga Saga) (Saga, error) {
	rows, err := s.primary.Query(ctx, `
		select `+sagaColumns+` from sagas where order_id = $1 and lease_token = $2`, saga.OrderID, saga.Token)
	if err != nil {
		return Saga{}, err
	}
	fresh, err := pgx.CollectExactlyOneRow(rows, scanSaga)
	if errors.Is(err, pgx.ErrNoRows) {
		return Saga{}, ErrLostLease
	}
	return fresh, err
}

// Busy reports whether somebody is at work on the order right now.
func (s *Store) Busy(ctx context.Context, id uuid.UUID) (bool, error) {
	var busy bool
	err := s.primary.QueryRow(ctx,
		`select exists (select from sagas where order_id = $1 and leased_until > now())`, id).Scan(&busy)
	return busy, err
}

// Begin starts a saga for an order in one of the states, unless one is under way; it reports whether it did.
func (s *Store) Begin(ctx context.Context, id uuid.UUID, step, reason, traceparent string, in ...order.State) (bool, error) {
	tag, err := s.primary.Exec(ctx, `
		insert into sagas (order_id, order_created_at, step, reason, due_at, traceparent)
		select id, created_at, $3, $4, now(), $5 from orders
		where id = $1 and created_at = $2 and state = any($6)
		on conflict do nothing`, id, order.CreatedAt(id), step, reason, traceparent, names(in))
	return tag.RowsAffected() == 1, err
}

// RequestCancel tells the saga under way that the customer wants out; it reports whether there is one that can
// still turn round.
func (s *Store) RequestCancel(ctx context.Context, id uuid.UUID) (bool, error) {
	tag, err := s.primary.Exec(ctx,
		`update sagas set cancel_requested = true, nudges = nudges + 1, due_at = now()
		from orders where order_id = $1 and id = $1 and created_at = $2 and state = any($3)`,
		id, order.CreatedAt(id), names([]order.State{order.Pending, order.Reserved, order.Paid}))
	return tag.RowsAffected() == 1, err
}

// Postpone gives a saga back after a failure, or to wait, to be taken up again after the delay. A webhook or
// a cancellation that came since it was read makes it due at once.
func (s *Store) Postpone(ctx context.Context, saga Saga, delay time.Duration, lastError string) error {
	_, err := s.primary.Exec(ctx, `
		update sagas set lease_token = null, leased_until = null, last_error = $4,
			due_at = case when nudges = $5 then now() + $3::interval else now() end
		where order_id = $1 and lease_token = $2`, saga.OrderID, saga.Token, delay, lastError, saga.Nudges)
	return err
}

// Progress is what one step changed: the order as it is now, and the step that comes next.
type Progress struct {
	Before order.Order
	After  order.Order
	Next   string // empty when the saga is over
	Reason string
	Lease  time.Duration
}

// Record writes a step's outcome: the order's state by a conditional update that admits only moves of the
// state machine, the saga's next step, and the events, in one statement. It fails with ErrLostLease, and
// writes nothing, when the saga is no longer the caller's, when the order is not as the caller read it, or
// when the saga would end and the customer asked for cancellation in the meantime. It returns the saga as it
// goes on.
func (s *Store) Record(ctx context.Context, saga Saga, p Progress) (Saga, error) {
	from := []order.State{p.Before.State}
	var outgoing []events.Outgoing
	if p.After.State != p.Before.State {
		from = order.Sources(p.After.State)
		var err error
		if outgoing, err = events.Of(p.After); err != nil {
			return saga, err
		}
	}
	items, err := json.Marshal(p.After.Items)
	if err != nil {
		return saga, err
	}
	timeline, err := json.Marshal(p.After.Timeline)
	if err != nil {
		return saga, err
	}
	batch := columnsOf(outgoing)
	o := p.After
	err = s.primary.QueryRow(ctx, `
		with held as (
			select cancel_requested, nudges from sagas where order_id = $1 and lease_token = $3
				and ($4 <> '' or cancel_requested = $5) for update
		), moved as (
			update orders set state = $6, version = $7, items = $8::jsonb, total_minor = $9, currency = $10,
				payment_intent_id = $11, client_secret = $12, refund_id = $13, reserved_until = $14, reason = $15,
				timeline = $16::jsonb, updated_at = $17
			where id = $1 and created_at = $2 and version = $18 and state = any($19)
				and exists (select from held)
			returning 1
		), stepped as (
			update sagas set step = $4, reason = $20, attempts = 0, last_error = '', due_at = now(),
				leased_until = now() + $21::interval
			where order_id = $1 and $4 <> '' and exists (select from moved)
		), ended as (
			delete from sagas where order_id = $1 and $4 = '' and exists (select from moved)
		), told as (
			insert into outbox (event_id, destination, routing_key, order_id, payload, traceparent)
			select e.id, e.destination, e.routing_key, $1, e.payload, $22
			from moved, unnest($23::uuid[], $24::text[], $25::text[], $26::jsonb[])
				with ordinality as e(id, destination, routing_key, payload, nth)
			order by e.nth
		)
		select cancel_requested, nudges from held where exists (select from moved)`,
		o.ID, o.CreatedAt, saga.Token, p.Next, saga.CancelRequested, o.State, o.Version, string(items), o.TotalMinor,
		o.Currency, o.PaymentIntentID, o.ClientSecret, o.RefundID, nullable(o.ReservedUntil), o.Reason, string(timeline),
		o.UpdatedAt, p.Before.Version, names(from), p.Reason, p.Lease, saga.Traceparent,
		batch.ids, batch.destinations, batch.routingKeys, batch.payloads,
	).Scan(&saga.CancelRequested, &saga.Nudges)
	if errors.Is(err, pgx.ErrNoRows) {
		return saga, ErrLostLease
	}
	saga.Step, saga.Reason, saga.Attempts = p.Next, p.Reason, 0
	return saga, err
}
