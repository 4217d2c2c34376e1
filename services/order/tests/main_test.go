// Package tests takes the built programs through whole flows and faults, on real stores.
package tests

import (
	"os"
	"testing"

	"github.com/cloudcommerce/order/internal/testkit"
)

func TestMain(m *testing.M) {
	code := m.Run()
	testkit.RemovePrograms()
	os.Exit(code)
}
