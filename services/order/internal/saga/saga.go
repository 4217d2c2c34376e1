// Package saga takes an order through stock and payment, undoes what it must, and goes on after a crash.
//
// Each step makes one call that may be repeated, then records its outcome together with the step that comes
// next. Whoever holds an order's lease runs its steps: the request that created the order, or the recovery
// loop of any instance once the lease of a dead one has run out.
package saga

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/cloudcommerce/order/internal/fault"
	"github.com/cloudcommerce/order/internal/order"
	"github.com/cloudcommerce/order/internal/payment"
	"github.com/cloudcommerce/order/internal/stock"
	"github.com/cloudcommerce/order/internal/store"
	"github.com/google/uuid"
)

// Stock is the part of the product service that the saga needs.
type Stock interface {
	Reserve(ctx context.Context, id uuid.UUID, items []order.Item, ttl time.Duration) (stock.Reservation, error)
	Confirm(ctx context.Context, id uuid.UUID) error
	Release(ctx context.Context, id uuid.UUID) error
}

// Payments is the part of Stripe that the saga needs.
type Payments interface {
	Create(ctx context.Context, o order.Order, attempt int) (payment.Intent, error)
	Confirm(ctx context.Context, o order.Order, attempt int) (payment.Intent, error)
	Retrieve(ctx context.Context, id string) (payment.Intent, error)
	Cancel(ctx context.Context, o order.Order, attempt int) (payment.Intent, error)
	Refund(ctx context.Context, o order.Order, attempt int) (string, error)
}

// Ledger is where sagas and orders are kept.
type Ledger interface {
	Order(ctx context.Context, id uuid.UUID) (order.Order, error)
	LeaseDue(ctx context.Context, lease time.Duration, limit int) ([]store.Saga, error)
	Reload(ctx context.Context, saga store.Saga) (store.Saga, error)
	Record(ctx context.Context, saga store.Saga, p store.Progress) (store.Saga, error)
	Postpone(ctx context.Context, saga store.Saga, delay time.Duration, lastError string) error
}

// Observer hears of every change of state, after it was recorded.
type Observer interface {
	Moved(o order.Order)
	PaymentFailed(reason string)
}

// Settings are the saga's times.
type Settings struct {
	Lease          time.Duration // how long a dead process keeps an order from going on
	ReservationTTL time.Duration // how long stock is held for a customer who has not paid
	RetryBase      time.Duration // first wait after a failure; doubles up to RetryMax
	RetryMax       time.Duration
}

// Runner runs sagas.
type Runner struct {
	ledger   Ledger
	stock    Stock
	payments Payments
	observer Observer
	settings Settings
	now      func() time.Time
}

// NewRunner joins the saga with the stores and services that it works on.
func NewRunner(ledger Ledger, stock Stock, payments Payments, observer Observer, settings Settings) *Runner {
	return &Runner{ledger, stock, payments, observer, settings, time.Now}
}

// Lease is how long a saga may be kept without recording anything.
func (r *Runner) Lease() time.Duration { return r.settings.Lease }

// outcome is what a step did: the order as it left it, and what comes next.
type outcome struct {
	order  order.Order
	next   Step
	reason string
	wait   time.Duration // when positive: nothing to record, look again later
}

// Run takes a leased saga as far as it gets. It returns once the saga is over, waits for something, has been
// postponed after a failure, or is no longer the caller's.
func (r *Runner) Run(ctx context.Context, saga store.Saga) error {
	o, err := r.ledger.Order(ctx, saga.OrderID)
	if err != nil {
		return err
	}
	_, err = r.RunFrom(ctx, saga, o)
	return err
}

// RunFrom is Run for who has the order in hand as it was last written. It returns the order as it leaves it, which
// without an error is how the order stands.
func (r *Runner) RunFrom(ctx context.Context, saga store.Saga, o order.Order) (order.Order, error) {
	for {
		step := choose(saga, o)
		fault.Here(string(step) + ":before")
		result, err := r.execute(ctx, step, o, saga)
		if err != nil {
			return o, r.postpone(ctx, saga, step, err)
		}
		fault.Here(string(step) + ":called")
		if result.wait > 0 {
			return o, r.ledger.Postpone(ctx, saga, result.wait, "")
		}
		next, err := r.ledger.Record(ctx, saga, store.Progress{
			Before: o, After: result.order, Next: string(result.next), Reason: result.reason, Lease: r.settings.Lease,
		})
		fault.Here(string(step) + ":recorded")
		if errors.Is(err, store.ErrLostLease) {
			return r.again(ctx, saga)
		}
		if err != nil {
			return o, errors.Join(err, r.postpone(ctx, saga, step, err))
		}
		if result.order.State != o.State {
			r.observer.Moved(result.order)
		}
		o, saga = result.order, next
		if result.next == Over {
			return o, nil
		}
	}
}

// again looks afresh at a saga that changed under the caller's hands, and leaves it when somebody else has it.
func (r *Runner) again(ctx context.Context, saga store.Saga) (order.Order, error) {
	fresh, lost := r.ledger.Reload(ctx, saga)
	if lost != nil && !errors.Is(lost, store.ErrLostLease) {
		return order.Order{}, lost
	}
	o, err := r.ledger.Order(ctx, saga.OrderID)
	if err != nil || lost != nil {
		return o, err
	}
	return r.RunFrom(ctx, fresh, o)
}

// execute bounds a step so that it ends before its lease does.
func (r *Runner) execute(ctx context.Context, step Step, o order.Order, saga store.Saga) (outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, r.settings.Lease*4/5)
	defer cancel()
	action, ok := actions[step]
	if !ok {
		return outcome{}, errors.New("unknown saga step " + string(step) + ": a newer version made it")
	}
	return action(r, ctx, o, saga)
}

func (r *Runner) postpone(ctx context.Context, saga store.Saga, step Step, cause error) error {
	delay := r.backoff(saga.Attempts)
	slog.WarnContext(ctx, "saga step failed", "order_id", saga.OrderID, "step", step, "attempt", saga.Attempts,
		"retry_in_ms", delay.Milliseconds(), "error", cause)
	// The lease is given back even when the caller has gone away.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	return r.ledger.Postpone(ctx, saga, delay, cause.Error())
}

// backoff doubles with every attempt; half of it is random so that orders that failed together spread out.
func (r *Runner) backoff(attempt int) time.Duration {
	delay := r.settings.RetryMax
	if shift := max(attempt, 0); shift < 30 && r.settings.RetryBase<<shift < delay {
		delay = r.settings.RetryBase << shift
	}
	return delay/2 + rand.N(delay/2+1)
}
