package main

import (
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5/pgproto3"
)

// statement is one that a client sent, with its values as text; nil is null.
type statement struct {
	sql    string
	values []*string
}

// recorder stands before PostgreSQL and writes down what one client sends outside of transactions. Inside of them
// there are only the outbox's relays, which serve many orders at once.
type recorder struct {
	listener net.Listener
	target   string
	url      string

	mutex    sync.Mutex
	recorded []statement
}

// newRecorder returns one for the database; its URL makes pgx send all values as text, with each statement.
func newRecorder(databaseURL string) (*recorder, error) {
	parsed, err := url.Parse(databaseURL)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &recorder{listener: listener, target: parsed.Host}
	parsed.Host = listener.Addr().String()
	query := parsed.Query()
	query.Set("default_query_exec_mode", "exec")
	query.Set("sslmode", "disable")
	parsed.RawQuery = query.Encode()
	r.url = parsed.String()
	go r.accept()
	return r, nil
}

// Take returns what was recorded since the last time.
func (r *recorder) Take() []statement {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	taken := r.recorded
	r.recorded = nil
	return taken
}

func (r *recorder) accept() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return
		}
		go r.forward(client)
	}
}

func (r *recorder) forward(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", r.target)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	go func() { _, _ = io.Copy(client, server); _ = client.Close() }()
	s := session{prepared: map[string]string{}, record: r.record}
	for kind := byte(0); ; {
		// The first message has no letter (https://www.postgresql.org/docs/17/protocol-message-formats.html).
		header := make([]byte, 4, 5)
		if s.started {
			header = header[:5]
		}
		if _, err := io.ReadFull(client, header); err != nil {
			return
		}
		length := header
		if s.started {
			kind, length = header[0], header[1:]
		}
		body := make([]byte, binary.BigEndian.Uint32(length)-4)
		if _, err := io.ReadFull(client, body); err != nil {
			return
		}
		if s.started {
			s.note(kind, body)
		}
		s.started = true
		if _, err := server.Write(append(header, body...)); err != nil {
			return
		}
	}
}

func (r *recorder) record(one statement) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.recorded = append(r.recorded, one)
}

// session is what has to be remembered of one connection.
type session struct {
	started       bool
	inTransaction bool
	prepared      map[string]string
	record        func(statement)
}

func (s *session) note(kind byte, body []byte) {
	switch kind {
	case 'Q':
		var query pgproto3.Query
		if query.Decode(body) == nil {
			s.ran(statement{sql: query.String})
		}
	case 'P':
		var parse pgproto3.Parse
		if parse.Decode(body) == nil {
			s.prepared[parse.Name] = parse.Query
		}
	case 'B':
		var bind pgproto3.Bind
		if bind.Decode(body) == nil {
			one := statement{sql: s.prepared[bind.PreparedStatement]}
			for _, value := range bind.Parameters {
				one.values = append(one.values, textOf(value))
			}
			s.ran(one)
		}
	}
}

func (s *session) ran(one statement) {
	switch word, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(one.sql)), " "); word {
	case "begin":
		s.inTransaction = true
	case "commit", "rollback":
		s.inTransaction = false
	case "--": // the pool's ping
	default:
		if !s.inTransaction {
			s.record(one)
		}
	}
}

func textOf(value []byte) *string {
	if value == nil {
		return nil
	}
	text := string(value)
	return &text
}

// Close ends the listener; connections end with their clients.
func (r *recorder) Close() { _ = r.listener.Close() }
