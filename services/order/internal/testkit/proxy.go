package testkit

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// Proxy stands before a store and can cut it off.
type Proxy struct {
	address string
	target  string

	mutex       sync.Mutex
	listener    net.Listener
	connections map[net.Conn]bool
}

// NewProxy returns the store's URL through the proxy.
func NewProxy(t testing.TB, storeURL string) (*Proxy, string) {
	t.Helper()
	parsed, err := url.Parse(storeURL)
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{target: parsed.Host, connections: map[net.Conn]bool{}, address: "127.0.0.1:0"}
	p.Restore(t)
	p.address = p.listener.Addr().String()
	t.Cleanup(p.Cut)
	parsed.Host = p.address
	return p, parsed.String()
}

// Cut ends all connections and refuses new ones.
func (p *Proxy) Cut() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
	for connection := range p.connections {
		_ = connection.Close()
	}
	clear(p.connections)
}

// Restore lets connections through again.
func (p *Proxy) Restore(t testing.TB) {
	t.Helper()
	listener, err := net.Listen("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	p.mutex.Lock()
	p.listener = listener
	p.mutex.Unlock()
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go p.forward(client)
		}
	}()
}

func (p *Proxy) forward(client net.Conn) {
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		_ = client.Close()
		return
	}
	p.mutex.Lock()
	open := p.listener != nil
	p.connections[client], p.connections[server] = true, true
	p.mutex.Unlock()
	if !open {
		_ = client.Close()
		_ = server.Close()
	}
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(server, client); _ = server.Close() })
	both.Go(func() { _, _ = io.Copy(client, server); _ = client.Close() })
	both.Wait()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	delete(p.connections, client)
	delete(p.connections, server)
}
