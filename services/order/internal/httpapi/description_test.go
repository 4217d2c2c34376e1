package httpapi

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	description "github.com/cloudcommerce/order"
	"github.com/cloudcommerce/order/internal/order"
	"github.com/cloudcommerce/order/internal/telemetry"
)

type document struct {
	Paths      map[string]map[string]json.RawMessage `json:"paths"`
	Components struct {
		Schemas map[string]struct {
			Enum []string `json:"enum"`
		} `json:"schemas"`
	} `json:"components"`
}

func describedOperations(t *testing.T) (document, []string) {
	t.Helper()
	var d document
	if err := json.Unmarshal(description.OpenAPI, &d); err != nil {
		t.Fatal(err)
	}
	var operations []string
	for path, methods := range d.Paths {
		for method := range methods {
			operations = append(operations, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(operations)
	return d, operations
}

func TestTheDescriptionHasEveryRouteAndNoOther(t *testing.T) {
	d, want := describedOperations(t)
	parameter := regexp.MustCompile(`:(\w+)`)
	var got []string
	for _, route := range (&Server{Metrics: telemetry.NewMetrics()}).Handler().Routes() {
		if strings.HasPrefix(route.Path, "/api/") {
			got = append(got, route.Method+" "+parameter.ReplaceAllString(route.Path, "{$1}"))
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("served %v\ndescribed %v", got, want)
	}
	var states []string
	for _, state := range order.States() {
		states = append(states, string(state))
	}
	if !slices.Equal(d.Components.Schemas["State"].Enum, states) {
		t.Errorf("described states %v", d.Components.Schemas["State"].Enum)
	}
}

func TestTheGatewayKnowsEveryRoute(t *testing.T) {
	content, err := os.ReadFile("../../routes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	entry := regexp.MustCompile(`methods: \[([A-Z, ]+)\]\n    path: (\S+)`)
	for _, match := range entry.FindAllStringSubmatch(string(content), -1) {
		for method := range strings.SplitSeq(match[1], ", ") {
			got = append(got, method+" "+match[2])
		}
	}
	slices.Sort(got)
	if _, want := describedOperations(t); !slices.Equal(got, want) {
		t.Errorf("routes.yaml has %v\nthe description %v", got, want)
	}
}
