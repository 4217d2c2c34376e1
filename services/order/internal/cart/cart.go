// Package cart keeps what a customer has chosen but not ordered, in the customer's session in Redis.
package cart

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cloudcommerce/order/internal/order"
)

// lifetime is counted from the last change.
const lifetime = 30 * 24 * time.Hour

// Cart is one customer's choice.
type Cart struct {
	Items     []order.Item `json:"items"`
	UpdatedAt time.Time    `json:"updated_at"`
}

// Carts is everybody's.
type Carts struct{ redis redis.Cmdable }

// New keeps carts in the given Redis.
func New(client redis.Cmdable) *Carts { return &Carts{client} }

func key(userID string) string { return "session:cart:" + userID }

// Get returns the cart, empty when there is none.
func (c *Carts) Get(ctx context.Context, userID string) (Cart, error) {
	cart := Cart{Items: []order.Item{}}
	content, err := c.redis.Get(ctx, key(userID)).Bytes()
	if errors.Is(err, redis.Nil) {
		return cart, nil
	}
	if err != nil {
		return cart, err
	}
	return cart, json.Unmarshal(content, &cart)
}

// Put replaces the cart.
func (c *Carts) Put(ctx context.Context, userID string, items []order.Item) (Cart, error) {
	cart := Cart{Items: items, UpdatedAt: time.Now().UTC()}
	content, err := json.Marshal(cart)
	if err != nil {
		return cart, err
	}
	return cart, c.redis.Set(ctx, key(userID), content, lifetime).Err()
}

// Delete empties the cart.
func (c *Carts) Delete(ctx context.Context, userID string) error {
	return c.redis.Del(ctx, key(userID)).Err()
}

var deleteUnchanged = redis.NewScript(`
	local content = redis.call('get', KEYS[1])
	if content and cjson.decode(content).updated_at == ARGV[1] then return redis.call('del', KEYS[1]) end
	return 0`)

// DeleteOrdered empties the cart that was ordered, unless the customer has changed it since.
func (c *Carts) DeleteOrdered(ctx context.Context, userID string, ordered Cart) error {
	return deleteUnchanged.Run(ctx, c.redis, []string{key(userID)}, ordered.UpdatedAt.Format(time.RFC3339Nano)).Err()
}
