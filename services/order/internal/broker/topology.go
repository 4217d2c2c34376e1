// Package broker speaks to RabbitMQ: what exchanges and queues there are, and how events get there safely.
package broker

import (
	"fmt"
	"strconv"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Topology names the exchange and the queues. The namespace is empty but in tests that share a broker.
type Topology struct{ Namespace string }

// Exchange is where all events go.
func (t Topology) Exchange() string { return t.Namespace + "commerce.events" }

// DeadLetters is the exchange for messages that nobody could handle.
func (t Topology) DeadLetters() string { return t.Namespace + "commerce.dead-letter" }

// Notifications is the worker's queue.
func (t Topology) Notifications() string { return t.Namespace + "notifications" }

// Dead keeps the worker's dead letters for people to look at.
func (t Topology) Dead() string { return t.Namespace + "notifications.dead" }

// Retry names the queue in which a notification waits for its next attempt. The delay is part of the name
// because a queue can't be declared anew with another one.
func (t Topology) Retry(delay time.Duration) string {
	return t.Namespace + "notifications.retry." + strconv.FormatInt(delay.Milliseconds(), 10)
}

// poisonLimit is how often RabbitMQ itself redelivers a message whose worker died; then it is a dead letter.
const poisonLimit = 20

// Declare makes what is not there. Both programs call it, so that no event is lost whichever starts first.
func (t Topology) Declare(channel *amqp.Channel) error {
	for _, exchange := range []string{t.Exchange(), t.DeadLetters()} {
		if err := channel.ExchangeDeclare(exchange, amqp.ExchangeTopic, true, false, false, false, nil); err != nil {
			return fmt.Errorf("declare the exchange %s: %w", exchange, err)
		}
	}
	if err := t.quorumQueue(channel, t.Notifications(), t.DeadLetters(), "", amqp.Table{"x-delivery-limit": poisonLimit}); err != nil {
		return err
	}
	if err := channel.QueueBind(t.Notifications(), "order.*", t.Exchange(), false, nil); err != nil {
		return err
	}
	dead := amqp.Table{amqp.QueueTypeArg: amqp.QueueTypeQuorum}
	if _, err := channel.QueueDeclare(t.Dead(), true, false, false, false, dead); err != nil {
		return fmt.Errorf("declare the queue %s: %w", t.Dead(), err)
	}
	return channel.QueueBind(t.Dead(), "#", t.DeadLetters(), false, nil)
}

// DeclareRetries makes a waiting queue for each delay.
func (t Topology) DeclareRetries(channel *amqp.Channel, delays []time.Duration) error {
	for _, delay := range delays {
		ttl := amqp.Table{amqp.QueueMessageTTLArg: delay.Milliseconds()}
		if err := t.quorumQueue(channel, t.Retry(delay), "", t.Notifications(), ttl); err != nil {
			return err
		}
	}
	return nil
}

// quorumQueue declares a replicated queue that hands its dead letters on with confirms, so that none is lost
// between two queues.
func (t Topology) quorumQueue(channel *amqp.Channel, name, exchange, routingKey string, extra amqp.Table) error {
	arguments := amqp.Table{
		amqp.QueueTypeArg:        amqp.QueueTypeQuorum,
		"x-dead-letter-exchange": exchange,
		"x-dead-letter-strategy": "at-least-once",
		amqp.QueueOverflowArg:    amqp.QueueOverflowRejectPublish,
	}
	if routingKey != "" {
		arguments["x-dead-letter-routing-key"] = routingKey
	}
	for key, value := range extra {
		arguments[key] = value
	}
	if _, err := channel.QueueDeclare(name, true, false, false, false, arguments); err != nil {
		return fmt.Errorf("declare the queue %s: %w", name, err)
	}
	return nil
}
