package saga

import (
	"context"
	"errors"
	"time"

	"github.com/cloudcommerce/order/internal/order"
	"github.com/cloudcommerce/order/internal/payment"
	"github.com/cloudcommerce/order/internal/stock"
	"github.com/cloudcommerce/order/internal/store"
)

// Step is the next thing to do for an order.
type Step string

// The way forward, the way back, and what support and Stripe may ask for later.
const (
	ReserveStock   Step = "reserve_stock"
	CreatePayment  Step = "create_payment"
	ConfirmPayment Step = "confirm_payment"
	SettlePayment  Step = "settle_payment" // ask Stripe how the payment stands, and wait for the customer
	ConfirmStock   Step = "confirm_stock"

	CancelPayment Step = "cancel_payment"
	RefundPayment Step = "refund_payment"
	ReleaseStock  Step = "release_stock"

	Fulfill      Step = "fulfill"
	SettleRefund Step = "settle_refund" // ask Stripe whether the money went back without us

	Over Step = ""
)

type action func(*Runner, context.Context, order.Order, store.Saga) (outcome, error)

var actions = map[Step]action{
	ReserveStock:   (*Runner).reserveStock,
	CreatePayment:  (*Runner).createPayment,
	ConfirmPayment: (*Runner).confirmPayment,
	SettlePayment:  (*Runner).settlePayment,
	ConfirmStock:   (*Runner).confirmStock,
	CancelPayment:  (*Runner).cancelPayment,
	RefundPayment:  (*Runner).refundPayment,
	ReleaseStock:   (*Runner).releaseStock,
	Fulfill:        (*Runner).fulfill,
	SettleRefund:   (*Runner).settleRefund,
}

// Steps lists every step, for tests that crash at each.
func Steps() []Step {
	return []Step{
		ReserveStock, CreatePayment, ConfirmPayment, SettlePayment, ConfirmStock,
		CancelPayment, RefundPayment, ReleaseStock, Fulfill, SettleRefund,
	}
}

// choose lets a cancellation turn the saga round while that is still possible.
func choose(saga store.Saga, o order.Order) Step {
	step := Step(saga.Step)
	if !saga.CancelRequested || step == ReleaseStock || step == RefundPayment {
		return step
	}
	switch o.State {
	case order.Pending, order.Reserved:
		return CancelPayment
	case order.Paid:
		return RefundPayment
	default:
		return step
	}
}

const (
	// paymentMargin is kept between the last moment to charge and the end of the reservation.
	paymentMargin = 30 * time.Second
	// settleInterval is how often an open payment is looked at when no webhook comes.
	settleInterval = time.Minute
)

func (r *Runner) reserveStock(ctx context.Context, o order.Order, _ store.Saga) (outcome, error) {
	if r.now().Sub(o.CreatedAt) > r.settings.ReservationTTL {
		return outcome{order: o, next: CancelPayment, reason: order.ReasonStockUnavailable}, nil
	}
	reservation, err := r.stock.Reserve(ctx, o.ID, o.Items, r.settings.ReservationTTL)
	switch {
	case errors.Is(err, stock.ErrInsufficient):
		o.MoveTo(order.Failed, order.ReasonInsufficientStock, r.now())
		return outcome{order: o, next: Over}, nil
	case errors.Is(err, stock.ErrRejected):
		o.MoveTo(order.Failed, order.ReasonNotPayable, r.now())
		return outcome{order: o, next: Over}, nil
	case err != nil:
		return outcome{}, err
	}
	if !price(&o, reservation) {
		return outcome{order: o, next: CancelPayment, reason: order.ReasonNotPayable}, nil
	}
	o.ReservedUntil = reservation.ExpiresAt.UTC().Truncate(time.Millisecond)
	o.MoveTo(order.Reserved, "", r.now())
	return outcome{order: o, next: CreatePayment}, nil
}

