package notification

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	amqp "github.com/rabbitmq/amqp091-go"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"

	"github.com/cloudcommerce/order/internal/broker"
	"github.com/cloudcommerce/order/internal/events"
	"github.com/cloudcommerce/order/internal/order"
	"github.com/cloudcommerce/order/internal/store"
	"github.com/cloudcommerce/order/internal/telemetry"
)

// Sender delivers messages; it may see one twice and should send it once.
type Sender interface {
	Send(ctx context.Context, message Message) error
}

// Inbox remembers which events were handled, and knows the orders they are about.
type Inbox interface {
	ClaimNotification(ctx context.Context, eventID, orderID uuid.UUID, kind string, claim time.Duration) (store.Claim, error)
	Sent(ctx context.Context, eventID uuid.UUID) error
	Unclaim(ctx context.Context, eventID uuid.UUID) error
	Order(ctx context.Context, id uuid.UUID) (order.Order, error)
}

// Settings are the worker's times and sizes.
type Settings struct {
	URL         string
	Topology    broker.Topology
	RetryDelays []time.Duration
	Prefetch    int
	Claim       time.Duration // how long a dead worker keeps an event from another
}

// Worker consumes events and sends notifications.
type Worker struct {
	inbox     Inbox
	sender    Sender
	settings  Settings
	count     func(kind, outcome string)
	connected atomic.Bool
}

// NewWorker joins queue, inbox and sender; count hears of every outcome.
func NewWorker(inbox Inbox, sender Sender, settings Settings, count func(kind, outcome string)) *Worker {
	return &Worker{inbox: inbox, sender: sender, settings: settings, count: count}
}

const (
	attemptHeader  = "x-attempt"
	reconnectDelay = time.Second
	handleTimeout  = 30 * time.Second
)

// errMalformed marks what no attempt will ever understand.
var errMalformed = errors.New("not an event of an order")

// errLater marks what is no failed attempt: another worker has claimed the event, or our own database is away.
// However long that takes, it makes no dead letters.
var errLater = errors.New("the event has to wait")

// Connected reports whether the worker receives events at the moment.
func (w *Worker) Connected() bool { return w.connected.Load() }

// Run consumes until the context ends, and connects again after every loss. Messages in hand are finished.
func (w *Worker) Run(ctx context.Context) {
	for ctx.Err() == nil {
		err := w.consume(ctx)
		w.connected.Store(false)
		if ctx.Err() != nil {
			return
		}
		slog.WarnContext(ctx, "connecting to RabbitMQ again", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(reconnectDelay):
		}
	}
}

func (w *Worker) consume(ctx context.Context) error {
	connection, err := broker.Dial(w.settings.URL, "order notification")
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	channel, err := connection.Channel()
	if err != nil {
		return err
	}
	if err := errors.Join(w.settings.Topology.Declare(channel),
		w.settings.Topology.DeclareRetries(channel, w.settings.RetryDelays),
		channel.Confirm(false), channel.Qos(w.settings.Prefetch, 0, false)); err != nil {
		return err
	}
	deliveries, err := channel.ConsumeWithContext(ctx, w.settings.Topology.Notifications(), "", false, false, false, false, nil)
	if err != nil {
		return err
	}
	w.connected.Store(true)
	var inHand sync.WaitGroup
	defer inHand.Wait()
	for delivery := range deliveries {
		// The prefetch count bounds how many of these there are.
		inHand.Go(func() { w.handle(context.WithoutCancel(ctx), channel, delivery) })
	}
	return errors.New("the consumer was cancelled")
}

