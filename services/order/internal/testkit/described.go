package testkit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	description "github.com/cloudcommerce/order"
)

type described struct {
	compiler *jsonschema.Compiler
	document map[string]any
	mutex    sync.Mutex
}

var readDescription = sync.OnceValues(func() (*described, error) {
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(description.OpenAPI))
	if err != nil {
		return nil, err
	}
	document, ok := parsed.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("openapi.json is not an object")
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	return &described{compiler: compiler, document: document}, compiler.AddResource("openapi.json", document)
})

// Described fails the test when an answer is not as the API description says.
func Described(t testing.TB, method, path string, response *http.Response, body []byte) {
	t.Helper()
	d, err := readDescription()
	if err != nil {
		t.Fatalf("openapi.json: %v", err)
	}
	template := d.template(path)
	if template == "" || response.StatusCode == http.StatusMethodNotAllowed {
		return // nothing of the public API
	}
	kind, _, _ := strings.Cut(response.Header.Get("Content-Type"), ";")
	pointer := fmt.Sprintf("openapi.json#/paths/%s/%s/responses/%d", escape(template), strings.ToLower(method), response.StatusCode)
	answer := d.lookUp("paths", template, strings.ToLower(method), "responses", fmt.Sprint(response.StatusCode))
	if answer == nil {
		t.Errorf("%s %s: answer %d is not described", method, template, response.StatusCode)
		return
	}
	if reference, ok := answer["$ref"].(string); ok {
		pointer = "openapi.json" + reference
	}
	if len(body) == 0 || kind == "text/event-stream" {
		return
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	schema, err := d.compiler.Compile(pointer + "/content/" + escape(kind) + "/schema")
	if err != nil {
		t.Errorf("%s %s %d %s: %v", method, template, response.StatusCode, kind, err)
		return
	}
	var instance any
	if err := json.Unmarshal(body, &instance); err != nil {
		t.Errorf("%s %s: %v", method, template, err)
		return
	}
	if err := schema.Validate(instance); err != nil {
		t.Errorf("%s %s %d is not as described: %v\n%s", method, template, response.StatusCode, err, body)
	}
}

func (d *described) lookUp(keys ...string) map[string]any {
	current := d.document
	for _, key := range keys {
		next, ok := current[key].(map[string]any)
		if !ok {
			return nil
		}
		current = next
	}
	return current
}

func (d *described) template(path string) string {
	path, _, _ = strings.Cut(path, "?")
	parts := strings.Split(path, "/")
	for template := range d.lookUp("paths") {
		if matches(strings.Split(template, "/"), parts) {
			return template
		}
	}
	return ""
}

func matches(template, parts []string) bool {
	if len(template) != len(parts) {
		return false
	}
	for i, part := range template {
		if part != parts[i] && !strings.HasPrefix(part, "{") {
			return false
		}
	}
	return true
}

func escape(text string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(text)
}
