package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
)

// load is what one run of clients saw.
type load struct {
	latencies []time.Duration
	elapsed   time.Duration
	cpu       time.Duration // of the process that served
}

func (l load) perOrder(clients int) float64 {
	return milliseconds(l.elapsed) * float64(clients) / float64(len(l.latencies))
}

func (l load) cpuPerOrder() float64 { return milliseconds(l.cpu) / float64(len(l.latencies)) }

// customers order for a while, each its next order once the one before is answered; all have to succeed.
func customers(ctx context.Context, target, token string, clients int, length time.Duration) (load, error) {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	transport := &http.Transport{MaxIdleConnsPerHost: clients, DisableCompression: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	latencies, failures := make([][]time.Duration, clients), make([]error, clients)
	began := time.Now()
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			for ctx.Err() == nil && failures[i] == nil {
				before := time.Now()
				_, failures[i] = buy(client, target, token)
				latencies[i] = append(latencies[i], time.Since(before))
			}
		})
	}
	all.Wait()
	result := load{elapsed: time.Since(began)}
	for i := range clients {
		if failures[i] != nil {
			return result, failures[i]
		}
		result.latencies = append(result.latencies, latencies[i]...)
	}
	return result, nil
}

// buy orders one piece and returns the answer, which has to be a paid order.
func buy(client *http.Client, target, token string) ([]byte, error) {
	body := fmt.Sprintf(`{"items":[{"product_id":%q,"quantity":1}],"contact_email":"customer@example.com","payment_method":"pm_card_visa"}`, productID)
	request, err := http.NewRequest(http.MethodPost, target+"/api/v1/orders", bytes.NewReader([]byte(body)))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", keyPrefix+uuid.NewString())
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err == nil && (response.StatusCode != http.StatusCreated || !bytes.Contains(answer, []byte(`"paid"`))) {
		err = fmt.Errorf("an order was answered %d %s", response.StatusCode, answer)
	}
	return answer, err
}
