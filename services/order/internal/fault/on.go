//go:build faults

// Package fault lets a test build of the service die at a chosen place. Without the build tag it does nothing.
package fault

import (
	"os"
	"syscall"
)

var place = os.Getenv("CRASH_AT")

// Here kills the process, without a chance to clean up, when it is the place named by CRASH_AT.
func Here(name string) {
	if name == place {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}
