package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cloudcommerce/order/internal/store"
)

// processors are those that this program was given: the first is for what serves, the last for the others.
type processors struct{ serving, others string }

const startLimit = 30 * time.Second

// program is one under measurement, or one that helps.
type program struct {
	process *exec.Cmd
	url     string
	exited  chan struct{}
}

// start runs a command on a processor and waits until something answers at the address.
func start(ctx context.Context, processor, address string, environment []string, command ...string) (*program, error) {
	p := &program{url: "http://" + address, exited: make(chan struct{})}
	p.process = exec.Command("taskset", append([]string{"--cpu-list", processor}, command...)...)
	p.process.Env = append(os.Environ(), environment...)
	var complaints bytes.Buffer
	p.process.Stderr = &complaints
	if err := p.process.Start(); err != nil {
		return nil, fmt.Errorf("%w: install util-linux", err)
	}
	go func() { _ = p.process.Wait(); close(p.exited) }()
	deadline := time.After(startLimit)
	for !p.ready() {
		select {
		case <-ctx.Done():
			p.Stop()
			return nil, ctx.Err()
		case <-deadline:
			p.Stop()
			return nil, fmt.Errorf("%s is not ready after %v", command[0], startLimit)
		case <-p.exited:
			return nil, fmt.Errorf("%s ended: %s", strings.Join(command, " "), complaints.String())
		case <-time.After(50 * time.Millisecond):
		}
	}
	return p, nil
}

func (p *program) ready() bool {
	response, err := http.Get(p.url + "/readyz")
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// Stop ends it and waits for its end.
func (p *program) Stop() {
	_ = p.process.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(startLimit):
		_ = p.process.Process.Kill()
		<-p.exited
	}
}

// ticksPerSecond is what Linux counts processor time in, on every platform that Go runs on (proc_pid_stat(5)).
const ticksPerSecond = 100

// cpu is the processor time that the process has used.
func (p *program) cpu() time.Duration {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.process.Process.Pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(content[bytes.LastIndexByte(content, ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / ticksPerSecond
}

// freeAddress is one on the loopback interface that nobody listens on.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// build compiles the order service.
func build(ctx context.Context, directory string) (string, error) {
	target := filepath.Join(directory, "order")
	command := exec.CommandContext(ctx, "go", "build", "-o", target, "github.com/cloudcommerce/order/cmd/order")
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, output)
	}
	return target, nil
}

// pinProcess keeps all threads of a process, and what they start, on a processor.
func pinProcess(pid int, processor string) error {
	return exec.Command("taskset", "--all-tasks", "--cpu-list", "--pid", processor, strconv.Itoa(pid)).Run()
}

// own finds the processors, and takes the last one for this program.
func own() (processors, error) {
	output, err := exec.Command("taskset", "--cpu-list", "--pid", strconv.Itoa(os.Getpid())).Output()
	if err != nil {
		return processors{}, fmt.Errorf("taskset: %w: install util-linux", err)
	}
	// As in "pid 1's current affinity list: 0,2-5".
	numbers := regexp.MustCompile(`[0-9]+`).FindAllString(string(output[bytes.LastIndexByte(output, ':')+1:]), -1)
	if len(numbers) == 0 {
		return processors{}, fmt.Errorf("taskset says %q", output)
	}
	found := processors{numbers[0], numbers[len(numbers)-1]}
	runtime.GOMAXPROCS(1)
	return found, pinProcess(os.Getpid(), found.others)
}

var (
	tpsLine       = regexp.MustCompile(`(?m)^tps = ([0-9.]+)`)
	processedLine = regexp.MustCompile(`(?m)^number of transactions actually processed: ([0-9]+)`)
)

// pgbench runs a script with prepared statements on the serving processor, and returns its transactions and their
// rate a second. The first order's number keeps the orders of several runs apart.
func pgbench(
	ctx context.Context, processor, databaseURL, file string, variables map[string]string, clients int, length time.Duration, first int,
) (int, float64, error) {
	arguments := []string{
		"--cpu-list", processor, pgbenchProgram(), "--no-vacuum", "--protocol=prepared", "--jobs=1", "--file=" + file,
		"--client=" + strconv.Itoa(clients), "--time=" + strconv.Itoa(max(1, int(length.Seconds()))), "--define=number=" + strconv.Itoa(first),
	}
	for name, value := range variables {
		arguments = append(arguments, "--define="+name+"="+value)
	}
	command := exec.CommandContext(ctx, "taskset", append(arguments, databaseURL)...)
	command.Env = append(os.Environ(), "PGOPTIONS=-c plan_cache_mode="+store.PlanCacheMode) // as the service's sessions
	var complaints bytes.Buffer
	command.Stderr = &complaints
	output, err := command.Output()
	if err != nil {
		return 0, 0, fmt.Errorf("pgbench: %w\n%s%s", err, output, complaints.String())
	}
	rate, processed := tpsLine.FindSubmatch(output), processedLine.FindSubmatch(output)
	if rate == nil || processed == nil {
		return 0, 0, errors.New("pgbench: nothing to read in\n" + string(output))
	}
	transactions, err := strconv.Atoi(string(processed[1]))
	if err != nil {
		return 0, 0, err
	}
	perSecond, err := strconv.ParseFloat(string(rate[1]), 64)
	return transactions, perSecond, err
}

// pgbenchProgram is the one beside PostgreSQL's other programs, or else the one on PATH.
func pgbenchProgram() string {
	beside := filepath.Join(os.Getenv("CLOUDCOMMERCE_POSTGRES_BIN"), "pgbench")
	if _, err := os.Stat(beside); err == nil && filepath.IsAbs(beside) {
		return beside
	}
	return "pgbench"
}
