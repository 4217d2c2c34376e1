package saga

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/propagation"

	"github.com/cloudcommerce/order/internal/store"
)

// Recover runs what is due until the context ends, then waits for the sagas in its hands: orders whose process
// died, whose step failed, that wait for a customer, or that a webhook or a cancellation woke.
func (r *Runner) Recover(ctx context.Context, interval time.Duration, workers int) {
	var running sync.WaitGroup
	defer running.Wait()
	slots := make(chan struct{}, workers)
	for ctx.Err() == nil {
		free := workers - len(slots)
		sagas, err := r.leaseSome(ctx, free)
		if err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "can't look for due sagas", "error", err)
		}
		for _, saga := range sagas {
			slots <- struct{}{}
			running.Go(func() {
				defer func() { <-slots }()
				r.resume(ctx, saga)
			})
		}
		if free > 0 && len(sagas) == free {
			continue // there may be more
		}
		select {
		case <-ctx.Done():
		case <-time.After(interval):
		}
	}
}

func (r *Runner) leaseSome(ctx context.Context, free int) ([]store.Saga, error) {
	if free == 0 {
		return nil, nil
	}
	return r.ledger.LeaseDue(ctx, r.settings.Lease, free)
}

func (r *Runner) resume(ctx context.Context, saga store.Saga) {
	// A step in flight may end while the service stops; its trace goes on where the order began.
	ctx = propagation.TraceContext{}.Extract(context.WithoutCancel(ctx),
		propagation.MapCarrier{"traceparent": saga.Traceparent})
	if err := r.Run(ctx, saga); err != nil {
		slog.WarnContext(ctx, "can't take an order on", "order_id", saga.OrderID, "error", err)
	}
}
