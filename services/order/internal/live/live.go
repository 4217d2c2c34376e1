// Package live carries orders' changes through Redis to the clients that watch them.
//
// Every order has a stream of its own, whose entries are numbered like the order's changes, so that writing
// one twice changes nothing and a client can go on from any of them. A common stream wakes the processes.
package live

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/cloudcommerce/order/internal/order"
	"github.com/cloudcommerce/order/internal/store"
)

const (
	wakeStream   = "order:live"
	wakeLength   = 10_000
	streamLength = 100
	streamTTL    = 24 * time.Hour // older changes are read from the database
	blockTime    = 5 * time.Second
	retryDelay   = time.Second
	field        = "change"
)

func stream(id uuid.UUID) string { return "order:events:" + id.String() }

// Publisher writes changes.
type Publisher struct{ redis *redis.Client }

// NewPublisher writes to the given Redis.
func NewPublisher(client *redis.Client) *Publisher { return &Publisher{client} }

// Publish writes each message to its order's stream; it returns the positions of those that are written.
func (p *Publisher) Publish(ctx context.Context, messages []store.Message) ([]int64, error) {
	pipeline := p.redis.Pipeline()
	added := make([]*redis.StringCmd, len(messages))
	woken := make([]*redis.StringCmd, len(messages))
	for i, message := range messages {
		var change order.Change
		if err := json.Unmarshal(message.Payload, &change); err != nil {
			return nil, err
		}
		added[i] = pipeline.XAdd(ctx, &redis.XAddArgs{
			Stream: stream(message.OrderID), MaxLen: streamLength, Approx: true,
			ID: fmt.Sprintf("%d-0", change.Version), Values: map[string]any{field: message.Payload},
		})
		pipeline.Expire(ctx, stream(message.OrderID), streamTTL)
		woken[i] = pipeline.XAdd(ctx, &redis.XAddArgs{
			Stream: wakeStream, MaxLen: wakeLength, Approx: true, Values: map[string]any{"order_id": message.OrderID.String()},
		})
	}
	_, _ = pipeline.Exec(ctx) // each command's own error is looked at
	var published []int64
	for i, message := range messages {
		if err := added[i].Err(); err != nil && !writtenBefore(err) {
			return published, err
		}
		if err := woken[i].Err(); err != nil {
			return published, err
		}
		published = append(published, message.Position)
	}
	return published, nil
}

func writtenBefore(err error) bool { return strings.Contains(err.Error(), "equal or smaller than") }

// Since reads an order's changes after the given one.
func Since(ctx context.Context, client *redis.Client, id uuid.UUID, version int) ([]order.Change, error) {
	entries, err := client.XRange(ctx, stream(id), fmt.Sprintf("(%d-0", version), "+").Result()
	if err != nil {
		return nil, err
	}
	changes := make([]order.Change, len(entries))
	for i, entry := range entries {
		content, _ := entry.Values[field].(string)
		if err := json.Unmarshal([]byte(content), &changes[i]); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

// Hub tells the watchers of this process when an order changed.
type Hub struct {
	redis    *redis.Client
	mutex    sync.Mutex
	watchers map[uuid.UUID]map[chan struct{}]bool
}

// NewHub listens to the given Redis once Run is called.
func NewHub(client *redis.Client) *Hub {
	return &Hub{redis: client, watchers: map[uuid.UUID]map[chan struct{}]bool{}}
}

// Watch returns a channel that gets a value after the order has changed, and the function that ends it.
func (h *Hub) Watch(id uuid.UUID) (<-chan struct{}, func()) {
	wake := make(chan struct{}, 1)
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.watchers[id] == nil {
		h.watchers[id] = map[chan struct{}]bool{}
	}
	h.watchers[id][wake] = true
	return wake, func() {
		h.mutex.Lock()
		defer h.mutex.Unlock()
		delete(h.watchers[id], wake)
		if len(h.watchers[id]) == 0 {
			delete(h.watchers, id)
		}
	}
}

// Run listens until the context ends. After each loss of the connection all watchers look for themselves.
func (h *Hub) Run(ctx context.Context) {
	last := "$"
	for ctx.Err() == nil {
		streams, err := h.redis.XRead(ctx, &redis.XReadArgs{Streams: []string{wakeStream, last}, Block: blockTime}).Result()
		if err != nil && err != redis.Nil {
			if ctx.Err() != nil {
				return
			}
			slog.WarnContext(ctx, "can't listen for live updates", "error", err)
			last = "$"
			pause(ctx, retryDelay)
			h.wakeAll()
			continue
		}
		for _, one := range streams {
			for _, entry := range one.Messages {
				last = entry.ID
				text, _ := entry.Values["order_id"].(string)
				if id, err := uuid.Parse(text); err == nil {
					h.wake(id)
				}
			}
		}
	}
}

func (h *Hub) wake(id uuid.UUID) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	for watcher := range h.watchers[id] {
		notify(watcher)
	}
}

func (h *Hub) wakeAll() {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	for _, watchers := range h.watchers {
		for watcher := range watchers {
			notify(watcher)
		}
	}
}

func notify(watcher chan struct{}) {
	select {
	case watcher <- struct{}{}:
	default: // it has yet to look for the change before
	}
}

func pause(ctx context.Context, delay time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(delay):
	}
}
