package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/cloudcommerce/order/internal/migrations"
	"github.com/cloudcommerce/order/internal/order"
	"github.com/cloudcommerce/order/internal/store"
	"github.com/cloudcommerce/order/internal/testkit"
)

func open(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), testkit.Migrated(t), "", 10)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// place makes an order with a saga that the caller has leased.
func place(t *testing.T, s *store.Store, lease time.Duration) (order.Order, store.Saga) {
	t.Helper()
	o, err := order.New("user", []order.Item{{ProductID: uuid.NewString(), Quantity: 1}}, "a@example.com", "")
	if err != nil {
		t.Fatal(err)
	}
	token := uuid.New()
	created, err := s.Create(t.Context(), store.Creation{
		Order: o, Key: o.ID.String(), RequestHash: []byte("hash"), FirstStep: "first", Token: token, Lease: lease,
	})
	if err != nil || !created {
		t.Fatalf("got %v, %v", created, err)
	}
	return o, store.Saga{OrderID: o.ID, Step: "first", Token: token}
}

// A proxy between the service and PostgreSQL can't share connections that have prepared statements, so there every
// statement goes out with its values as text, and without anybody asking for the parameters' types.
func TestEveryStatementRunsWithoutBeingPrepared(t *testing.T) {
	ctx := t.Context()
	s, err := store.Open(ctx, testkit.Migrated(t)+"?default_query_exec_mode=exec", "", 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	before, saga := place(t, s, time.Minute)
	after := before
	after.PaymentIntentID, after.ReservedUntil = "pi_1", time.Now()
	after.MoveTo(order.Reserved, "", time.Now())
	saga, err = s.Record(ctx, saga, store.Progress{Before: before, After: after, Next: "second", Lease: time.Minute})
	must("Record", err)
	_, err = s.Reload(ctx, saga)
	must("Reload", err)
	kept, err := s.Order(ctx, before.ID)
	if err != nil || kept.State != order.Reserved || len(kept.Timeline) != 2 {
		t.Errorf("Order: %+v, %v", kept, err)
	}
	history, err := s.History(ctx, before.UserID, store.Page{Limit: 10})
	if err != nil || len(history) != 1 {
		t.Errorf("History: %v, %v", history, err)
	}
	if asked, err := s.RequestCancel(ctx, before.ID); err != nil || !asked {
		t.Errorf("RequestCancel: %v, %v", asked, err)
	}
	must("Postpone", s.Postpone(ctx, saga, 0, "an error"))
	busy, err := s.Busy(ctx, before.ID)
	if err != nil || busy {
		t.Errorf("Busy: %v, %v", busy, err)
	}
	due, err := s.LeaseDue(ctx, time.Nanosecond, 10)
	if err != nil || len(due) != 1 {
		t.Errorf("LeaseDue: %v, %v", due, err)
	}
	_, err = s.Lease(ctx, before.ID, time.Minute)
	must("Lease", err)
	if begun, err := s.Begin(ctx, before.ID, "first", "", "", order.Reserved); err != nil || begun {
		t.Errorf("Begin beside another: %v, %v", begun, err)
	}
	fresh, err := s.TakeStripeEvent(ctx, store.StripeEvent{
		ID: "evt_1", Kind: "x", OrderID: before.ID, IntentID: "pi_1", Step: "first", In: []order.State{order.Reserved},
	})
	if err != nil || !fresh {
		t.Errorf("TakeStripeEvent: %v, %v", fresh, err)
	}
	status, body, err := s.Answer(ctx, before.UserID, before.ID.String(), 201, []byte(`{"a":"b"}`))
	if err != nil || status != 201 || !strings.Contains(string(body), `"b"`) {
		t.Errorf("Answer: %d %s, %v", status, body, err)
	}
	attempt, err := s.Attempt(ctx, before.UserID, before.ID.String())
	if err != nil || attempt.OrderID != before.ID || string(attempt.RequestHash) != "hash" {
		t.Errorf("Attempt: %+v, %v", attempt, err)
	}
	sent, err := s.Dispatch(ctx, "broker", 10, func(_ context.Context, messages []store.Message) ([]int64, error) {
		return []int64{messages[0].Position}, nil
	})
	if err != nil || sent != 1 {
		t.Errorf("Dispatch: %d, %v", sent, err)
	}
	backlogs, err := s.Backlogs(ctx)
	if err != nil || len(backlogs) != 2 {
		t.Errorf("Backlogs: %v, %v", backlogs, err)
	}
	_, err = s.OverdueSagas(ctx, time.Minute)
	must("OverdueSagas", err)
	event := uuid.New()
	if claim, err := s.ClaimNotification(ctx, event, before.ID, "order.created", time.Minute); err != nil || claim != store.Mine {
		t.Errorf("ClaimNotification: %v, %v", claim, err)
	}
	must("Unclaim", s.Unclaim(ctx, event))
	must("Sent", s.Sent(ctx, event))
	must("Purge", s.Purge(ctx, time.Hour, time.Hour, time.Hour))
}

func TestOnlyMovesOfTheStateMachineAreWritten(t *testing.T) {
	s := open(t)
	for _, from := range order.States() {
		for _, to := range order.States() {
			if from == to {
				continue
			}
			before, saga := place(t, s, time.Minute)
			if _, err := s.Primary().Exec(t.Context(), `update orders set state = $2 where id = $1`, before.ID, from); err != nil {
				t.Fatal(err)
			}
			before.State = from
			after := before
			after.MoveTo(to, "", time.Now())
			_, err := s.Record(t.Context(), saga, store.Progress{Before: before, After: after, Next: "second", Lease: time.Minute})
			if order.CanMove(from, to) != (err == nil) || err != nil && !errors.Is(err, store.ErrLostLease) {
				t.Errorf("%s to %s: %v", from, to, err)
			}
			kept, err := s.Order(t.Context(), before.ID)
			if err != nil {
				t.Fatal(err)
			}
			if want := map[bool]order.State{true: to, false: from}[order.CanMove(from, to)]; kept.State != want {
				t.Errorf("%s to %s: the order is %s", from, to, kept.State)
			}
		}
	}
}

func TestALostLeaseWritesNothing(t *testing.T) {
	s := open(t)
	before, saga := place(t, s, time.Millisecond)
	time.Sleep(10 * time.Millisecond)
	taken, err := s.LeaseDue(t.Context(), time.Minute, 10)
	if err != nil || len(taken) != 1 {
		t.Fatalf("got %v, %v", taken, err)
	}
	after := before
	after.MoveTo(order.Reserved, "", time.Now())
	progress := store.Progress{Before: before, After: after, Next: "second", Lease: time.Minute}
	if _, err := s.Record(t.Context(), saga, progress); !errors.Is(err, store.ErrLostLease) {
		t.Errorf("the old holder got %v", err)
	}
	if _, err := s.Record(t.Context(), taken[0], progress); err != nil {
		t.Errorf("the new holder got %v", err)
	}
}

func TestALeaseHasOneHolder(t *testing.T) {
	s := open(t)
	for range 20 {
		place(t, s, time.Nanosecond)
	}
	time.Sleep(10 * time.Millisecond)
	var mutex sync.Mutex
	holders := map[uuid.UUID]int{}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 5 {
				sagas, err := s.LeaseDue(t.Context(), time.Minute, 3)
				if err != nil {
					t.Error(err)
				}
				mutex.Lock()
				for _, saga := range sagas {
					holders[saga.OrderID]++
				}
				mutex.Unlock()
			}
		})
	}
	all.Wait()
	if len(holders) != 20 {
		t.Errorf("%d of 20 were leased", len(holders))
	}
	for id, n := range holders {
		if n != 1 {
			t.Errorf("order %s has %d holders", id, n)
		}
	}
}

