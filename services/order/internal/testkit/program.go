package testkit

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var build = sync.OnceValues(func() (string, error) {
	directory, err := os.MkdirTemp("", "order-programs-")
	if err != nil {
		return "", err
	}
	// Built like the tests: with the race detector when they have it, and with the places to crash at.
	command := exec.Command("go", "build", "-tags", "faults", raceFlag, "-o", directory,
		"github.com/cloudcommerce/order/cmd/order", "github.com/cloudcommerce/order/cmd/notification")
	command.Stderr = os.Stderr
	return directory, command.Run()
})

// RemovePrograms deletes what was built; TestMain calls it at the end.
func RemovePrograms() {
	if directory, err := build(); err == nil {
		_ = os.RemoveAll(directory)
	}
}

// Program is one of ours, running as a process.
type Program struct {
	t       testing.TB
	name    string
	env     []string
	port    int
	log     *os.File
	process *exec.Cmd
	exited  chan struct{}
}

// NewProgram prepares a program with the environment given; Start starts it.
func NewProgram(t testing.TB, name string, environment map[string]string) *Program {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	p := &Program{t: t, name: name, port: freePort(t), log: log}
	for key, value := range environment {
		p.env = append(p.env, key+"="+value)
	}
	t.Cleanup(func() {
		p.Kill()
		if strings.Contains(p.Log(), "DATA RACE") {
			t.Errorf("%s has a data race", name)
		}
		if t.Failed() {
			content, _ := os.ReadFile(log.Name())
			t.Logf("%s wrote:\n%s", name, content[max(0, len(content)-6000):])
		}
		_ = log.Close()
	})
	return p
}

// URL is where it listens.
func (p *Program) URL() string { return "http://127.0.0.1:" + strconv.Itoa(p.port) }

// Log is what it wrote so far.
func (p *Program) Log() string {
	content, _ := os.ReadFile(p.log.Name())
	return string(content)
}

// Start runs the program, with more environment for this run.
func (p *Program) Start(more ...string) {
	p.t.Helper()
	directory, err := build()
	if err != nil {
		p.t.Fatalf("build the programs: %v", err)
	}
	p.process = exec.Command(filepath.Join(directory, p.name))
	p.process.Env = append(append(append([]string{"PATH=" + os.Getenv("PATH")}, p.env...), "HOST=127.0.0.1", "PORT="+strconv.Itoa(p.port)), more...)
	p.process.Stdout, p.process.Stderr = p.log, p.log
	if err := p.process.Start(); err != nil {
		p.t.Fatal(err)
	}
	exited, process := make(chan struct{}), p.process
	p.exited = exited
	go func() { _ = process.Wait(); close(exited) }()
}

// Exited is closed when the process ends.
func (p *Program) Exited() <-chan struct{} { return p.exited }

// WaitReady waits until it is ready.
func (p *Program) WaitReady() {
	p.t.Helper()
	Eventually(p.t, 20*time.Second, p.name+" is not ready", func() bool {
		response, err := http.Get(p.URL() + "/readyz")
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

// Kill ends it with SIGKILL.
func (p *Program) Kill() {
	if p.process != nil && p.process.Process != nil {
		_ = p.process.Process.Kill()
		<-p.exited
	}
}

// Terminate ends it with SIGTERM and returns its exit code.
func (p *Program) Terminate() int {
	p.t.Helper()
	if err := p.process.Process.Signal(os.Interrupt); err != nil {
		p.t.Fatal(err)
	}
	select {
	case <-p.exited:
	case <-time.After(20 * time.Second):
		p.t.Fatalf("%s did not end after SIGINT", p.name)
	}
	return p.process.ProcessState.ExitCode()
}

func freePort(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}
