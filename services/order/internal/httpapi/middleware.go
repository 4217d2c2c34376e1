package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/cloudcommerce/order/internal/auth"
	"github.com/cloudcommerce/order/internal/migrations"
	"github.com/cloudcommerce/order/internal/problem"
)

const identityKey = "identity"

func (s *Server) schemaApplied(ctx context.Context) error {
	applied, err := migrations.Applied(ctx, s.Store.SchemaVersion)
	if err == nil && !applied {
		err = errors.New("the database's schema is older than this version: run `order migrate`")
	}
	return err
}

func (s *Server) measure(c *gin.Context) {
	began := time.Now()
	c.Next()
	route := c.FullPath()
	if route == "" {
		route = "none"
	}
	if !eventsPath.MatchString(route) {
		s.Metrics.Requests.WithLabelValues(c.Request.Method, route, strconv.Itoa(c.Writer.Status())).Observe(time.Since(began).Seconds())
	}
}

// logged writes one line for each request, without what the client sent.
func logged(c *gin.Context) {
	began := time.Now()
	c.Next()
	slog.InfoContext(c.Request.Context(), "request", "method", c.Request.Method, "route", c.FullPath(),
		"status", c.Writer.Status(), "duration_ms", float64(time.Since(began).Microseconds())/1000)
}

func recovered(c *gin.Context) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		if aborted, ok := cause.(error); ok && errors.Is(aborted, http.ErrAbortHandler) {
			panic(cause)
		}
		slog.ErrorContext(c.Request.Context(), "panic", "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
		if !c.Writer.Written() {
			problem.Send(c, problem.Internal())
		}
	}()
	c.Next()
}

func secured(c *gin.Context) {
	c.Header("X-Content-Type-Options", "nosniff")
	c.Header("Cache-Control", "no-store")
	c.Next()
}

func limited(size int64) gin.HandlerFunc {
	return func(c *gin.Context) {
		if c.Request.ContentLength > size {
			problem.Send(c, tooLarge(size))
			return
		}
		c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, size)
		c.Next()
	}
}

func tooLarge(size int64) problem.Problem {
	return problem.New(http.StatusRequestEntityTooLarge, "body-too-large", fmt.Sprintf("The body may have up to %d bytes.", size))
}

func (s *Server) authenticated(c *gin.Context) {
	scheme, token, found := strings.Cut(c.GetHeader("Authorization"), " ")
	if !found || !strings.EqualFold(scheme, "Bearer") {
		unauthorized(c, `Bearer`)
		return
	}
	identity, err := s.Verifier.Verify(token)
	if err == nil && s.Sessions.Ended(c.Request.Context(), identity.SessionID) {
		err = errors.New("its session has ended")
	}
	if err != nil {
		slog.InfoContext(c.Request.Context(), "token refused", "reason", err.Error())
		unauthorized(c, `Bearer error="invalid_token"`)
		return
	}
	c.Set(identityKey, identity)
	c.Next()
}

func unauthorized(c *gin.Context, challenge string) {
	c.Header("WWW-Authenticate", challenge)
	problem.Send(c, problem.New(http.StatusUnauthorized, "unauthorized", "A valid access token is needed."))
}

func staffOnly(c *gin.Context) {
	if !identity(c).Staff() {
		problem.Send(c, problem.New(http.StatusForbidden, "forbidden", "This needs the role support or admin."))
		return
	}
	c.Next()
}

func identity(c *gin.Context) auth.Identity {
	who, _ := c.MustGet(identityKey).(auth.Identity)
	return who
}

func notFound(c *gin.Context) {
	problem.Send(c, problem.New(http.StatusNotFound, "not-found", "There is no such resource."))
}

func methodNotAllowed(c *gin.Context) {
	problem.Send(c, problem.New(http.StatusMethodNotAllowed, "method-not-allowed", "This resource does not know the method."))
}

// fail tells the log what happened and the client that it was not its fault.
func fail(c *gin.Context, what string, err error) {
	slog.ErrorContext(c.Request.Context(), what, "error", err)
	if c.Request.Context().Err() != nil {
		c.Abort()
		return
	}
	problem.Send(c, problem.Unavailable("A part of the service is down at the moment. Try again soon."))
}
