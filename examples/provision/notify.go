package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/notify"
)

// checkNotify refuses settings by which nobody would be told.
func (o *options) checkNotify() error {
	m, w := o.mail, o.webhook
	switch {
	case m.to == "" && (m.server != "" || m.from != "" || m.user != "" || m.passwordEnv != ""):
		return errors.New("-smtp, -mail-from, -mail-user and -mail-password-env go with -mail-to")
	case m.to != "" && m.server == "":
		return errors.New("-mail-to needs -smtp, the host and port of the mail server")
	case (m.user == "") != (m.passwordEnv == ""):
		return errors.New("-mail-user and -mail-password-env go together")
	case m.passwordEnv != "" && os.Getenv(m.passwordEnv) == "":
		return fmt.Errorf("the environment variable %s is empty: put the password of the mail account there", m.passwordEnv)
	case (w.url == "") != (w.secretEnv == ""):
		return errors.New("-webhook and -webhook-secret-env go together")
	case w.secretEnv != "" && os.Getenv(w.secretEnv) == "":
		return fmt.Errorf("the environment variable %s is empty: put the secret of the webhook there", w.secretEnv)
	}
	if m.to != "" {
		if err := o.mail.notifier().Check(); err != nil {
			return err
		}
	}
	if w.url != "" {
		return o.webhook.notifier().Check()
	}
	return nil
}

func (m mailOptions) notifier() notify.Mail {
	to := strings.FieldsFunc(m.to, func(r rune) bool { return r == ',' || r == ' ' })
	mail := notify.Mail{Server: m.server, Username: m.user, From: m.from, To: to}
	if m.passwordEnv != "" {
		mail.Password = os.Getenv(m.passwordEnv)
	}
	if mail.From == "" && len(to) > 0 {
		mail.From = to[0]
	}
	return mail
}

func (w webhookOptions) notifier() notify.Webhook {
	return notify.Webhook{URL: w.url, Secret: os.Getenv(w.secretEnv)}
}

// notifier is what tells administrators; nil when nobody is to be told.
func (o *options) notifier() provision.Notifier {
	var all []provision.Notifier
	if o.mail.to != "" {
		all = append(all, o.mail.notifier())
	}
	if o.webhook.url != "" {
		all = append(all, o.webhook.notifier())
	}
	if len(all) == 0 {
		return nil
	}
	return notify.All(all...)
}
