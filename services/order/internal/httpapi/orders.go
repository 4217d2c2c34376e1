package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/cloudcommerce/order/internal/order"
	"github.com/cloudcommerce/order/internal/problem"
	"github.com/cloudcommerce/order/internal/saga"
	"github.com/cloudcommerce/order/internal/store"
	"github.com/cloudcommerce/order/internal/telemetry"
)

// visible reads the order in the path. To anybody but its owner and staff it does not exist.
func (s *Server) visible(c *gin.Context) (order.Order, bool) {
	id, ok := order.ParseID(c.Param("id"))
	if !ok {
		notFound(c)
		return order.Order{}, false
	}
	o, err := s.Store.Order(c.Request.Context(), id)
	who := identity(c)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && o.UserID != who.UserID && !who.Staff():
		notFound(c)
	case err != nil:
		fail(c, "can't read the order", err)
	default:
		return o, true
	}
	return order.Order{}, false
}

func (s *Server) getOrder(c *gin.Context) {
	if o, ok := s.visible(c); ok {
		c.JSON(http.StatusOK, view(o, o.UserID == identity(c).UserID))
	}
}

func (s *Server) listOrders(c *gin.Context) {
	page := store.Page{Limit: defaultPage}
	if text, given := c.GetQuery("limit"); given {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 || limit > maxPage {
			problem.Send(c, problem.Invalid([]problem.Field{{Pointer: "limit", Detail: fmt.Sprintf("wants 1 to %d", maxPage)}}))
			return
		}
		page.Limit = limit
	}
	if text, given := c.GetQuery("cursor"); given {
		id, ok := order.ParseID(text)
		if !ok {
			problem.Send(c, problem.Invalid([]problem.Field{{Pointer: "cursor", Detail: "is not one that this list gave out"}}))
			return
		}
		page.Before = id
	}
	wanted := page.Limit
	page.Limit++ // one more tells whether there is another page
	orders, err := s.Store.History(c.Request.Context(), identity(c).UserID, page)
	if err != nil {
		fail(c, "can't read the history", err)
		return
	}
	var next *string
	if len(orders) > wanted {
		orders = orders[:wanted]
		cursor := orders[wanted-1].ID.String()
		next = &cursor
	}
	views := make([]orderView, 0, len(orders))
	for _, o := range orders {
		views = append(views, view(o, true))
	}
	c.JSON(http.StatusOK, gin.H{"items": views, "next_cursor": next})
}

func (s *Server) cancelOrder(c *gin.Context) {
	s.pursue(c, "cancelled", []order.State{order.Pending, order.Reserved, order.Paid}, []order.State{order.Cancelled, order.Refunded},
		func(ctx context.Context, id uuid.UUID) (bool, error) {
			asked, err := s.Store.RequestCancel(ctx, id)
			if err != nil || asked {
				return asked, err
			}
			return s.Store.Begin(ctx, id, string(saga.RefundPayment), order.ReasonCustomerRequest, telemetry.Traceparent(ctx), order.Paid)
		})
}

func (s *Server) refundOrder(c *gin.Context) {
	from := []order.State{order.Paid, order.Fulfilled}
	s.pursue(c, "refunded", from, []order.State{order.Refunded}, func(ctx context.Context, id uuid.UUID) (bool, error) {
		return s.Store.Begin(ctx, id, string(saga.RefundPayment), order.ReasonSupportRefund, telemetry.Traceparent(ctx), from...)
	})
}

func (s *Server) fulfillOrder(c *gin.Context) {
	from := []order.State{order.Paid}
	s.pursue(c, "fulfilled", from, []order.State{order.Fulfilled}, func(ctx context.Context, id uuid.UUID) (bool, error) {
		return s.Store.Begin(ctx, id, string(saga.Fulfill), "", telemetry.Traceparent(ctx), from...)
	})
}

// pursueAttempts is how often an order that is busy with something else is asked again.
const pursueAttempts = 3

// pursue asks for an order to be taken from one of the states to one of those wanted, works on it, and tells
// how far it got.
func (s *Server) pursue(
	c *gin.Context, what string, from, wanted []order.State, ask func(context.Context, uuid.UUID) (bool, error),
) {
	o, ok := s.visible(c)
	if !ok {
		return
	}
	for range pursueAttempts {
		asked, err := ask(c.Request.Context(), o.ID)
		if err == nil {
			o, err = s.work(c.Request.Context(), o.ID)
		}
		switch shown := view(o, o.UserID == identity(c).UserID); {
		case err != nil:
			fail(c, "can't take the order on", err)
			return
		case slices.Contains(wanted, o.State):
			c.JSON(http.StatusOK, shown)
			return
		case !slices.Contains(from, o.State):
			p := problem.New(http.StatusConflict, "invalid-state", fmt.Sprintf("An order that is %s can't be %s.", o.State, what))
			p.OrderID = o.ID.String()
			problem.Send(c, p)
			return
		case asked:
			c.JSON(http.StatusAccepted, shown)
			return
		}
	}
	problem.Send(c, problem.Unavailable("The order is busy with something else."))
}

// work runs an order's saga, or waits for whoever does, and returns the order as it is then.
func (s *Server) work(ctx context.Context, id uuid.UUID) (order.Order, error) {
	leased, err := s.Store.Lease(ctx, id, s.Runner.Lease())
	if errors.Is(err, store.ErrNotFound) {
		s.settled(ctx, id)
		return s.Store.Order(ctx, id)
	}
	if err != nil {
		return order.Order{}, err
	}
	o, err := s.Store.Order(ctx, id)
	if err != nil {
		return o, err
	}
	return s.run(ctx, leased, o)
}
