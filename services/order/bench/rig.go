package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/cloudcommerce/order/internal/broker"
)

// Of every order that the benchmark places.
const (
	internalToken = "internal-token-of-the-benchmark-0123456789"
	issuerName    = "https://auth.cloudcommerce.example"
	audience      = "cloudcommerce"
	sessionID     = "session-of-the-benchmark"
)

// rig is all that a measurement needs, running.
type rig struct {
	processors processors
	pinned     bool // PostgreSQL too
	database   *pgx.Conn
	url        string // of the database
	token      string
	service    *program
	noop       *program
	script     script
	file       string
	runs       int
	closing    []func()
}

// newRig starts everything and records what one order sends to PostgreSQL.
func newRig(ctx context.Context, s stores, built string) (*rig, error) {
	r := &rig{}
	if err := r.prepare(ctx, s, built); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// Close stops what runs and removes what was made, in reverse.
func (r *rig) Close() {
	for i := len(r.closing) - 1; i >= 0; i-- {
		r.closing[i]()
	}
	r.closing = nil
}

func (r *rig) later(f func()) { r.closing = append(r.closing, f) }

func (r *rig) prepare(ctx context.Context, s stores, built string) error {
	var err error
	if r.processors, err = own(); err != nil {
		return err
	}
	directory, err := os.MkdirTemp("", "order-bench-")
	if err != nil {
		return err
	}
	r.later(func() { _ = os.RemoveAll(directory) })
	if built == "" {
		if built, err = build(ctx, directory); err != nil {
			return err
		}
	}
	if err := r.pinPostgres(ctx, s.postgres); err != nil {
		return err
	}
	if err := r.createDatabase(ctx, s.postgres); err != nil {
		return err
	}
	if err := r.logIn(ctx, s.redis); err != nil {
		return err
	}
	issuer, err := r.startIssuer()
	if err != nil {
		return err
	}
	peers, err := r.startPeers(ctx)
	if err != nil {
		return err
	}
	topology := broker.Topology{Namespace: "bench-" + uuid.NewString()[:8] + "."}
	r.later(func() { removeQueues(s.rabbitmq, topology) })
	settings := []string{
		"REDIS_URL=" + s.redis, "RABBITMQ_URL=" + s.rabbitmq, "AMQP_NAMESPACE=" + topology.Namespace, "JWKS_URL=" + issuer,
		"PRODUCT_INTERNAL_URL=" + peers, "INTERNAL_API_TOKEN=" + internalToken, "STRIPE_API_KEY=sk_test_bench", "STRIPE_API_BASE=" + peers,
		"STRIPE_WEBHOOK_SECRET=whsec_bench", "DRAIN_DELAY=0s",
	}
	order, err := r.record(ctx, built, settings, directory)
	if err != nil {
		return err
	}
	if r.service, err = r.startService(ctx, built, r.url, settings); err != nil {
		return err
	}
	return r.startNoop(ctx, peers, order, directory)
}

// startIssuer plays the user service and signs the customers' token.
func (r *rig) startIssuer() (string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	public, err := key.PublicKey.Bytes()
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	set := fmt.Sprintf(`{"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","use":"sig","kid":"bench","x":%q,"y":%q}]}`,
		encode(public[1:33]), encode(public[33:]))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(set)) }))
	r.later(server.Close)
	now := time.Now()
	token := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
		"iss": issuerName, "aud": audience, "sub": "customer of the benchmark", "sid": sessionID, "jti": uuid.NewString(),
		"roles": []string{"customer"}, "iat": now.Unix(), "exp": now.Add(24 * time.Hour).Unix(),
	})
	token.Header["kid"], token.Header["typ"] = "bench", "at+jwt"
	r.token, err = token.SignedString(key)
	return server.URL, err
}

func (r *rig) startPeers(ctx context.Context) (string, error) {
	peers, err := r.startSelf(ctx, r.processors.others, peersCommand)
	if err != nil {
		return "", err
	}
	return peers.url, nil
}

