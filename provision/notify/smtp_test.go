package notify_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	mailHost = "mail.meridian.example"
	mailUser = "scim@meridian.example"
	mailPass = "correct horse battery"
)

// smtpServer is an SMTP server on this machine with a certificate of its own.
type smtpServer struct {
	t      *testing.T
	tls    *tls.Config
	roots  *x509.CertPool
	listen net.Listener

	// noTLS: STARTTLS is not offered. implicit: TLS comes first. silent: nothing is answered. badLogin: AUTH is refused.
	noTLS, implicit, silent, badLogin bool

	mu    sync.Mutex
	mails []string
	// inTheClear has every line that came without TLS.
	inTheClear []string
	signedIn   int
	open       sync.WaitGroup
}

func newSMTPServer(t *testing.T, change func(*smtpServer)) *smtpServer {
	t.Helper()
	s := &smtpServer{t: t}
	if change != nil {
		change(s)
	}
	s.certificate()
	var err error
	if s.listen, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := s.listen.Accept()
			if err != nil {
				return
			}
			s.open.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = s.listen.Close()
		serving.Wait()
		s.open.Wait()
	})
	return s
}

func (s *smtpServer) certificate() {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: mailHost}, DNSNames: []string{mailHost},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		s.t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		s.t.Fatal(err)
	}
	s.roots = x509.NewCertPool()
	s.roots.AddCert(parsed)
	s.tls = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// dial leads every address here.
func (s *smtpServer) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, s.listen.Addr().String())
}

func (s *smtpServer) address() string { return s.listen.Addr().String() }

func (s *smtpServer) received() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mails
}

func (s *smtpServer) heardInTheClear() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.inTheClear, "\n")
}

func (s *smtpServer) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	secure := false
	if s.implicit {
		conn, secure = tls.Server(conn, s.tls), true
	}
	in := bufio.NewReader(conn)
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(conn, format+"\r\n", args...) }
	if !s.silent {
		say("220 %s ESMTP", mailHost)
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		if !secure {
			s.mu.Lock()
			s.inTheClear = append(s.inTheClear, line)
			s.mu.Unlock()
		}
		verb, rest, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			say("250-%s", mailHost)
			if !secure && !s.noTLS {
				say("250-STARTTLS")
			}
			say("250-AUTH PLAIN LOGIN")
			say("250 8BITMIME")
		case "STARTTLS":
			say("220 go ahead")
			conn, secure = tls.Server(conn, s.tls), true
			in = bufio.NewReader(conn)
		case "AUTH":
			s.auth(rest, say)
		case "DATA":
			say("354 go ahead")
			s.data(in)
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (s *smtpServer) auth(rest string, say func(string, ...any)) {
	_, response, _ := strings.Cut(rest, " ")
	want := base64.StdEncoding.EncodeToString([]byte("\x00" + mailUser + "\x00" + mailPass))
	if s.badLogin || response != want {
		// Some servers say again what they were told.
		say("535 5.7.8 not accepted: %s", response)
		return
	}
	s.mu.Lock()
	s.signedIn++
	s.mu.Unlock()
	say("235 welcome")
}

func (s *smtpServer) data(in *bufio.Reader) {
	var b strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil || line == ".\r\n" {
			break
		}
		b.WriteString(line)
	}
	s.mu.Lock()
	s.mails = append(s.mails, b.String())
	s.mu.Unlock()
}
