package stripedouble

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/stripe/stripe-go/v86"
	"github.com/stripe/stripe-go/v86/webhook"
)

const (
	webhookAttempts = 8
	webhookBackoff  = 100 * time.Millisecond
)

// tell sends a webhook, later and from elsewhere, as Stripe does.
func (d *Double) tell(kind string, i *intent) {
	object := d.show(i)
	if charge, ok := object["latest_charge"].(map[string]any); ok && kind == "charge.refunded" {
		object = charge
	}
	payload := encode(map[string]any{
		"id": d.nextID("evt"), "object": "event", "api_version": stripe.APIVersion, "type": kind,
		"created": time.Now().Unix(), "livemode": false, "data": map[string]any{"object": object},
	})
	target, faults := d.settings.WebhookURL, d.faults
	if target == "" || chance(faults.WebhookLossRate) {
		return
	}
	times := 1
	if chance(faults.WebhookTwiceRate) {
		times = 2
	}
	for range times {
		d.sending.Go(func() {
			if faults.WebhookDelay > 0 {
				time.Sleep(rand.N(faults.WebhookDelay))
			}
			d.deliver(target, payload)
		})
	}
}

// Wait returns when all webhooks have been delivered or given up.
func (d *Double) Wait() { d.sending.Wait() }

func (d *Double) deliver(target string, payload []byte) {
	for attempt := range webhookAttempts {
		signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: payload, Secret: d.settings.WebhookSecret})
		request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, target, bytes.NewReader(payload))
		if err != nil {
			return
		}
		request.Header.Set("Stripe-Signature", signed.Header)
		request.Header.Set("Content-Type", "application/json")
		response, err := d.client.Do(request)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode < http.StatusMultipleChoices {
				return
			}
		}
		time.Sleep(webhookBackoff << attempt)
	}
}
