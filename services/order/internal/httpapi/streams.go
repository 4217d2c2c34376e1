package httpapi

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/cloudcommerce/order/internal/live"
	"github.com/cloudcommerce/order/internal/order"
	"github.com/cloudcommerce/order/internal/problem"
)

const streamWriteTimeout = 10 * time.Second

// streamCounter keeps one process, and one customer, from holding too many connections.
type streamCounter struct {
	mutex   sync.Mutex
	total   int
	perUser map[string]int
}

func (n *streamCounter) enter(user string, limits StreamLimits) bool {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if n.perUser == nil {
		n.perUser = map[string]int{}
	}
	if n.total >= limits.Max || n.perUser[user] >= limits.MaxPerUser {
		return false
	}
	n.total++
	n.perUser[user]++
	return true
}

func (n *streamCounter) leave(user string) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.total--
	if n.perUser[user]--; n.perUser[user] == 0 {
		delete(n.perUser, user)
	}
}

// streamEvents tells an order's changes as they happen (https://html.spec.whatwg.org/multipage/server-sent-events.html).
// Event identifiers are the numbers of the changes. A new client gets the latest change first; one that comes
// back with Last-Event-ID gets all that it missed. The stream ends with the token that opened it.
func (s *Server) streamEvents(c *gin.Context) {
	o, ok := s.visible(c)
	if !ok {
		return
	}
	last := o.Version - 1
	if text := c.GetHeader("Last-Event-ID"); text != "" {
		seen, err := strconv.Atoi(text)
		if err != nil || seen < 0 {
			problem.Send(c, problem.Invalid([]problem.Field{{Pointer: "Last-Event-ID", Detail: "is not one that this stream gave out"}}))
			return
		}
		last = seen
	}
	who := identity(c)
	if !s.streams.enter(who.UserID, s.Streams) {
		problem.Send(c, problem.New(http.StatusTooManyRequests, "too-many-streams", "Close another stream first."))
		return
	}
	defer s.streams.leave(who.UserID)
	s.Metrics.Streams.Inc()
	defer s.Metrics.Streams.Dec()

	wake, stop := s.Hub.Watch(o.ID)
	defer stop()
	header := c.Writer.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store, no-transform")
	header.Set("X-Accel-Buffering", "no")
	c.Status(http.StatusOK)
	stream := &eventStream{server: s, writer: c.Writer, control: http.NewResponseController(c.Writer), last: last}
	// What happened between reading the order and watching it is in the database by now.
	if stream.fromDatabase(c, o) != nil {
		return
	}
	stream.follow(c, o, wake, who.Expires)
}

type eventStream struct {
	server  *Server
	writer  gin.ResponseWriter
	control *http.ResponseController
	last    int
}

func (e *eventStream) follow(c *gin.Context, o order.Order, wake <-chan struct{}, expires time.Time) {
	heartbeat := time.NewTicker(e.server.Streams.Heartbeat)
	defer heartbeat.Stop()
	expired := time.NewTimer(time.Until(expires))
	defer expired.Stop()
	for {
		var err error
		select {
		case <-c.Request.Context().Done():
			return
		case <-e.server.closing:
			return
		case <-expired.C:
			return
		case <-wake:
			err = e.fromRedis(c, o)
		case <-heartbeat.C:
			// A change that Redis lost is found here at the latest.
			if err = e.fromDatabase(c, o); err == nil {
				err = e.write(": heartbeat\n\n")
			}
		}
		if err != nil {
			return
		}
	}
}

func (e *eventStream) fromRedis(c *gin.Context, o order.Order) error {
	changes, err := live.Since(c.Request.Context(), e.server.Redis, o.ID, e.last)
	if err != nil || len(changes) > 0 && changes[0].Version != e.last+1 {
		return e.fromDatabase(c, o)
	}
	return e.send(changes)
}

func (e *eventStream) fromDatabase(c *gin.Context, o order.Order) error {
	current, err := e.server.Store.Order(c.Request.Context(), o.ID)
	if err != nil {
		slog.WarnContext(c.Request.Context(), "a stream looks again later", "order_id", o.ID, "error", err)
		return e.write(": waiting\n\n")
	}
	return e.send(current.Timeline)
}

// send writes the changes that the client has not seen.
func (e *eventStream) send(changes []order.Change) error {
	text := ""
	for _, change := range changes {
		if change.Version <= e.last {
			continue
		}
		content, err := json.Marshal(change)
		if err != nil {
			return err
		}
		text += fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", change.Version, change.State, content)
		e.last = change.Version
	}
	return e.write(text)
}

func (e *eventStream) write(text string) error {
	if err := e.control.SetWriteDeadline(time.Now().Add(streamWriteTimeout)); err != nil {
		return err
	}
	if _, err := e.writer.WriteString(text); err != nil {
		return err
	}
	return e.control.Flush()
}
