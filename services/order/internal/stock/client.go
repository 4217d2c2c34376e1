// Package stock reserves goods with the product service's internal API.
package stock

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cloudcommerce/order/internal/order"
)

// What the product service may refuse. Any other error is worth another try.
var (
	ErrInsufficient = errors.New("not enough stock")
	ErrRejected     = errors.New("a product can't be ordered")
	ErrGone         = errors.New("the reservation has expired, was released or never was")
)

// Reservation is stock held for an order at a fixed price.
type Reservation struct {
	ExpiresAt time.Time      `json:"expires_at"`
	Items     []ReservedItem `json:"items"`
}

// ReservedItem is one line of a reservation; the price is in the currency's minor unit.
type ReservedItem struct {
	ProductID      string `json:"product_id"`
	Name           string `json:"name"`
	Quantity       int    `json:"quantity"`
	UnitPriceMinor int64  `json:"unit_price_minor"`
	Currency       string `json:"currency"`
}

// Client speaks to the product service. All its calls may be repeated.
type Client struct {
	base  string
	token string
	http  *http.Client
}

// NewClient takes the base URL of the internal API and the token that it asks for.
func NewClient(base, token string, client *http.Client) *Client {
	return &Client{strings.TrimSuffix(base, "/"), token, client}
}

const maxAnswer = 1 << 20

// Reserve holds the items for the time to live, or fails with ErrInsufficient or ErrRejected.
func (c *Client) Reserve(ctx context.Context, id uuid.UUID, items []order.Item, ttl time.Duration) (Reservation, error) {
	type line struct {
		ProductID string `json:"product_id"`
		Quantity  int    `json:"quantity"`
	}
	body := struct {
		OrderID    uuid.UUID `json:"order_id"`
		Items      []line    `json:"items"`
		TTLSeconds int       `json:"ttl_seconds"`
	}{OrderID: id, TTLSeconds: int(ttl.Seconds())}
	for _, item := range items {
		body.Items = append(body.Items, line{item.ProductID, item.Quantity})
	}
	var reservation Reservation
	status, err := c.post(ctx, "", body, &reservation)
	switch {
	case err != nil:
		return reservation, err
	case status == http.StatusOK, status == http.StatusCreated:
		return reservation, nil
	case status == http.StatusConflict:
		return reservation, ErrInsufficient
	case status == http.StatusNotFound, status == http.StatusUnprocessableEntity, status == http.StatusBadRequest:
		return reservation, ErrRejected
	default:
		return reservation, unexpected("reserve stock", status)
	}
}

// Confirm takes the reserved goods out of stock for good; ErrGone when the reservation doesn't hold anymore.
func (c *Client) Confirm(ctx context.Context, id uuid.UUID) error {
	status, err := c.post(ctx, "/"+id.String()+"/confirm", nil, nil)
	switch {
	case err != nil:
		return err
	case status == http.StatusOK:
		return nil
	case status == http.StatusConflict, status == http.StatusNotFound:
		return ErrGone
	default:
		return unexpected("confirm the reservation", status)
	}
}

// Release gives the goods back; ErrGone when there is nothing to give back.
func (c *Client) Release(ctx context.Context, id uuid.UUID) error {
	status, err := c.post(ctx, "/"+id.String()+"/release", nil, nil)
	switch {
	case err != nil:
		return err
	case status == http.StatusOK:
		return nil
	case status == http.StatusConflict, status == http.StatusNotFound:
		return ErrGone
	default:
		return unexpected("release the reservation", status)
	}
}

func (c *Client) post(ctx context.Context, path string, body, answer any) (int, error) {
	content, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/internal/v1/reservations"+path, bytes.NewReader(content))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	content, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return 0, err
	}
	if answer != nil && response.StatusCode < http.StatusMultipleChoices {
		if err := json.Unmarshal(content, answer); err != nil {
			return 0, fmt.Errorf("the product service's answer: %w", err)
		}
	}
	return response.StatusCode, nil
}

func unexpected(what string, status int) error {
	return fmt.Errorf("%s: the product service answered %d", what, status)
}
