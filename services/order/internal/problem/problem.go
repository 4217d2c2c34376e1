// Package problem answers with RFC 9457 problem details.
package problem

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/trace"
)

// ContentType is that of every error answer.
const ContentType = "application/problem+json"

const typeBase = "https://cloudcommerce.example/problems/"

// Problem is one error answer.
type Problem struct {
	Type     string  `json:"type"`
	Title    string  `json:"title"`
	Status   int     `json:"status"`
	Detail   string  `json:"detail,omitempty"`
	Instance string  `json:"instance,omitempty"`
	TraceID  string  `json:"trace_id,omitempty"`
	OrderID  string  `json:"order_id,omitempty"`
	Errors   []Field `json:"errors,omitempty"`
}

// Field is what is wrong with one part of the request; Pointer is a JSON Pointer (RFC 6901) into its body, or
// the name of a header or query parameter.
type Field struct {
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

// New makes a problem whose type ends with the slug.
func New(status int, slug, detail string) Problem {
	return Problem{Type: typeBase + slug, Title: http.StatusText(status), Status: status, Detail: detail}
}

// Invalid makes a problem of the fields that failed validation.
func Invalid(fields []Field) Problem {
	p := New(http.StatusUnprocessableEntity, "validation", "The request breaks the rules named in errors.")
	p.Errors = fields
	return p
}

// Internal tells nothing but that it is not the client's fault.
func Internal() Problem {
	return New(http.StatusInternalServerError, "internal", "Something went wrong here. The trace_id helps support to find it.")
}

// Unavailable asks to come back.
func Unavailable(detail string) Problem {
	return New(http.StatusServiceUnavailable, "unavailable", detail)
}

// Complete fills in what is known of the request.
func (p Problem) Complete(c *gin.Context) Problem {
	p.Instance = c.Request.URL.Path
	if span := trace.SpanContextFromContext(c.Request.Context()); span.IsValid() {
		p.TraceID = span.TraceID().String()
	}
	return p
}

// Send ends the request with a problem.
func Send(c *gin.Context, p Problem) {
	c.Header("Content-Type", ContentType)
	if p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests {
		c.Header("Retry-After", "1")
	}
	c.AbortWithStatusJSON(p.Status, p.Complete(c))
}
