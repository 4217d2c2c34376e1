package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

const (
	noopCommand  = "serve-noop"
	peersCommand = "serve-peers"
	productID    = "018f3a5e-7c1b-4b52-9b1e-3f2a6d4c8e10"
	intentID     = "pi_bench00000000000001"
)

// servePeers plays product and Stripe for both sides, with answers that are ready before they are asked for.
func servePeers(arguments []string) error {
	if len(arguments) != 1 {
		return errors.New(peersCommand + " ADDRESS")
	}
	reservation := fmt.Sprintf(`{"order_id":"any","status":"reserved","expires_at":%q,"items":[{"product_id":%q,"name":"A thing","quantity":1,`+
		`"unit_price_minor":1999,"currency":"EUR"}]}`, time.Now().Add(24*time.Hour).UTC().Format(time.RFC3339), productID)
	intent := func(status string) string {
		return fmt.Sprintf(`{"id":%q,"object":"payment_intent","amount":1999,"currency":"eur","status":%q,"client_secret":"%s_secret_bench",`+
			`"metadata":{},"payment_method":"pm_card_visa"}`, intentID, status, intentID)
	}
	routes := http.NewServeMux()
	answer := func(pattern string, status int, body string) {
		routes.HandleFunc("POST "+pattern, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		})
	}
	answer("/internal/v1/reservations", http.StatusCreated, reservation)
	answer("/internal/v1/reservations/{id}/confirm", http.StatusOK, strings.Replace(reservation, "reserved", "confirmed", 1))
	answer("/v1/payment_intents", http.StatusOK, intent("requires_confirmation"))
	answer("/v1/payment_intents/{id}/confirm", http.StatusOK, intent("succeeded"))
	return serve(arguments[0], routes)
}

// serveNoop is the floor of the hops: it makes the calls that an order makes, one after another, and answers with the
// bytes of an order that the real service gave. It checks, writes and remembers nothing.
func serveNoop(arguments []string) error {
	if len(arguments) != 3 {
		return errors.New(noopCommand + " ADDRESS PEERS FILE")
	}
	peers := arguments[1]
	body, err := os.ReadFile(arguments[2])
	if err != nil {
		return err
	}
	const idlePerHost = 64
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: idlePerHost}, Timeout: 10 * time.Second}
	routes := http.NewServeMux()
	routes.HandleFunc("POST /api/v1/orders", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for _, path := range []string{
			"/internal/v1/reservations", "/v1/payment_intents", "/v1/payment_intents/" + intentID + "/confirm",
			"/internal/v1/reservations/any/confirm",
		} {
			response, err := client.Post(peers+path, "application/json", strings.NewReader(`{"order_id":"any","items":[],"ttl_seconds":900}`))
			if err != nil {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write(body)
	})
	return serve(arguments[0], routes)
}

func serve(address string, routes *http.ServeMux) error {
	routes.HandleFunc("GET /readyz", func(http.ResponseWriter, *http.Request) {})
	server := &http.Server{Addr: address, Handler: routes, ReadHeaderTimeout: 5 * time.Second}
	return server.ListenAndServe()
}
