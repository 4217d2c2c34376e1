// Command stripe-double plays Stripe for development: STRIPE_API_BASE of the order service points to it.
package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/cloudcommerce/order/internal/stripedouble"
)

type settings struct {
	Port          int    `env:"PORT" envDefault:"12111"`
	Host          string `env:"HOST" envDefault:"127.0.0.1"`
	APIKey        string `env:"STRIPE_API_KEY,required,notEmpty"`
	WebhookURL    string `env:"STRIPE_WEBHOOK_URL"`
	WebhookSecret string `env:"STRIPE_WEBHOOK_SECRET,required,notEmpty"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "stripe-double:", err)
		os.Exit(1)
	}
}

func run() error {
	s, err := env.ParseAs[settings]()
	if err != nil {
		return err
	}
	double := stripedouble.New(stripedouble.Settings{APIKey: s.APIKey, WebhookURL: s.WebhookURL, WebhookSecret: s.WebhookSecret})
	address := fmt.Sprintf("%s:%d", s.Host, s.Port)
	slog.Info("listening", "address", address)
	server := &http.Server{Addr: address, Handler: double, ReadHeaderTimeout: 5 * time.Second}
	return server.ListenAndServe()
}