// price copies names and prices into the order; it reports false when there is no total that can be charged.
func price(o *order.Order, reservation stock.Reservation) bool {
	items, total, currency := make([]order.Item, 0, len(reservation.Items)), int64(0), ""
	for _, item := range reservation.Items {
		if item.Quantity <= 0 || item.UnitPriceMinor < 0 || item.UnitPriceMinor > payment.MaxAmount ||
			currency != "" && item.Currency != currency {
			return false
		}
		currency = item.Currency
		total += int64(item.Quantity) * item.UnitPriceMinor
		items = append(items, order.Item{
			ProductID: item.ProductID, Quantity: item.Quantity, Name: item.Name, UnitPriceMinor: item.UnitPriceMinor,
		})
	}
	if total <= 0 || total > payment.MaxAmount || len(items) != len(o.Items) {
		return false
	}
	o.Items, o.TotalMinor, o.Currency = items, total, currency
	return true
}

// tooLate reports whether the stock might be gone before the money is there.
func (r *Runner) tooLate(o order.Order) bool {
	margin := min(paymentMargin, r.settings.ReservationTTL/4)
	return r.now().After(o.ReservedUntil.Add(-margin))
}

func (r *Runner) createPayment(ctx context.Context, o order.Order, saga store.Saga) (outcome, error) {
	if r.tooLate(o) {
		return outcome{order: o, next: CancelPayment, reason: order.ReasonPaymentTimeout}, nil
	}
	intent, err := r.payments.Create(ctx, o, saga.Attempts)
	if errors.Is(err, payment.ErrDeclined) || payment.IsRefused(err) {
		r.observer.PaymentFailed(order.ReasonPaymentDeclined)
		return outcome{order: o, next: CancelPayment, reason: order.ReasonPaymentDeclined}, nil
	}
	if err != nil {
		return outcome{}, err
	}
	o.PaymentIntentID, o.ClientSecret = intent.ID, intent.ClientSecret
	if o.PaymentMethod == "" {
		return outcome{order: o, next: SettlePayment}, nil
	}
	return outcome{order: o, next: ConfirmPayment}, nil
}

func (r *Runner) confirmPayment(ctx context.Context, o order.Order, saga store.Saga) (outcome, error) {
	if r.tooLate(o) {
		return outcome{order: o, next: CancelPayment, reason: order.ReasonPaymentTimeout}, nil
	}
	intent, err := r.payments.Confirm(ctx, o, saga.Attempts)
	if errors.Is(err, payment.ErrDeclined) || payment.IsRefused(err) {
		r.observer.PaymentFailed(order.ReasonPaymentDeclined)
		return outcome{order: o, next: CancelPayment, reason: order.ReasonPaymentDeclined}, nil
	}
	if err != nil {
		return outcome{}, err
	}
	if intent.Status == payment.Succeeded {
		return r.paid(o), nil
	}
	return outcome{order: o, next: SettlePayment}, nil
}

// settlePayment acts on what Stripe says, not on what a webhook said or in which order webhooks came.
func (r *Runner) settlePayment(ctx context.Context, o order.Order, _ store.Saga) (outcome, error) {
	if o.State == order.Refunded || o.PaymentIntentID == "" {
		return outcome{order: o, next: Over}, nil
	}
	intent, err := r.payments.Retrieve(ctx, o.PaymentIntentID)
	if err != nil {
		return outcome{}, err
	}
	switch {
	case intent.Status == payment.Succeeded && o.State == order.Reserved:
		return r.paid(o), nil
	case intent.Status == payment.Succeeded && (o.State == order.Cancelled || o.State == order.Failed):
		return outcome{order: o, next: RefundPayment, reason: order.ReasonLatePayment}, nil
	case o.State != order.Reserved:
		return outcome{order: o, next: Over}, nil
	case intent.Status == payment.Canceled:
		return outcome{order: o, next: CancelPayment, reason: order.ReasonPaymentTimeout}, nil
	case r.tooLate(o):
		return outcome{order: o, next: CancelPayment, reason: order.ReasonPaymentTimeout}, nil
	default:
		return outcome{wait: min(settleInterval, r.settings.ReservationTTL/4)}, nil
	}
}

