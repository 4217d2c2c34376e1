package httpapi

import (
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
	o, ok := s.visible(c)
	if !ok {
		return
	}
	ctx := c.Request.Context()
	asked, err := s.Store.RequestCancel(ctx, o.ID)
	if err == nil && !asked {
		asked, err = s.Store.Begin(ctx, o.ID, string(saga.RefundPayment), order.ReasonCustomerRequest, telemetry.Traceparent(ctx), order.Paid)
	}
	if err != nil {
		fail(c, "can't ask for cancellation", err)
		return
	}
	s.drive(c, o.ID, asked, "cancelled", order.Cancelled, order.Refunded)
}

func (s *Server) refundOrder(c *gin.Context) {
	s.begin(c, saga.RefundPayment, order.ReasonSupportRefund, "refunded", []order.State{order.Paid, order.Fulfilled}, order.Refunded)
}

func (s *Server) fulfillOrder(c *gin.Context) {
	s.begin(c, saga.Fulfill, "", "fulfilled", []order.State{order.Paid}, order.Fulfilled)
}

func (s *Server) begin(c *gin.Context, step saga.Step, reason, what string, in []order.State, wanted ...order.State) {
	o, ok := s.visible(c)
	if !ok {
		return
	}
	ctx := c.Request.Context()
	began, err := s.Store.Begin(ctx, o.ID, string(step), reason, telemetry.Traceparent(ctx), in...)
	if err != nil {
		fail(c, "can't begin", err)
		return
	}
	s.drive(c, o.ID, began, what, wanted...)
}

// drive works on an order until it is where the caller wants it, and tells how far it got.
func (s *Server) drive(c *gin.Context, id uuid.UUID, begun bool, what string, wanted ...order.State) {
	ctx := c.Request.Context()
	leased, err := s.Store.Lease(ctx, id, s.Runner.Lease())
	switch {
	case err == nil:
		s.run(ctx, leased)
	case errors.Is(err, store.ErrNotFound):
		s.settled(ctx, id)
	default:
		fail(c, "can't lease the order", err)
		return
	}
	o, err := s.Store.Order(ctx, id)
	if err != nil {
		fail(c, "can't read the order", err)
		return
	}
	shown := view(o, o.UserID == identity(c).UserID)
	switch {
	case slices.Contains(wanted, o.State):
		c.JSON(http.StatusOK, shown)
	case begun && reachable(o.State, wanted):
		c.JSON(http.StatusAccepted, shown)
	default:
		p := problem.New(http.StatusConflict, "invalid-state", fmt.Sprintf("An order that is %s can't be %s.", o.State, what))
		p.OrderID = id.String()
		problem.Send(c, p)
	}
}

func reachable(from order.State, wanted []order.State) bool {
	return slices.ContainsFunc(wanted, func(to order.State) bool { return order.CanMove(from, to) })
}