// handle takes a delivery off the queue only once it was sent, put off, or declared dead.
func (w *Worker) handle(ctx context.Context, channel *amqp.Channel, delivery amqp.Delivery) {
	ctx, cancel := context.WithTimeout(ctx, handleTimeout)
	defer cancel()
	traceparent, _ := delivery.Headers["traceparent"].(string)
	ctx, span := otel.Tracer("notification").Start(telemetry.WithTraceparent(ctx, traceparent), "notify "+delivery.Type,
		trace.WithSpanKind(trace.SpanKindConsumer))
	defer span.End()

	err := w.notify(ctx, delivery.Body)
	outcome, settle := "sent", func() error { return delivery.Ack(false) }
	attempt := attemptOf(delivery)
	switch {
	case err == nil:
	case errors.Is(err, errMalformed), !errors.Is(err, errLater) && attempt >= len(w.settings.RetryDelays):
		outcome, settle = "dead", func() error { return delivery.Reject(false) }
	default:
		outcome, settle = "retried", func() error { return w.postpone(ctx, channel, delivery, attempt, err) }
	}
	if err != nil {
		slog.WarnContext(ctx, "notification not sent", "event_id", delivery.MessageId, "type", delivery.Type,
			"attempt", attempt, "outcome", outcome, "error", err)
	}
	w.count(delivery.Type, outcome)
	if err := settle(); err != nil {
		slog.WarnContext(ctx, "RabbitMQ will deliver an event again", "event_id", delivery.MessageId, "error", err)
	}
}

// postpone puts a copy into a queue from which it comes back after the delay, and lets go of the original once
// RabbitMQ has confirmed the copy.
func (w *Worker) postpone(ctx context.Context, channel *amqp.Channel, delivery amqp.Delivery, attempt int, cause error) error {
	next := attempt + 1
	delay := w.settings.RetryDelays[min(attempt, len(w.settings.RetryDelays)-1)]
	if errors.Is(cause, errLater) {
		next, delay = attempt, w.settings.RetryDelays[0]
	}
	headers := amqp.Table{attemptHeader: int32(next)} //nolint:gosec // bounded by the number of delays
	if traceparent, ok := delivery.Headers["traceparent"]; ok {
		headers["traceparent"] = traceparent
	}
	confirm, err := channel.PublishWithDeferredConfirmWithContext(ctx, "", w.settings.Topology.Retry(delay), true, false, amqp.Publishing{
		ContentType: delivery.ContentType, DeliveryMode: amqp.Persistent, MessageId: delivery.MessageId,
		Type: delivery.Type, Headers: headers, Body: delivery.Body,
	})
	if err != nil {
		return err
	}
	if confirmed, err := confirm.WaitContext(ctx); err != nil || !confirmed {
		return errors.Join(err, delivery.Nack(false, true))
	}
	return delivery.Ack(false)
}

func attemptOf(delivery amqp.Delivery) int {
	attempt, _ := delivery.Headers[attemptHeader].(int32)
	return int(attempt)
}

// notify sends what one event says, exactly once: the inbox admits one worker at a time and remembers what was
// sent, and for a crash between sending and remembering the provider knows the key.
func (w *Worker) notify(ctx context.Context, body []byte) error {
	var event events.CloudEvent
	if err := json.Unmarshal(body, &event); err != nil || event.ID == uuid.Nil || !Known(event.Type) || event.Data.OrderID == uuid.Nil {
		return errMalformed
	}
	claim, err := w.inbox.ClaimNotification(ctx, event.ID, event.Data.OrderID, event.Type, w.settings.Claim)
	switch {
	case err != nil:
		return errors.Join(errLater, err)
	case claim == store.Done:
		return nil
	case claim == store.Busy:
		return errLater
	}
	if err := w.send(ctx, event); err != nil {
		return errors.Join(err, w.inbox.Unclaim(ctx, event.ID))
	}
	if err := w.inbox.Sent(ctx, event.ID); err != nil {
		return errors.Join(errLater, err)
	}
	return nil
}

func (w *Worker) send(ctx context.Context, event events.CloudEvent) error {
	// The address is asked for here, so that events carry no personal data.
	o, err := w.inbox.Order(ctx, event.Data.OrderID)
	if errors.Is(err, store.ErrNotFound) {
		return errors.Join(errMalformed, err)
	}
	if err != nil {
		return errors.Join(errLater, err)
	}
	return w.sender.Send(ctx, Compose(event, o.ContactEmail))
}
