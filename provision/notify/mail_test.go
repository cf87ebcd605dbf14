package notify_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/notify"
)

func held() provision.Notification {
	return provision.Notification{
		ID: "7c0e", Kind: provision.NotifyQuarantine, Job: "postman", Reason: provision.TooManyDeletes,
		Message: "12 deletions or deactivations are held; release them, or mend the source or the scope",
		Remedy:  "Look at the held deletions.", CycleID: "c-1", Time: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC),
	}
}

// sender returns settings for a server that passes for one on another machine.
func sender(s *smtpServer) notify.Mail {
	return notify.Mail{
		Server: mailHost + ":587", Username: mailUser, Password: mailPass,
		From: "Provisioning <scim@meridian.example>", To: []string{"it@meridian.example", "Ola <ola@meridian.example>"},
		TLS: &tls.Config{RootCAs: s.roots},
	}.WithDial(s.dial)
}

// read takes an e-mail apart.
func read(t *testing.T, text string) (mail.Header, string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	var body io.Reader = m.Body
	if m.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
		body = quotedprintable.NewReader(body)
	}
	data, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return m.Header, strings.ReplaceAll(string(data), "\r\n", "\n")
}

func TestMailIsSentOverTLSAndCanBeUnderstood(t *testing.T) {
	for name, port := range map[string]string{"STARTTLS": ":587", "TLS from the start": ":465"} {
		t.Run(name, func(t *testing.T) {
			s := newSMTPServer(t, func(s *smtpServer) { s.implicit = port == ":465" })
			m := sender(s)
			m.Server = mailHost + port
			if err := m.Notify(t.Context(), held()); err != nil {
				t.Fatal(err)
			}
			mails := s.received()
			if len(mails) != 1 || s.signedIn != 1 {
				t.Fatalf("%d mails, signed in %d times", len(mails), s.signedIn)
			}
			header, body := read(t, mails[0])
			want := `What happened
    12 deletions or deactivations are held; release them, or mend the source or the scope.

What to do next
    Look at the held deletions.

Job      postman
Reason   TooManyDeletes
Cycle    c-1
Time     Mon, 05 Jan 2026 09:00:00 UTC

This is told once. You are told when it is over, or when something else happens.
`
			if diff := cmp.Diff(strings.TrimSpace(want), strings.TrimSpace(body)); diff != "" {
				t.Errorf("text (-want +got):\n%s", diff)
			}
			got := []string{header.Get("Subject"), header.Get("Message-Id"), header.Get("Auto-Submitted"), header.Get("Date")}
			if diff := cmp.Diff([]string{
				"[postman] deletions are held and wait for you", "<7c0e@scimbridge>", "auto-generated", "Mon, 05 Jan 2026 09:00:00 +0000",
			}, got); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
			if to := header.Get("To"); !strings.Contains(to, "it@meridian.example") || !strings.Contains(to, "ola@meridian.example") {
				t.Errorf("To: %s", to)
			}
			if clear := s.heardInTheClear(); strings.Contains(clear, "AUTH") || strings.Contains(clear, "MAIL") {
				t.Errorf("said without TLS: %s", clear)
			}
		})
	}
}

func TestMailSaysNothingWithoutTLS(t *testing.T) {
	s := newSMTPServer(t, func(s *smtpServer) { s.noTLS = true })
	err := sender(s).Notify(t.Context(), held())
	if err == nil || !strings.Contains(err.Error(), "STARTTLS") || len(s.received()) != 0 {
		t.Errorf("err = %v, %d mails", err, len(s.received()))
	}
	if clear := s.heardInTheClear(); strings.Contains(clear, "AUTH") || strings.Contains(clear, "MAIL") {
		t.Errorf("said without TLS: %s", clear)
	}
	t.Run("save to this machine", func(t *testing.T) {
		m := sender(s)
		m.Server, m.Username, m.Password = s.address(), "", ""
		if err := m.Notify(t.Context(), held()); err != nil || len(s.received()) != 1 {
			t.Errorf("err = %v, %d mails", err, len(s.received()))
		}
	})
}

