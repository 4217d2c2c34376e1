// Package productdouble plays the product service's internal API in tests, with stock that it counts.
package productdouble

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Line is one product of a reservation.
type Line struct {
	ProductID      string `json:"product_id"`
	Name           string `json:"name"`
	Quantity       int    `json:"quantity"`
	UnitPriceMinor int64  `json:"unit_price_minor"`
	Currency       string `json:"currency"`
}

type reservation struct {
	OrderID   string    `json:"order_id"`
	Status    string    `json:"status"`
	ExpiresAt time.Time `json:"expires_at"`
	Items     []Line    `json:"items"`
}

// Double is one warehouse.
type Double struct {
	token string

	mutex        sync.Mutex
	stock        map[string]int
	price        int64
	reservations map[string]*reservation
	down         bool
}

// New opens a warehouse in which every product has the same price.
func New(token string, price int64) *Double {
	return &Double{token: token, price: price, stock: map[string]int{}, reservations: map[string]*reservation{}}
}

// Put sets a product's stock.
func (d *Double) Put(product string, quantity int) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.stock[product] = quantity
}

// Available is what can still be reserved.
func (d *Double) Available(product string) int {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.stock[product]
}

// Status is how an order's reservation stands; empty when there is none.
func (d *Double) Status(orderID string) string {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if held, ok := d.reservations[orderID]; ok {
		return held.Status
	}
	return ""
}

// Held counts the pieces of a product in reservations of a status.
func (d *Double) Held(product, status string) int {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	total := 0
	for _, held := range d.reservations {
		for _, line := range held.Items {
			if held.Status == status && line.ProductID == product {
				total += line.Quantity
			}
		}
	}
	return total
}

// Expire ends an order's reservation as if its time had run out.
func (d *Double) Expire(orderID string) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.giveBack(d.reservations[orderID], "expired")
}

// SetDown makes every call fail, or not anymore.
func (d *Double) SetDown(down bool) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.down = down
}

// ServeHTTP answers the internal API.
func (d *Double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/internal/v1/reservations"), "/")
	switch {
	case d.down:
		w.WriteHeader(http.StatusServiceUnavailable)
	case r.Header.Get("Authorization") != "Bearer "+d.token:
		w.WriteHeader(http.StatusUnauthorized)
	case len(parts) == 1:
		d.reserve(w, r)
	case len(parts) == 3 && d.reservations[parts[1]] == nil:
		w.WriteHeader(http.StatusNotFound)
	case len(parts) == 3 && parts[2] == "confirm":
		d.confirm(w, d.reservations[parts[1]])
	case len(parts) == 3 && parts[2] == "release":
		d.giveBack(d.reservations[parts[1]], "released")
		answer(w, http.StatusOK, d.reservations[parts[1]])
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (d *Double) reserve(w http.ResponseWriter, r *http.Request) {
	var wanted struct {
		OrderID    string `json:"order_id"`
		Items      []Line `json:"items"`
		TTLSeconds int    `json:"ttl_seconds"`
	}
	if err := json.NewDecoder(r.Body).Decode(&wanted); err != nil || wanted.TTLSeconds < 1 {
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	if held, ok := d.reservations[wanted.OrderID]; ok {
		answer(w, http.StatusOK, held)
		return
	}
	held := &reservation{
		OrderID: wanted.OrderID, Status: "reserved", ExpiresAt: time.Now().Add(time.Duration(wanted.TTLSeconds) * time.Second).UTC(),
	}
	for _, line := range wanted.Items {
		stock, known := d.stock[line.ProductID]
		if !known {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if stock < line.Quantity {
			answer(w, http.StatusConflict, map[string]string{"type": "https://cloudcommerce.example/problems/insufficient-stock"})
			return
		}
		line.Name, line.UnitPriceMinor, line.Currency = "A thing", d.price, "EUR"
		held.Items = append(held.Items, line)
	}
	for _, line := range held.Items {
		d.stock[line.ProductID] -= line.Quantity
	}
	d.reservations[wanted.OrderID] = held
	answer(w, http.StatusCreated, held)
}

func (d *Double) confirm(w http.ResponseWriter, held *reservation) {
	if held.Status == "reserved" {
		held.Status = "confirmed"
	}
	if held.Status != "confirmed" {
		answer(w, http.StatusConflict, held)
		return
	}
	answer(w, http.StatusOK, held)
}

func (d *Double) giveBack(held *reservation, status string) {
	if held.Status == "expired" || held.Status == "released" {
		return
	}
	held.Status = status
	for _, line := range held.Items {
		d.stock[line.ProductID] += line.Quantity
	}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
