package main

import (
	"context"
	"slices"
	"time"
)

// warmUp is how much of a run's length goes before the first.
const warmUp = 1.0 / 2

// Comparison is what one order takes at a number of clients at once, run by run: the service, the no-op hops, and
// pgbench with as many connections. Times are milliseconds from a client's point of view, all orders' time of a run
// divided by the orders; the service's run lasts until the last of its events has left the outbox.
type Comparison struct {
	Clients  int       `json:"clients"`
	Order    []float64 `json:"order_ms"`
	Hops     []float64 `json:"noop_hops_ms"`
	SQL      []float64 `json:"pgbench_ms"`
	Ratio    float64   `json:"ratio"` // median of each run's order over the sum of its floors
	P50      float64   `json:"order_p50_ms"`
	P99      float64   `json:"order_p99_ms"`
	OrderCPU []float64 `json:"order_cpu_ms"` // of the service's process
	HopsCPU  []float64 `json:"noop_hops_cpu_ms"`
}

// Compare measures the three in turns, so that what else the machine does meets all alike.
func (r *rig) Compare(ctx context.Context, clients, runs int, length time.Duration) (Comparison, error) {
	c := Comparison{Clients: clients}
	half := time.Duration(float64(length) * warmUp)
	for _, warm := range []func() error{
		func() error { _, err := r.order(ctx, clients, half); return err },
		func() error { _, err := r.hops(ctx, clients, half); return err },
		func() error { _, err := r.sql(ctx, clients, half); return err },
	} {
		if err := warm(); err != nil {
			return c, err
		}
	}
	var ratios []float64
	var latencies []time.Duration
	for range runs {
		order, err := r.order(ctx, clients, length)
		if err != nil {
			return c, err
		}
		hops, err := r.hops(ctx, clients, length)
		if err != nil {
			return c, err
		}
		sql, err := r.sql(ctx, clients, length)
		if err != nil {
			return c, err
		}
		c.Order, c.OrderCPU = append(c.Order, order.perOrder(clients)), append(c.OrderCPU, order.cpuPerOrder())
		c.Hops, c.HopsCPU = append(c.Hops, hops.perOrder(clients)), append(c.HopsCPU, hops.cpuPerOrder())
		c.SQL = append(c.SQL, sql)
		ratios = append(ratios, order.perOrder(clients)/(hops.perOrder(clients)+sql))
		latencies = append(latencies, order.latencies...)
	}
	slices.Sort(latencies)
	c.Ratio = median(ratios)
	c.P50, c.P99 = milliseconds(latencies[len(latencies)/2]), milliseconds(latencies[len(latencies)*99/100])
	return c, nil
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
	return sorted[middle]
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
