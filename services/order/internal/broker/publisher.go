package broker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/cloudcommerce/order/internal/events"
	"github.com/cloudcommerce/order/internal/store"
)

// Connection settings: a dead broker is noticed within two heartbeats.
const (
	heartbeat      = 10 * time.Second
	connectTimeout = 5 * time.Second
)

// Dial opens a connection that shows its name in RabbitMQ's management.
func Dial(url, name string) (*amqp.Connection, error) {
	properties := amqp.NewConnectionProperties()
	properties.SetClientConnectionName(name)
	connection, err := amqp.DialConfig(url, amqp.Config{
		Heartbeat: heartbeat, Dial: amqp.DefaultDial(connectTimeout), Properties: properties,
	})
	if err != nil {
		// The library's own errors may repeat the URL.
		return nil, fmt.Errorf("connect to RabbitMQ: %w", redacted(err))
	}
	return connection, nil
}

func redacted(err error) error {
	var refused *amqp.Error
	if errors.As(err, &refused) {
		return refused
	}
	return errors.New("the broker can't be reached")
}

// Publisher sends events and counts those as sent that RabbitMQ has confirmed and routed to a queue.
type Publisher struct {
	url      string
	topology Topology

	mutex      sync.Mutex
	connection *amqp.Connection
	channel    *amqp.Channel
	returns    chan amqp.Return
}

// NewPublisher connects when there is something to publish, and again after every failure.
func NewPublisher(url string, topology Topology) *Publisher {
	return &Publisher{url: url, topology: topology}
}

// Connected reports whether the last use of the connection went well.
func (p *Publisher) Connected() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.channel != nil && !p.channel.IsClosed()
}

// Connect opens the connection ahead of the first event.
func (p *Publisher) Connect() error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.connect()
}

// Close ends the connection.
func (p *Publisher) Close() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.disconnect()
}

// Publish sends all messages, waits for the confirms, and returns the positions of those that are safe.
func (p *Publisher) Publish(ctx context.Context, messages []store.Message) ([]int64, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if err := p.connect(); err != nil {
		return nil, err
	}
	safe, err := p.publish(ctx, messages)
	if err != nil {
		p.disconnect()
	}
	return safe, err
}

func (p *Publisher) publish(ctx context.Context, messages []store.Message) ([]int64, error) {
	confirms := make([]*amqp.DeferredConfirmation, 0, len(messages))
	var failure error
	for _, message := range messages {
		confirm, err := p.channel.PublishWithDeferredConfirmWithContext(ctx, p.topology.Exchange(), message.RoutingKey, true, false,
			amqp.Publishing{
				ContentType: events.ContentType, DeliveryMode: amqp.Persistent, MessageId: message.EventID.String(),
				Type: message.RoutingKey, Headers: amqp.Table{"traceparent": message.Traceparent}, Body: message.Payload,
			})
		if err != nil {
			failure = err
			break
		}
		confirms = append(confirms, confirm)
	}
	var safe []int64
	for i, confirm := range confirms {
		acknowledged, err := confirm.WaitContext(ctx)
		if err != nil || !acknowledged {
			return safe, errors.Join(failure, err, errors.New("RabbitMQ did not confirm an event"))
		}
		safe = append(safe, messages[i].Position)
	}
	return p.withoutReturned(messages, safe, failure)
}

// withoutReturned takes out what no queue wanted: RabbitMQ returns such a message before it confirms it.
func (p *Publisher) withoutReturned(messages []store.Message, safe []int64, failure error) ([]int64, error) {
	returned := map[string]bool{}
	for {
		select {
		case one, open := <-p.returns:
			if open {
				returned[one.MessageId] = true
				continue
			}
		default:
		}
		break
	}
	if len(returned) == 0 {
		return safe, failure
	}
	var kept []int64
	for i, position := range safe {
		if !returned[messages[i].EventID.String()] {
			kept = append(kept, position)
		}
	}
	return kept, errors.Join(failure, fmt.Errorf("%d events found no queue behind %s", len(returned), p.topology.Exchange()))
}

func (p *Publisher) connect() error {
	if p.channel != nil && !p.channel.IsClosed() {
		return nil
	}
	p.disconnect()
	connection, err := Dial(p.url, "order outbox")
	if err != nil {
		return err
	}
	channel, err := connection.Channel()
	if err == nil {
		err = errors.Join(p.topology.Declare(channel), channel.Confirm(false))
	}
	if err != nil {
		_ = connection.Close()
		return err
	}
	p.connection, p.channel = connection, channel
	// As many as one batch can have, so that the connection never waits for us to read them.
	p.returns = channel.NotifyReturn(make(chan amqp.Return, maxReturns))
	return nil
}

const maxReturns = 1000

func (p *Publisher) disconnect() {
	if p.connection != nil {
		_ = p.connection.Close()
	}
	p.connection, p.channel = nil, nil
}
