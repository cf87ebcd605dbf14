package notify

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"strconv"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"github.com/scimbridge/scim/provision"
)

// Mail sends notifications by e-mail. The text says what happened, to which job, and what to do next. It is safe for concurrent use.
type Mail struct {
	// Server is the host and port of the SMTP server. Port 465 speaks TLS from the start; on any other, the connection is
	// upgraded by STARTTLS before anything else is said. A server that does not offer that is refused, unless it is on this machine.
	Server string
	// Username and Password sign in; both empty for a server that needs neither.
	Username string
	Password string `json:"-"`
	// From is the sender's address, with or without a name: Provisioning <scim@example.com>.
	From string
	// To are the recipients' addresses.
	To []string
	// TLS is used instead of the default configuration, for a certificate authority of one's own. It may be nil.
	TLS *tls.Config `json:"-"`
	// Timeout bounds the sending of one e-mail: 20 seconds when 0. The context of [Mail.Notify] bounds it too.
	Timeout time.Duration

	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

var _ provision.Notifier = Mail{}

// implicitTLS is the port on which TLS comes before SMTP (RFC 8314 section 3.3).
const implicitTLS = "465"

// Check reports what is wrong with the settings, without sending anything. [Mail.Notify] returns the same error.
func (m Mail) Check() error {
	host, port, err := net.SplitHostPort(m.Server)
	switch {
	case err != nil || host == "":
		return fmt.Errorf("notify: mail: %q is not the host and port of a server", m.Server)
	case len(m.To) == 0:
		return errors.New("notify: mail: there are no recipients")
	case (m.Username == "") != (m.Password == ""):
		return errors.New("notify: mail: a user name needs a password, and a password a user name")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("notify: mail: %q is not a port", port)
	}
	for _, text := range append([]string{m.From}, m.To...) {
		if _, err := mail.ParseAddress(text); err != nil || strings.ContainsFunc(text, unicode.IsControl) {
			return fmt.Errorf("notify: mail: %q is not an address", text)
		}
	}
	return nil
}

// Notify sends an e-mail. The error names the server and says what it answered; it holds no credentials.
func (m Mail) Notify(ctx context.Context, n provision.Notification) error {
	if err := m.Check(); err != nil {
		return err
	}
	message, err := m.message(n)
	if err != nil {
		return fmt.Errorf("notify: mail: %w", err)
	}
	timeout := cmp.Or(m.Timeout, 20*time.Second)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var line connection
	defer line.close()
	c, err := m.client(ctx, &line, timeout)
	if err == nil {
		err = c.DialAndSendWithContext(ctx, message)
	}
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("notify: mail to %s: %w", m.Server, context.Cause(ctx))
	}
	return fmt.Errorf("notify: mail to %s: %s", m.Server, m.clean(err.Error()))
}

// connection is the one that an e-mail is sent over. It ends with the context, whatever is under way.
type connection struct {
	net.Conn
	stop func() bool
}

func (l *connection) close() {
	if l.Conn != nil {
		l.stop()
		_ = l.Close()
	}
}

func (m Mail) client(sending context.Context, line *connection, timeout time.Duration) (*gomail.Client, error) {
	host, port, _ := net.SplitHostPort(m.Server)
	number, _ := strconv.Atoi(port)
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if m.TLS != nil {
		config = m.TLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = host
	}
	policy := gomail.TLSMandatory
	if isLoopback(host) {
		policy = gomail.TLSOpportunistic
	}
	open := m.dial
	if open == nil {
		open = (&net.Dialer{}).DialContext
	}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := open(ctx, network, address)
		if err != nil {
			return nil, err
		}
		// The context given here ends when the connection is made.
		line.Conn, line.stop = conn, context.AfterFunc(sending, func() { _ = conn.Close() })
		if port != implicitTLS {
			return conn, nil
		}
		secure := tls.Client(conn, config)
		return secure, secure.HandshakeContext(ctx)
	}
	options := []gomail.Option{
		// The context ends it before that.
		gomail.WithPort(number), gomail.WithTLSPolicy(policy), gomail.WithTLSConfig(config), gomail.WithTimeout(timeout + time.Second),
		gomail.WithDialContextFunc(dial), gomail.WithHELO("localhost"),
	}
	if port == implicitTLS {
		options = append(options, gomail.WithSSL())
	}
	if m.Username != "" {
		// PLAIN and LOGIN refuse to say the password without TLS, save to this machine.
		options = append(options, gomail.WithUsername(m.Username), gomail.WithPassword(m.Password), gomail.WithOpportunisticSMTPAuth(
			gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	return gomail.NewClient(host, options...)
}

func (m Mail) message(n provision.Notification) (*gomail.Msg, error) {
	message := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := message.From(m.From); err != nil {
		return nil, err
	}
	if err := message.To(m.To...); err != nil {
		return nil, err
	}
	message.Subject(Subject(n))
	message.SetDateWithValue(n.Time)
	if n.ID != "" {
		// An e-mail that is sent again has the same id, by which mail programs tell repetitions.
		message.SetMessageIDWithValue(idText(n.ID) + "@scimbridge")
	}
	message.SetGenHeader("Auto-Submitted", "auto-generated")
	message.SetBodyString(gomail.TypeTextPlain, Text(n))
	return message, nil
}

// idText keeps what may stand in a Message-ID (RFC 5322 section 3.6.4).
func idText(id string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return r
		}
		return '.'
	}, id)
}

// clean takes the password out of what a server says, in the forms in which it was told, and anything that would break a line.
func (m Mail) clean(text string) string {
	if m.Password != "" {
		for _, secret := range []string{
			m.Password, base64.StdEncoding.EncodeToString([]byte(m.Password)),
			base64.StdEncoding.EncodeToString([]byte("\x00" + m.Username + "\x00" + m.Password)),
		} {
			text = strings.ReplaceAll(text, secret, "[secret]")
		}
	}
	return oneLine(text)
}

// String names the server and the recipients.
func (m Mail) String() string {
	return fmt.Sprintf("mail by %s to %s", m.Server, strings.Join(m.To, ", "))
}

// GoString is String.
func (m Mail) GoString() string { return m.String() }

// LogValue is String.
func (m Mail) LogValue() slog.Value { return slog.StringValue(m.String()) }

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
