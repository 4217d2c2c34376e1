// Command bench measures how long the service takes to create an order, beside two floors from the same run: the
// same hops with nothing behind them, and pgbench sending the statements that one order sends.
//
// Product and Stripe answer at once to the service and to its floor. What serves (the service, the no-op service, or
// pgbench in its place) has the first processor; clients, product, Stripe and PostgreSQL share the last.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"text/tabwriter"
	"time"
)

const usage = `usage: go run ./bench [flags]

Creates orders by the built service on real stores, and prints the time of one order beside its floors.

  TEST_POSTGRES_URL           a superuser, or a role that may create databases (then PostgreSQL is not pinned)
  TEST_REDIS_URL              its order:* keys may be written
  TEST_RABBITMQ_URL           a user that may configure everything in the vhost
  CLOUDCOMMERCE_POSTGRES_BIN  the directory of pgbench; without it, or without pgbench in it, PATH

Needs taskset (util-linux) to pin programs.
`

// goal is the issue's: an order takes at most this many times the sum of its floors.
const goal = 1.5

type options struct {
	runs    int
	length  time.Duration
	clients []int
	program string
	json    bool
}

func main() {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case noopCommand:
			exit(serveNoop(os.Args[2:]))
		case peersCommand:
			exit(servePeers(os.Args[2:]))
		}
	}
	o := options{clients: []int{1, 8}}
	flag.IntVar(&o.runs, "runs", 5, "runs of each, in turns; medians are shown")
	flag.DurationVar(&o.length, "length", 3*time.Second, "of one run")
	flag.StringVar(&o.program, "program", "", "a built order service to measure instead of this source")
	flag.BoolVar(&o.json, "json", false, "print one JSON document")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage, "\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o)
	stop()
	exit(err)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run(ctx context.Context, o options) error {
	stores, err := storesFromEnvironment()
	if err != nil {
		return err
	}
	rig, err := newRig(ctx, stores, o.program)
	if err != nil {
		return err
	}
	defer rig.Close()
	report := Report{Processors: runtime.NumCPU(), Runs: o.runs, Seconds: o.length.Seconds(), Goal: goal, PostgresPinned: rig.pinned}
	for _, clients := range o.clients {
		comparison, err := rig.Compare(ctx, clients, o.runs, o.length)
		if err != nil {
			return err
		}
		report.Comparisons = append(report.Comparisons, comparison)
	}
	if o.json {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(report)
	}
	return report.Print()
}

// Report is everything that a run of the benchmark found.
type Report struct {
	Processors     int          `json:"processors"`
	PostgresPinned bool         `json:"postgres_pinned"`
	Runs           int          `json:"runs"`
	Seconds        float64      `json:"seconds_per_run"`
	Goal           float64      `json:"goal"`
	Comparisons    []Comparison `json:"comparisons"`
}

// Print writes the table that people read.
func (r Report) Print() error {
	fmt.Printf("Creating an order: medians of %d runs of %gs, milliseconds an order, %d processors\n\n", r.Runs, r.Seconds, r.Processors)
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "clients\torder\tno-op hops\tpgbench\tsum of floors\torder / sum\tgoal\t\tp50\tp99\torders/s\tCPU\tno-op CPU\t")
	for _, c := range r.Comparisons {
		verdict := "MISSED"
		if c.Ratio <= r.Goal {
			verdict = "met"
		}
		hops, sql := median(c.Hops), median(c.SQL)
		fmt.Fprintf(table, "%d\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t≤ %.1f\t%s\t%.2f\t%.2f\t%.0f\t%.2f\t%.2f\t\n", c.Clients, median(c.Order), hops, sql,
			hops+sql, c.Ratio, r.Goal, verdict, c.P50, c.P99, 1000*float64(c.Clients)/median(c.Order), median(c.OrderCPU), median(c.HopsCPU))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if !r.PostgresPinned {
		fmt.Println("\nPostgreSQL could not be pinned from here: it shares the processors with everything else.")
	}
	return nil
}
