package notification_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/cloudcommerce/order/internal/broker"
	"github.com/cloudcommerce/order/internal/events"
	"github.com/cloudcommerce/order/internal/notification"
	"github.com/cloudcommerce/order/internal/order"
	"github.com/cloudcommerce/order/internal/store"
	"github.com/cloudcommerce/order/internal/testkit"
)

// flaky fails the first times, then sends.
type flaky struct {
	mutex    sync.Mutex
	failures int
	sent     []notification.Message
}

func (f *flaky) Send(_ context.Context, message notification.Message) error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.failures--; f.failures >= 0 {
		return errors.New("the mail server is away")
	}
	f.sent = append(f.sent, message)
	return nil
}

func (f *flaky) count() int {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return len(f.sent)
}

type bench struct {
	store   *store.Store
	channel *amqp.Channel
	worker  notification.Settings
	order   order.Order
}

func newBench(t *testing.T, sender notification.Sender) bench {
	t.Helper()
	database, err := store.Open(context.Background(), testkit.Migrated(t), "", 5)
	if err != nil {
		t.Fatal(err)
	}
	o, err := order.New("user", []order.Item{}, "a@example.com", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := database.Create(t.Context(), store.Creation{Order: o, Key: "k", RequestHash: []byte{}, Token: uuid.New()}); err != nil {
		t.Fatal(err)
	}
	settings := notification.Settings{
		URL: testkit.StoreURL(t, "TEST_RABBITMQ_URL"), Topology: broker.Topology{Namespace: "test-" + uuid.NewString()[:8] + "."},
		RetryDelays: []time.Duration{50 * time.Millisecond, 100 * time.Millisecond}, Prefetch: 5, Claim: time.Second,
	}
	connection, err := broker.Dial(settings.URL, "tests")
	if err != nil {
		t.Fatal(err)
	}
	channel, err := connection.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if err := settings.Topology.Declare(channel); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	worker := notification.NewWorker(database, sender, settings, func(string, string) {})
	go func() { worker.Run(ctx); close(ended) }()
	t.Cleanup(func() {
		stop()
		<-ended
		names := []string{settings.Topology.Notifications(), settings.Topology.Dead()}
		for _, delay := range settings.RetryDelays {
			names = append(names, settings.Topology.Retry(delay))
		}
		for _, name := range names {
			_, _ = channel.QueueDelete(name, false, false, false)
		}
		_ = channel.ExchangeDelete(settings.Topology.Exchange(), false, false)
		_ = channel.ExchangeDelete(settings.Topology.DeadLetters(), false, false)
		_ = connection.Close()
		database.Close()
	})
	return bench{database, channel, settings, o}
}

func (b bench) publish(t *testing.T, body []byte) {
	t.Helper()
	if err := b.channel.PublishWithContext(t.Context(), b.worker.Topology.Exchange(), "order.created", true, false, amqp.Publishing{Body: body}); err != nil {
		t.Fatal(err)
	}
}

func (b bench) event(t *testing.T) []byte {
	t.Helper()
	outgoing, err := events.Of(b.order)
	if err != nil {
		t.Fatal(err)
	}
	return outgoing[len(outgoing)-1].Payload
}

func (b bench) dead(t *testing.T) int {
	t.Helper()
	queue, err := b.channel.QueueDeclarePassive(b.worker.Topology.Dead(), true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	return queue.Messages
}

func TestRetriesUntilItIsSent(t *testing.T) {
	sender := &flaky{failures: 2}
	b := newBench(t, sender)
	b.publish(t, b.event(t))
	testkit.Eventually(t, 10*time.Second, "not sent", func() bool { return sender.count() == 1 })
	if b.dead(t) != 0 {
		t.Error("a sent notification is a dead letter too")
	}
}

func TestGivesUpIntoTheDeadLetterQueue(t *testing.T) {
	sender := &flaky{failures: 100}
	b := newBench(t, sender)
	b.publish(t, b.event(t))
	testkit.Eventually(t, 10*time.Second, "no dead letter", func() bool { return b.dead(t) == 1 })
	if tried := 100 - sender.failures; tried != 3 {
		t.Errorf("tried %d times, want once and after each of two delays", tried)
	}
}

func TestNonsenseIsADeadLetterAtOnce(t *testing.T) {
	sender := &flaky{}
	b := newBench(t, sender)
	for _, body := range []string{"", "{", `{"id":"x"}`, `{"type":"order.created"}`, `[]`} {
		b.publish(t, []byte(body))
	}
	testkit.Eventually(t, 10*time.Second, "no dead letters", func() bool { return b.dead(t) == 5 })
	if sender.count() != 0 {
		t.Error("nonsense was sent")
	}
}

func TestRepetitionsAreSentOnce(t *testing.T) {
	sender := &flaky{}
	b := newBench(t, sender)
	event := b.event(t)
	for range 20 {
		b.publish(t, event)
	}
	testkit.Eventually(t, 10*time.Second, "not all are handled", func() bool {
		queue, err := b.channel.QueueDeclarePassive(b.worker.Topology.Notifications(), true, false, false, false, nil)
		return err == nil && queue.Messages == 0 && sender.count() > 0
	})
	time.Sleep(300 * time.Millisecond)
	if sender.count() != 1 {
		t.Errorf("sent %d times", sender.count())
	}
}

func TestFileSenderTakesEachKeyOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "letters.jsonl")
	if err := os.WriteFile(path, []byte(`{"key":"old"}`+"\n"+`{"key":"torn`), 0o600); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 {
		sender, err := notification.NewFileSender(path)
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			for _, key := range []string{"old", "a", "b"} {
				if err := sender.Send(t.Context(), notification.Message{Key: key}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]int{}
	for line := range strings.Lines(string(content)) {
		var message notification.Message
		if err := json.Unmarshal([]byte(line), &message); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		keys[message.Key]++
	}
	if len(keys) != 3 || keys["old"] != 1 || keys["a"] != 1 || keys["b"] != 1 {
		t.Errorf("got %v", keys)
	}
}
