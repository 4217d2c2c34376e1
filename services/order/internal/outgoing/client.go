// Package outgoing makes HTTP clients that trace, time out, retry with jitter, and leave a peer in trouble alone.
package outgoing

import (
	"net/http"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
)

// Limits bound what one call may cost.
type Limits struct {
	Timeout time.Duration // of the whole call, retries included
	Retries int           // after the first try; 0 where the caller retries by itself
}

const (
	breakerFailures  = 10              // in a row of
	breakerWindow    = 20              // calls open the circuit
	breakerDelay     = 2 * time.Second // before a trial call
	retryDelay       = 50 * time.Millisecond
	retryDelayMax    = time.Second
	idleConnsPerHost = 64
)

// NewClient is for calls that may be repeated: every request must be idempotent.
func NewClient(limits Limits) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = idleConnsPerHost
	transport.MaxIdleConns = 2 * idleConnsPerHost
	var policies []failsafe.Policy[*http.Response]
	if limits.Retries > 0 {
		policies = append(policies, failsafehttp.NewRetryPolicyBuilder().
			WithBackoff(retryDelay, retryDelayMax).WithJitterFactor(0.5).WithMaxRetries(limits.Retries).
			ReturnLastFailure().Build())
	}
	policies = append(policies, circuitbreaker.NewBuilder[*http.Response]().
		HandleIf(func(response *http.Response, err error) bool {
			return err != nil || response != nil && response.StatusCode >= http.StatusInternalServerError
		}).
		WithFailureThresholdRatio(breakerFailures, breakerWindow).WithDelay(breakerDelay).WithJitterFactor(0.25).Build())
	return &http.Client{
		Timeout:   limits.Timeout,
		Transport: failsafehttp.NewRoundTripper(otelhttp.NewTransport(transport), policies...),
	}
}
