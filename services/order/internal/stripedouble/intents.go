package stripedouble

import (
	"net/http"
	"net/url"
	"strconv"
)

// Stripe's test payment methods (https://docs.stripe.com/testing) that the double knows; others are paid.
const (
	Visa                   = "pm_card_visa"
	Declined               = "pm_card_chargeDeclined"
	AuthenticationRequired = "pm_card_authenticationRequired"
)

func (d *Double) create(form url.Values) (int, any) {
	amount, err := strconv.ParseInt(form.Get("amount"), 10, 64)
	if err != nil || amount <= 0 || form.Get("currency") == "" {
		return http.StatusBadRequest, failure("invalid_request_error", "parameter_missing", "amount and currency are needed")
	}
	id := d.nextID("pi")
	i := &intent{
		id: id, status: "requires_payment_method", currency: form.Get("currency"), amount: amount,
		orderID: form.Get("metadata[order_id]"), method: form.Get("payment_method"), secret: id + "_secret_double",
	}
	if i.method != "" {
		i.status = "requires_confirmation"
	}
	d.intents[id] = i
	d.tell("payment_intent.created", i)
	return http.StatusOK, d.show(i)
}

func (d *Double) confirm(i *intent) (int, any) {
	if i.status == "succeeded" || i.status == "canceled" {
		return http.StatusBadRequest, failure("invalid_request_error", "payment_intent_unexpected_state",
			"This PaymentIntent's status is "+i.status+".")
	}
	switch i.method {
	case "":
		return http.StatusBadRequest, failure("invalid_request_error", "payment_intent_unexpected_state", "No payment method.")
	case Declined:
		i.status = "requires_payment_method"
		d.tell("payment_intent.payment_failed", i)
		return http.StatusPaymentRequired, failure("card_error", "card_declined", "Your card was declined.")
	case AuthenticationRequired:
		i.status = "requires_action"
		d.tell("payment_intent.requires_action", i)
	default:
		d.charge(i)
	}
	return http.StatusOK, d.show(i)
}

func (d *Double) charge(i *intent) {
	i.status = "succeeded"
	d.ledger = append(d.ledger, Entry{"charge", i.id, i.orderID, i.amount, i.currency})
	d.tell("payment_intent.succeeded", i)
}

func (d *Double) cancel(i *intent) (int, any) {
	if i.status == "succeeded" || i.status == "canceled" {
		return http.StatusBadRequest, failure("invalid_request_error", "payment_intent_unexpected_state",
			"You cannot cancel this PaymentIntent because it has a status of "+i.status+".")
	}
	i.status = "canceled"
	d.tell("payment_intent.canceled", i)
	return http.StatusOK, d.show(i)
}

func (d *Double) refund(form url.Values) (int, any) {
	i, ok := d.intents[form.Get("payment_intent")]
	switch {
	case !ok:
		return http.StatusNotFound, failure("invalid_request_error", "resource_missing", "No such payment_intent")
	case i.status != "succeeded":
		return http.StatusBadRequest, failure("invalid_request_error", "payment_intent_unexpected_state", "There is no charge.")
	case i.refunded == i.amount:
		return http.StatusBadRequest, failure("invalid_request_error", "charge_already_refunded", "Charge has already been refunded.")
	}
	i.refunded = i.amount
	d.ledger = append(d.ledger, Entry{"refund", i.id, i.orderID, i.amount, i.currency})
	d.tell("charge.refunded", i)
	return http.StatusOK, map[string]any{
		"id": d.nextID("re"), "object": "refund", "amount": i.amount, "currency": i.currency,
		"payment_intent": i.id, "status": "succeeded", "metadata": map[string]string{"order_id": i.orderID},
	}
}

func (d *Double) show(i *intent) map[string]any {
	shown := map[string]any{
		"id": i.id, "object": "payment_intent", "amount": i.amount, "currency": i.currency, "status": i.status,
		"client_secret": i.secret, "metadata": map[string]string{"order_id": i.orderID}, "payment_method": nil,
	}
	if i.method != "" {
		shown["payment_method"] = i.method
	}
	if i.status == "succeeded" {
		shown["amount_received"] = i.amount
		shown["latest_charge"] = map[string]any{
			"id": "ch" + i.id[2:], "object": "charge", "amount": i.amount, "amount_refunded": i.refunded,
			"refunded": i.refunded == i.amount, "payment_intent": i.id, "metadata": map[string]string{"order_id": i.orderID},
		}
	}
	return shown
}