func TestMailChecksTheCertificate(t *testing.T) {
	s := newSMTPServer(t, nil)
	m := sender(s)
	m.TLS = nil
	if err := m.Notify(t.Context(), held()); err == nil || !strings.Contains(err.Error(), "certificate") || len(s.received()) != 0 {
		t.Errorf("err = %v", err)
	}
	m = sender(s)
	m.Server = "other.meridian.example:587"
	if err := m.Notify(t.Context(), held()); err == nil || !strings.Contains(err.Error(), "certificate") || len(s.received()) != 0 {
		t.Errorf("a certificate for another host: err = %v", err)
	}
}

func TestMailKeepsItsPassword(t *testing.T) {
	s := newSMTPServer(t, func(s *smtpServer) { s.badLogin = true })
	m := sender(s)
	err := m.Notify(t.Context(), held())
	if err == nil || !strings.Contains(err.Error(), "535") {
		t.Fatalf("err = %v", err)
	}
	var b strings.Builder
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "mail", m, "settings", struct{ M notify.Mail }{m})
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "mail", m, "settings", struct{ M notify.Mail }{m})
	shown := fmt.Sprintf("%v %+v %#v %s %v %s", m, m, m, m, struct{ M notify.Mail }{m}, b.String()) + err.Error()
	for _, secret := range []string{mailPass, "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5", "AHNjaW1AbWVyaWRpYW4uZXhhbXBsZQBjb3JyZWN0IGhvcnNlIGJhdHRlcnk="} {
		if strings.Contains(shown, secret) {
			t.Errorf("%s is in %s", secret, shown)
		}
	}
}

func TestMailCannotBeGivenHeaders(t *testing.T) {
	s := newSMTPServer(t, nil)
	n := held()
	n.Job = "postman\r\nBcc: evil@example.org\r\n\r\nbody"
	n.ID = "1>\r\nBcc: evil@example.org\r\n"
	n.Message = "the target says\r\n.\r\nMAIL FROM:<evil@example.org>\r\nBcc: evil@example.org"
	n.Kind = provision.NotificationKind("x\nBcc: evil@example.org")
	if err := sender(s).Notify(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	mails := s.received()
	if len(mails) != 1 {
		t.Fatalf("%d mails: %q", len(mails), mails)
	}
	header, body := read(t, mails[0])
	if header.Get("Bcc") != "" || len(header["Subject"]) != 1 || !strings.Contains(body, "MAIL FROM:<evil@example.org>") {
		t.Errorf("mail:\n%s", mails[0])
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject"))
	if err != nil || strings.ContainsAny(subject, "\r\n") {
		t.Errorf("subject %q, %v", subject, err)
	}
	for _, address := range []string{"it@example.com\r\nBcc: evil@example.org", "\"a\r\nBcc: b\" <it@example.com>", "nobody", ""} {
		m := sender(s)
		m.To = []string{address}
		if err := m.Notify(t.Context(), held()); err == nil || !strings.Contains(err.Error(), "not an address") {
			t.Errorf("To %q: err = %v", address, err)
		}
		m = sender(s)
		m.From = address
		if err := m.Check(); err == nil {
			t.Errorf("From %q is accepted", address)
		}
	}
}

func TestMailEndsWithItsContext(t *testing.T) {
	s := newSMTPServer(t, func(s *smtpServer) { s.silent = true })
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		m := sender(s).WithDial(nil)
		m.Server = s.address()
		done := make(chan error, 1)
		go func() { done <- m.Notify(ctx, held()) }()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("out of time", func(t *testing.T) {
		m := sender(s)
		m.Timeout = 20 * time.Millisecond
		if err := m.Notify(t.Context(), held()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err = %v", err)
		}
	})
}

func TestMailSettingsAreChecked(t *testing.T) {
	good := notify.Mail{Server: "smtp.example.com:587", From: "a@example.com", To: []string{"b@example.com"}}
	if err := good.Check(); err != nil {
		t.Errorf("good settings: %v", err)
	}
	for name, spoil := range map[string]func(*notify.Mail){
		"no port":                func(m *notify.Mail) { m.Server = "smtp.example.com" },
		"no host":                func(m *notify.Mail) { m.Server = ":587" },
		"a bad port":             func(m *notify.Mail) { m.Server = "smtp.example.com:0" },
		"nobody to tell":         func(m *notify.Mail) { m.To = nil },
		"a user but no password": func(m *notify.Mail) { m.Username = "x" },
	} {
		m := good
		spoil(&m)
		if err := m.Check(); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if err := m.Notify(t.Context(), held()); err == nil {
			t.Errorf("%s: sent", name)
		}
	}
}
