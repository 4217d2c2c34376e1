// Package auth checks access tokens against the user service's published keys.
package auth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"
)

// Roles that may see other people's orders.
const (
	RoleSupport = "support"
	RoleAdmin   = "admin"
)

const (
	tokenType       = "at+jwt" // RFC 9068
	clockSkew       = 30 * time.Second
	refreshInterval = 10 * time.Minute
	// refreshFloor keeps made-up key identifiers from becoming load for the user service.
	refreshFloor = 10 * time.Second
)

// Identity is who sent a request.
type Identity struct {
	UserID    string
	SessionID string
	Roles     []string
	Expires   time.Time
}

// Staff reports whether the identity may see and handle everybody's orders.
func (i Identity) Staff() bool {
	return slices.Contains(i.Roles, RoleSupport) || slices.Contains(i.Roles, RoleAdmin)
}

type claims struct {
	jwt.RegisteredClaims
	SessionID string   `json:"sid"`
	Roles     []string `json:"roles"`
}

// Verifier checks tokens.
type Verifier struct {
	parser *jwt.Parser
	keys   keyfunc.Keyfunc
}

// NewVerifier fetches keys from the URL until the context ends; it does not wait for the first answer to succeed.
func NewVerifier(ctx context.Context, url, issuer, audience string, client *http.Client) (*Verifier, error) {
	keys, err := keyfunc.NewDefaultOverrideCtx(ctx, []string{url}, keyfunc.Override{
		Client: client, HTTPTimeout: 5 * time.Second, RefreshInterval: refreshInterval,
		RefreshUnknownKID: rate.NewLimiter(rate.Every(refreshFloor), 1), RateLimitWaitMax: time.Millisecond,
		RefreshErrorHandlerFunc: func(string) func(context.Context, error) {
			return func(ctx context.Context, err error) {
				slog.WarnContext(ctx, "can't fetch the signing keys", "error", err)
			}
		},
	})
	if err != nil {
		return nil, err
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodES256.Alg()}), jwt.WithIssuer(issuer), jwt.WithAudience(audience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(clockSkew),
	)
	return &Verifier{parser, keys}, nil
}

// Verify reads a token; the error is for the log and not for the client.
func (v *Verifier) Verify(token string) (Identity, error) {
	var c claims
	parsed, err := v.parser.ParseWithClaims(token, &c, v.keys.Keyfunc)
	if err != nil {
		return Identity{}, err
	}
	if kind, _ := parsed.Header["typ"].(string); kind != tokenType && kind != "application/"+tokenType {
		return Identity{}, errors.New("not an access token")
	}
	if c.Subject == "" || c.SessionID == "" {
		return Identity{}, errors.New("a token without a subject or a session")
	}
	return Identity{c.Subject, c.SessionID, c.Roles, c.ExpiresAt.Time}, nil
}
