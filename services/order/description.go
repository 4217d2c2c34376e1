// Package description holds the API description, so that the service can show it.
package description

import _ "embed"

// OpenAPI is the service's OpenAPI 3.1 document.
//
//go:embed openapi.json
var OpenAPI []byte
