// Package order is the domain: an order, its states and the moves between them.
package order

import "slices"

// State is where an order stands.
type State string

// The states of an order.
const (
	Pending   State = "pending"   // accepted, stock not yet reserved
	Reserved  State = "reserved"  // stock and prices held for it, payment outstanding
	Paid      State = "paid"      // the customer's money has arrived
	Fulfilled State = "fulfilled" // handed over to the carrier
	Cancelled State = "cancelled" // called off before any money moved
	Refunded  State = "refunded"  // the money went back
	Failed    State = "failed"    // no stock, or no payment
)

// States lists every state.
func States() []State {
	return []State{Pending, Reserved, Paid, Fulfilled, Cancelled, Refunded, Failed}
}

// moves is the whole state machine. Cancelled and Failed lead to Refunded because money that arrives after
// all, whoever sent it, has to go back.
var moves = map[State][]State{
	Pending:   {Reserved, Cancelled, Failed},
	Reserved:  {Paid, Cancelled, Failed},
	Paid:      {Fulfilled, Refunded},
	Fulfilled: {Refunded},
	Cancelled: {Refunded},
	Failed:    {Refunded},
	Refunded:  {},
}

// CanMove reports whether an order may go from one state straight to the other.
func CanMove(from, to State) bool {
	return slices.Contains(moves[from], to)
}

// Sources lists the states from which an order may go straight to the given one.
func Sources(to State) []State {
	var from []State
	for _, state := range States() {
		if CanMove(state, to) {
			from = append(from, state)
		}
	}
	return from
}
