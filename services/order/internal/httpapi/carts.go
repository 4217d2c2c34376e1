package httpapi

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/cloudcommerce/order/internal/cart"
	"github.com/cloudcommerce/order/internal/problem"
)

type cartView struct {
	Items     []itemInput `json:"items"`
	UpdatedAt *time.Time  `json:"updated_at,omitempty"`
}

func viewCart(held cart.Cart) cartView {
	v := cartView{Items: make([]itemInput, 0, len(held.Items))}
	for _, item := range held.Items {
		v.Items = append(v.Items, itemInput{item.ProductID, item.Quantity})
	}
	if !held.UpdatedAt.IsZero() {
		v.UpdatedAt = &held.UpdatedAt
	}
	return v
}

func (s *Server) getCart(c *gin.Context) {
	held, err := s.Carts.Get(c.Request.Context(), identity(c).UserID)
	if err != nil {
		fail(c, "can't read the cart", err)
		return
	}
	c.JSON(http.StatusOK, viewCart(held))
}

func (s *Server) putCart(c *gin.Context) {
	var input cartInput
	if !decode(c, &input) {
		return
	}
	items, wrong := checkItems(input.Items)
	if input.Items == nil {
		wrong = append(wrong, problem.Field{Pointer: "/items", Detail: "is missing"})
	}
	if len(wrong) > 0 {
		problem.Send(c, problem.Invalid(wrong))
		return
	}
	held, err := s.Carts.Put(c.Request.Context(), identity(c).UserID, items)
	if err != nil {
		fail(c, "can't write the cart", err)
		return
	}
	c.JSON(http.StatusOK, viewCart(held))
}

func (s *Server) deleteCart(c *gin.Context) {
	if err := s.Carts.Delete(c.Request.Context(), identity(c).UserID); err != nil {
		fail(c, "can't empty the cart", err)
		return
	}
	c.Status(http.StatusNoContent)
}