func TestACancellationIsNeverLostAtTheEnd(t *testing.T) {
	s := open(t)
	before, saga := place(t, s, time.Minute)
	if asked, err := s.RequestCancel(t.Context(), before.ID); err != nil || !asked {
		t.Fatalf("got %v, %v", asked, err)
	}
	if _, err := s.Record(t.Context(), saga, store.Progress{Before: before, After: before, Next: ""}); !errors.Is(err, store.ErrLostLease) {
		t.Errorf("the saga ended with %v", err)
	}
}

func TestAWakeUpDuringAStepIsNotLost(t *testing.T) {
	s := open(t)
	o, saga := place(t, s, time.Minute)
	if _, err := s.Primary().Exec(t.Context(), `update orders set payment_intent_id = 'pi_1' where id = $1`, o.ID); err != nil {
		t.Fatal(err)
	}
	event := store.StripeEvent{ID: "evt_1", Kind: "x", OrderID: o.ID, IntentID: "pi_1", Step: "first", In: []order.State{order.Pending}}
	for _, want := range []bool{true, false} {
		if fresh, err := s.TakeStripeEvent(t.Context(), event); err != nil || fresh != want {
			t.Fatalf("got %v, %v, want %v", fresh, err, want)
		}
	}
	if err := s.Postpone(t.Context(), saga, time.Hour, ""); err != nil {
		t.Fatal(err)
	}
	if due, err := s.LeaseDue(t.Context(), time.Minute, 1); err != nil || len(due) != 1 {
		t.Errorf("got %v, %v", due, err)
	}
}

