package notify

import (
	"context"
	"net"
)

// WithDial has e-mail sent over connections of a test, so that a server on this machine can pass for another.
func (m Mail) WithDial(dial func(ctx context.Context, network, address string) (net.Conn, error)) Mail {
	m.dial = dial
	return m
}
