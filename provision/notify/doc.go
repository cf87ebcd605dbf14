// Package notify tells administrators about a provisioning job: by e-mail, and by a webhook.
//
//	job, err := provision.New(provision.Config{
//		…
//		Notify: notify.All(
//			notify.Mail{
//				Server: "smtp.example.com:587", Username: "scim@example.com", Password: password,
//				From: "Provisioning <scim@example.com>", To: []string{"it@example.com"},
//			},
//			notify.Webhook{URL: "https://hooks.example.com/scim", Secret: secret},
//		),
//	})
//
// The job decides what is told, and when: that it has entered quarantine and why, which includes deletions that are held, a source that
// cannot be read and a target that cannot be used; that it was disabled; that it has recovered; that retries of objects have ended; and that the target does not keep what is written.
// Each is told once. A notification that cannot be delivered is kept in the job's state and tried again, and never stops the job.
//
// # Secrets
//
// Passwords are sent over TLS only, save to this machine itself, and a webhook's secret is never sent at all: it signs the message.
// Redirects are not followed. Printing or logging a [Mail] or a [Webhook] shows no secret, and no error has one in it.
package notify
