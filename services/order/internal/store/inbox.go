package store

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Claim says what to do with an event that the notification worker received.
type Claim int

// Outcomes of a claim.
const (
	Mine Claim = iota // send it, then call Sent
	Done              // it was sent before
	Busy              // another worker is sending it
)

// ClaimNotification makes the caller the only one to handle an event until the claim runs out.
func (s *Store) ClaimNotification(ctx context.Context, eventID, orderID uuid.UUID, kind string, claim time.Duration) (Claim, error) {
	var attempts int
	err := s.primary.QueryRow(ctx, `
		insert into notification_inbox as inbox (event_id, type, order_id) values ($1, $2, $3)
		on conflict (event_id) do update set claimed_at = now(), attempts = inbox.attempts + 1
		where inbox.sent_at is null and inbox.claimed_at < now() - $4::interval
		returning attempts`, eventID, kind, orderID, claim).Scan(&attempts)
	if err == nil {
		return Mine, nil
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return Busy, err
	}
	var sent bool
	err = s.primary.QueryRow(ctx,
		`select sent_at is not null from notification_inbox where event_id = $1`, eventID).Scan(&sent)
	if err == nil && sent {
		return Done, nil
	}
	return Busy, err
}

// Sent notes that the provider took the notification.
func (s *Store) Sent(ctx context.Context, eventID uuid.UUID) error {
	_, err := s.primary.Exec(ctx, `update notification_inbox set sent_at = now() where event_id = $1`, eventID)
	return err
}

// Unclaim lets the next attempt start at once.
func (s *Store) Unclaim(ctx context.Context, eventID uuid.UUID) error {
	_, err := s.primary.Exec(ctx,
		`update notification_inbox set claimed_at = '-infinity' where event_id = $1 and sent_at is null`, eventID)
	return err
}