func (r *rig) startNoop(ctx context.Context, peers string, order []byte, directory string) error {
	file := filepath.Join(directory, "order.json")
	if err := os.WriteFile(file, order, 0o600); err != nil {
		return err
	}
	var err error
	r.noop, err = r.startSelf(ctx, r.processors.serving, noopCommand, peers, file)
	return err
}

// startSelf runs this program again, as one of its commands.
func (r *rig) startSelf(ctx context.Context, processor, command string, arguments ...string) (*program, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	p, err := start(ctx, processor, address, nil, append([]string{self, command, address}, arguments...)...)
	if err == nil {
		r.later(p.Stop)
	}
	return p, err
}

func (r *rig) startService(ctx context.Context, built, database string, settings []string) (*program, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	environment := append([]string{"HOST=127.0.0.1", "PORT=" + port, "DATABASE_URL=" + database}, settings...)
	p, err := start(ctx, r.processors.serving, address, environment, built)
	if err == nil {
		r.later(p.Stop)
	}
	return p, err
}

// record places two orders through a service whose statements are written down, makes the script of the second, and
// returns the order that was answered.
func (r *rig) record(ctx context.Context, built string, settings []string, directory string) ([]byte, error) {
	recorder, err := newRecorder(r.url)
	if err != nil {
		return nil, err
	}
	defer recorder.Close()
	service, err := r.startService(ctx, built, recorder.url, append(settings, "SAGA_INTERVAL=1h", "OUTBOX_INTERVAL=1h"))
	if err != nil {
		return nil, err
	}
	defer service.Stop()
	if _, err := buy(http.DefaultClient, service.url, r.token); err != nil {
		return nil, err
	}
	recorder.Take()
	order, err := buy(http.DefaultClient, service.url, r.token)
	if err != nil {
		return nil, err
	}
	if r.script, err = newScript(recorder.Take()); err != nil {
		return nil, err
	}
	r.file = filepath.Join(directory, "order.sql")
	return order, os.WriteFile(r.file, []byte(r.script.text), 0o600)
}

// order measures the service, until the last event has left the outbox.
func (r *rig) order(ctx context.Context, clients int, length time.Duration) (load, error) {
	began, before := time.Now(), r.service.cpu()
	result, err := customers(ctx, r.service.url, r.token, clients, length)
	if err != nil {
		return result, err
	}
	for waiting := true; waiting; {
		if err := r.database.QueryRow(ctx, `select exists (select from outbox)`).Scan(&waiting); err != nil {
			return result, err
		}
	}
	result.elapsed, result.cpu = time.Since(began), r.service.cpu()-before
	return result, nil
}

// hops measures the no-op service.
func (r *rig) hops(ctx context.Context, clients int, length time.Duration) (load, error) {
	before := r.noop.cpu()
	result, err := customers(ctx, r.noop.url, r.token, clients, length)
	result.cpu = r.noop.cpu() - before
	return result, err
}

// ordersPerRun keeps the numbers of one run's orders apart from the next run's.
const ordersPerRun = 1_000_000

// sql measures pgbench, in milliseconds a transaction, and makes sure that each was a whole order.
func (r *rig) sql(ctx context.Context, clients int, length time.Duration) (float64, error) {
	paid := func() (count int, err error) {
		err = r.database.QueryRow(ctx, `select count(*) from orders where state = 'paid' and not exists (select from sagas)
			and not exists (select from outbox)`).Scan(&count)
		return count, err
	}
	before, err := paid()
	if err != nil {
		return 0, err
	}
	r.runs++
	transactions, rate, err := pgbench(ctx, r.processors.serving, r.url, r.file, r.script.variables, clients, length, firstOrder+r.runs*ordersPerRun)
	if err != nil {
		return 0, err
	}
	after, err := paid()
	if err == nil && after-before != transactions {
		err = errors.New("pgbench ran " + strconv.Itoa(transactions) + " transactions and made " + strconv.Itoa(after-before) + " paid orders")
	}
	return 1000 * float64(clients) / rate, err
}