func (r *Runner) paid(o order.Order) outcome {
	o.ClientSecret = ""
	o.MoveTo(order.Paid, "", r.now())
	return outcome{order: o, next: ConfirmStock}
}

func (r *Runner) confirmStock(ctx context.Context, o order.Order, _ store.Saga) (outcome, error) {
	err := r.stock.Confirm(ctx, o.ID)
	if errors.Is(err, stock.ErrGone) {
		return outcome{order: o, next: RefundPayment, reason: order.ReasonStockExpired}, nil
	}
	if err != nil {
		return outcome{}, err
	}
	return outcome{order: o, next: Over}, nil
}

// cancelPayment ends an order that nobody paid. When the payment was faster, a customer who wanted out gets
// the money back, and anybody else gets the goods.
func (r *Runner) cancelPayment(ctx context.Context, o order.Order, saga store.Saga) (outcome, error) {
	if o.PaymentIntentID != "" {
		intent, err := r.payments.Cancel(ctx, o, saga.Attempts)
		if err != nil {
			return outcome{}, err
		}
		switch intent.Status {
		case payment.Succeeded:
			return r.paid(o), nil
		case payment.Canceled:
		default:
			return outcome{wait: r.backoff(saga.Attempts)}, nil
		}
	}
	o.ClientSecret = ""
	if saga.CancelRequested {
		o.MoveTo(order.Cancelled, order.ReasonCustomerRequest, r.now())
	} else {
		if saga.Reason == order.ReasonPaymentTimeout {
			r.observer.PaymentFailed(saga.Reason)
		}
		o.MoveTo(order.Failed, saga.Reason, r.now())
	}
	return outcome{order: o, next: ReleaseStock}, nil
}

func (r *Runner) refundPayment(ctx context.Context, o order.Order, saga store.Saga) (outcome, error) {
	shipped := o.State == order.Fulfilled
	refundID, err := r.payments.Refund(ctx, o, saga.Attempts)
	if err != nil {
		return outcome{}, err
	}
	if refundID != "" {
		o.RefundID = refundID
	}
	reason := saga.Reason
	if saga.CancelRequested {
		reason = order.ReasonCustomerRequest
	}
	o.MoveTo(order.Refunded, reason, r.now())
	if shipped {
		return outcome{order: o, next: Over}, nil
	}
	return outcome{order: o, next: ReleaseStock}, nil
}

func (r *Runner) releaseStock(ctx context.Context, o order.Order, _ store.Saga) (outcome, error) {
	if err := r.stock.Release(ctx, o.ID); err != nil && !errors.Is(err, stock.ErrGone) {
		return outcome{}, err
	}
	return outcome{order: o, next: Over}, nil
}

func (r *Runner) fulfill(_ context.Context, o order.Order, _ store.Saga) (outcome, error) {
	if o.State != order.Paid {
		return outcome{order: o, next: Over}, nil
	}
	o.MoveTo(order.Fulfilled, "", r.now())
	return outcome{order: o, next: Over}, nil
}

// settleRefund follows a refund that somebody made in Stripe's dashboard.
func (r *Runner) settleRefund(ctx context.Context, o order.Order, _ store.Saga) (outcome, error) {
	if !order.CanMove(o.State, order.Refunded) || o.PaymentIntentID == "" {
		return outcome{order: o, next: Over}, nil
	}
	intent, err := r.payments.Retrieve(ctx, o.PaymentIntentID)
	if err != nil || !intent.Refunded {
		return outcome{order: o, next: Over}, err
	}
	shipped := o.State == order.Fulfilled
	o.MoveTo(order.Refunded, order.ReasonExternalRefund, r.now())
	if shipped {
		return outcome{order: o, next: Over}, nil
	}
	return outcome{order: o, next: ReleaseStock}, nil
}
