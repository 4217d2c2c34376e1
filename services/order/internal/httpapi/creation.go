package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/cloudcommerce/order/internal/cart"
	"github.com/cloudcommerce/order/internal/order"
	"github.com/cloudcommerce/order/internal/problem"
	"github.com/cloudcommerce/order/internal/saga"
	"github.com/cloudcommerce/order/internal/store"
	"github.com/cloudcommerce/order/internal/telemetry"
)

const (
	// sagaPatience is how long a request waits for its order to get somewhere.
	sagaPatience = 10 * time.Second
	pollInterval = 50 * time.Millisecond
)

func (s *Server) createOrder(c *gin.Context) {
	var input orderInput
	if !decode(c, &input) {
		return
	}
	items, wrong := checkOrder(input)
	key := c.GetHeader("Idempotency-Key")
	if !keyForm.MatchString(key) {
		wrong = append(wrong, problem.Field{Pointer: "Idempotency-Key", Detail: "is missing or not 1 to 255 visible ASCII characters"})
	}
	if len(wrong) > 0 {
		problem.Send(c, problem.Invalid(wrong))
		return
	}
	hash, err := hashOf(input)
	if err != nil {
		fail(c, "can't hash the request", err)
		return
	}
	s.place(c, key, hash, items, input)
}

// place makes the order, unless there is one under the key.
func (s *Server) place(c *gin.Context, key string, hash []byte, items []order.Item, input orderInput) {
	ctx, userID := c.Request.Context(), identity(c).UserID
	var ordered cart.Cart
	if len(items) == 0 {
		var ok bool
		if ordered, ok = s.cartToOrder(c, key, hash); !ok {
			return
		}
		items = ordered.Items
	}
	o, err := order.New(userID, items, input.ContactEmail, input.PaymentMethod)
	if err != nil {
		fail(c, "can't make an order", err)
		return
	}
	token, traceparent := uuid.New(), telemetry.Traceparent(ctx)
	created, err := s.Store.Create(ctx, store.Creation{
		Order: o, Key: key, RequestHash: hash, FirstStep: string(saga.ReserveStock), Token: token,
		Lease: s.Runner.Lease(), Traceparent: traceparent,
	})
	if err != nil {
		fail(c, "can't write the order", err)
		return
	}
	if !created {
		if !s.seen(c, key, hash) {
			fail(c, "can't find the order under the idempotency key", store.ErrNotFound)
		}
		return
	}
	s.Metrics.Moved(o)
	leased := store.Saga{OrderID: o.ID, Step: string(saga.ReserveStock), Token: token, Traceparent: traceparent}
	if o, err = s.run(ctx, leased, o); err != nil {
		fail(c, "can't read the order", err)
		return
	}
	if !ordered.UpdatedAt.IsZero() && o.State != order.Failed {
		// A customer whose order failed keeps the cart.
		if err := s.Carts.DeleteOrdered(ctx, userID, ordered); err != nil {
			slog.WarnContext(ctx, "the cart stays full", "order_id", o.ID, "error", err)
		}
	}
	s.answer(c, key, o, false)
}

// cartToOrder reads a cart that has something in it; else it answers and reports false.
func (s *Server) cartToOrder(c *gin.Context, key string, hash []byte) (cart.Cart, bool) {
	held, err := s.Carts.Get(c.Request.Context(), identity(c).UserID)
	switch {
	case err == nil && len(held.Items) > 0:
		return held, true
	case s.seen(c, key, hash): // an order under this key has emptied it
	case err != nil:
		fail(c, "can't read the cart", err)
	default:
		problem.Send(c, problem.Invalid([]problem.Field{{Pointer: "/items", Detail: "is empty, and so is the cart"}}))
	}
	return held, false
}

// seen answers a request whose key was used before, or reports false when it was not.
func (s *Server) seen(c *gin.Context, key string, hash []byte) bool {
	attempt, err := s.Store.Attempt(c.Request.Context(), identity(c).UserID, key)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return false
	case err != nil:
		fail(c, "can't look up the idempotency key", err)
	default:
		s.replay(c, key, hash, attempt)
	}
	return true
}

// run takes a leased saga on within the request, and returns the order as it stands then; what does not get done is
// the recovery loop's.
func (s *Server) run(ctx context.Context, leased store.Saga, o order.Order) (order.Order, error) {
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), sagaPatience)
	defer cancel()
	after, err := s.Runner.RunFrom(patience, leased, o)
	s.Wake()
	if err != nil {
		slog.WarnContext(ctx, "the order goes on later", "order_id", o.ID, "error", err)
		return s.Store.Order(ctx, o.ID)
	}
	return after, nil
}

// replay answers a request whose key was seen before.
func (s *Server) replay(c *gin.Context, key string, hash []byte, attempt store.Attempt) {
	if string(attempt.RequestHash) != string(hash) {
		problem.Send(c, problem.New(http.StatusUnprocessableEntity, "idempotency-key-reused",
			"This Idempotency-Key belongs to another request. Use a new key for a new order."))
		return
	}
	if attempt.Status != 0 {
		sendStored(c, attempt.OrderID, attempt.Status, attempt.Body, true)
		return
	}
	if !s.settled(c.Request.Context(), attempt.OrderID) {
		c.Header("Retry-After", "1")
		problem.Send(c, problem.New(http.StatusConflict, "request-in-progress", "The first request with this Idempotency-Key is still at work."))
		return
	}
	o, err := s.Store.Order(c.Request.Context(), attempt.OrderID)
	if err != nil {
		fail(c, "can't read the order", err)
		return
	}
	s.answer(c, key, o, true)
}

// settled waits until nobody is at work on the order.
func (s *Server) settled(ctx context.Context, id uuid.UUID) bool {
	ctx, cancel := context.WithTimeout(ctx, sagaPatience)
	defer cancel()
	for {
		busy, err := s.Store.Busy(ctx, id)
		if err == nil && !busy {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pollInterval):
		}
	}
}

// answer keeps the answer under the key and sends it; of two, the first one kept is sent by both.
func (s *Server) answer(c *gin.Context, key string, o order.Order, replayed bool) {
	status, content := answerOf(c, o)
	body, err := json.Marshal(content)
	if err == nil {
		status, body, err = s.Store.Answer(c.Request.Context(), identity(c).UserID, key, status, body)
	}
	if err != nil {
		fail(c, "can't keep the answer", err)
		return
	}
	sendStored(c, o.ID, status, body, replayed)
}

func sendStored(c *gin.Context, id uuid.UUID, status int, body []byte, replayed bool) {
	kind := "application/json; charset=utf-8"
	if status >= http.StatusBadRequest {
		kind = problem.ContentType
	}
	if replayed {
		c.Header("Idempotency-Replayed", "true")
	}
	c.Header("Location", "/api/v1/orders/"+id.String())
	c.Data(status, kind, body)
}

func hashOf(input orderInput) ([]byte, error) {
	canonical, err := json.Marshal(input)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(canonical)
	return hash[:], nil
}
