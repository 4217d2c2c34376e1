// Package outbox sends what the database holds for others, at least once and in order.
package outbox

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/cloudcommerce/order/internal/store"
)

// Publisher sends messages and returns the positions of those that arrived.
type Publisher interface {
	Publish(ctx context.Context, messages []store.Message) ([]int64, error)
}

// Source is where messages wait.
type Source interface {
	Dispatch(ctx context.Context, destination string, limit int,
		publish func(context.Context, []store.Message) ([]int64, error)) (int, error)
}

const (
	batchSize      = 100
	publishTimeout = 10 * time.Second
	maxPause       = 5 * time.Second
	// linger is how long the first message of a batch waits for others: under load one look serves many orders.
	linger = 10 * time.Millisecond
)

// Relay empties the outbox of one destination.
type Relay struct {
	source      Source
	publisher   Publisher
	destination string
	interval    time.Duration
	wake        chan struct{}
}

// NewRelay looks for messages at the interval, and whenever it is woken.
func NewRelay(source Source, publisher Publisher, destination string, interval time.Duration) *Relay {
	return &Relay{source, publisher, destination, interval, make(chan struct{}, 1)}
}

// Wake says that there is something to send. It never blocks.
func (r *Relay) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run sends until the context ends. Failures make it wait longer, up to a few seconds.
func (r *Relay) Run(ctx context.Context) {
	failures := 0
	for ctx.Err() == nil {
		sent, err := r.dispatch(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			failures++
			slog.WarnContext(ctx, "can't empty the outbox", "destination", r.destination, "error", err)
			pause(ctx, backoff(r.interval, failures), nil)
		case sent == batchSize:
			failures = 0
		default:
			failures = 0
			if pause(ctx, r.interval, r.wake) {
				pause(ctx, linger, nil)
			}
		}
	}
}

func (r *Relay) dispatch(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	return r.source.Dispatch(ctx, r.destination, batchSize, r.publisher.Publish)
}

// pause reports whether it was woken.
func pause(ctx context.Context, delay time.Duration, wake <-chan struct{}) bool {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-wake:
		return true
	}
	return false
}

func backoff(base time.Duration, failures int) time.Duration {
	delay := min(base<<min(failures, 10), maxPause)
	return delay/2 + rand.N(delay/2+1)
}