func TestQueriesReadOnePartitionAndUseTheIndex(t *testing.T) {
	s := open(t)
	plan := func(query string, arguments ...any) string {
		rows, err := s.Primary().Query(t.Context(), "explain (costs off"+query, arguments...)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var lines []string
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, line)
		}
		return strings.Join(lines, "\n")
	}
	id := uuid.Must(uuid.NewV7())
	if one := plan(`) select * from orders where id = $1 and created_at = $2`, id, order.CreatedAt(id)); strings.Count(one, "orders_") != 2 ||
		!strings.Contains(one, "Index Scan") {
		t.Errorf("one order:\n%s", one)
	}
	if _, err := s.Primary().Exec(t.Context(), `set enable_seqscan = off`); err != nil {
		t.Fatal(err)
	}
	history := plan(`) select * from orders where user_id = 'u' and (created_at, id) < ($1, $2) and created_at <= $1 order by created_at desc, id desc limit 20`,
		time.Now(), id)
	if strings.Contains(history, "Sort  ") || strings.Contains(history, time.Now().AddDate(0, 2, -time.Now().Day()).Format("2006_01")) || strings.Contains(history, "Seq Scan") {
		t.Errorf("history:\n%s", history)
	}
	// The plan that a prepared statement keeps has every month in it; PostgreSQL leaves them out when it runs.
	for name, query := range map[string]string{
		"one":     `(uuid, timestamptz) as select * from orders where id = $1 and created_at = $2`,
		"history": `(uuid, timestamptz) as select * from orders where user_id = 'u' and (created_at, id) < ($2, $1) and created_at <= $2 order by created_at desc, id desc limit 20`,
	} {
		if _, err := s.Primary().Exec(t.Context(), "prepare "+name+query); err != nil {
			t.Fatal(err)
		}
		kept := plan(fmt.Sprintf(") execute %s('%s', now())", name, id))
		if !strings.Contains(kept, "$2") || !strings.Contains(kept, "Subplans Removed") || strings.Contains(kept, "Sort  ") || strings.Contains(kept, "Seq Scan") {
			t.Errorf("%s, prepared:\n%s", name, kept)
		}
	}
}

func TestMigrationsRunTwiceAndAtOnce(t *testing.T) {
	database := testkit.Database(t)
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if err := migrations.Run(t.Context(), database, time.Now()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	s, err := store.Open(t.Context(), database, "", 2)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	// Rows that found no partition are taken over by the one that comes.
	o, err := order.New("user", []order.Item{}, "", "")
	if err != nil {
		t.Fatal(err)
	}
	future := time.Now().AddDate(2, 0, 0)
	for i, octet := range []int{40, 32, 24, 16, 8, 0} {
		o.ID[i] = byte(future.UnixMilli() >> octet)
	}
	o.CreatedAt = order.CreatedAt(o.ID)
	if _, err := s.Create(t.Context(), store.Creation{Order: o, Key: "k", RequestHash: []byte{}, Token: uuid.New()}); err != nil {
		t.Fatal(err)
	}
	if err := migrations.Run(t.Context(), database, future); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Order(t.Context(), o.ID); err != nil {
		t.Error(err)
	}
	var left int
	if err := s.Primary().QueryRow(t.Context(), `select count(*) from orders_default`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d rows stay in the default partition, %v", left, err)
	}
}
