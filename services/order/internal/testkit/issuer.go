package testkit

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// Issuer plays the user service: it publishes a key and signs tokens with it.
type Issuer struct {
	Key    *ecdsa.PrivateKey
	Server *httptest.Server
	KeyID  string
}

// Names that the tokens of the tests carry.
const (
	IssuerName = "https://auth.cloudcommerce.example"
	Audience   = "cloudcommerce"
)

// NewIssuer starts one.
func NewIssuer(t testing.TB) *Issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	issuer := &Issuer{Key: key, KeyID: "test-key"}
	issuer.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		public, err := key.PublicKey.Bytes()
		if err != nil {
			panic(err)
		}
		encode := base64.RawURLEncoding.EncodeToString
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []map[string]string{{
			"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": issuer.KeyID,
			"x": encode(public[1:33]), "y": encode(public[33:]),
		}}})
	}))
	t.Cleanup(issuer.Server.Close)
	return issuer
}

// SessionID names the one session of a user.
func SessionID(userID string) string { return "session-of-" + userID }

// Claims are those of a good access token.
func Claims(userID string, roles ...string) jwt.MapClaims {
	now := time.Now()
	return jwt.MapClaims{
		"iss": IssuerName, "aud": Audience, "sub": userID, "sid": SessionID(userID), "jti": uuid.NewString(),
		"roles": append([]string{"customer"}, roles...), "iat": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(),
	}
}

// Token signs an access token for a user.
func (i *Issuer) Token(t testing.TB, userID string, roles ...string) string {
	t.Helper()
	return i.Sign(t, Claims(userID, roles...))
}

// Sign signs any claims as an access token.
func (i *Issuer) Sign(t testing.TB, claims jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	token.Header["kid"], token.Header["typ"] = i.KeyID, "at+jwt"
	signed, err := token.SignedString(i.Key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}
