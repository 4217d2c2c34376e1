package auth

import (
	"context"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
)

// The user service keeps a session under this key until a logout, a change of password or a stolen token ends it.
const sessionPrefix = "session:auth:"

// sessionTimeout is how long a request waits for Redis before its token is trusted alone.
const sessionTimeout = 100 * time.Millisecond

// Sessions knows which logins still stand.
type Sessions struct{ redis redis.Cmdable }

// NewSessions looks into the Redis that the user service keeps sessions in.
func NewSessions(client redis.Cmdable) *Sessions { return &Sessions{client} }

// Ended reports whether the session of a token is over. While Redis is away nobody knows, and the signed token counts
// for the minutes until it expires: a logout then takes that long, but the shop goes on selling.
func (s *Sessions) Ended(ctx context.Context, id string) bool {
	ctx, cancel := context.WithTimeout(ctx, sessionTimeout)
	defer cancel()
	alive, err := s.redis.Exists(ctx, sessionPrefix+id).Result()
	if err != nil {
		slog.WarnContext(ctx, "can't look up the session", "error", err)
		return false
	}
	return alive == 0
}
