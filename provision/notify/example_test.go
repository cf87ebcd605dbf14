package notify_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/scimbridge/scim/provision"
	"github.com/scimbridge/scim/provision/notify"
)

// A job that tells by e-mail and by a webhook. Settings are checked at the start, and not when there is something to tell.
func ExampleAll() {
	mail := notify.Mail{
		Server: "smtp.example.com:587", Username: "scim@example.com", Password: "from the environment",
		From: "Provisioning <scim@example.com>", To: []string{"it@example.com"},
	}
	hook := notify.Webhook{URL: "https://hooks.example.com/scim", Secret: "also from the environment"}
	fmt.Println(mail.Check(), hook.Check())
	config := provision.Config{Name: "postman", Notify: notify.All(mail, hook)}
	fmt.Println(mail, "and", hook, "for", config.Name)
	// Output:
	// <nil> <nil>
	// mail by smtp.example.com:587 to it@example.com and webhook to hooks.example.com for postman
}

// A receiver checks the signature before it believes anything.
func ExampleVerify() {
	const secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZg=="
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
		if err != nil || notify.Verify(r.Header, body, secret, time.Now()) != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Printf("%s\n", body)
	}))
	defer receiver.Close()
	err := notify.Webhook{URL: receiver.URL, Secret: secret}.Notify(context.Background(), provision.Notification{
		ID: "1", Kind: provision.NotifyRecovered, Job: "postman", Reason: provision.TooManyDeletes,
		Message: "a cycle went well", Remedy: "Nothing.", Time: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC),
	})
	fmt.Println(err)
	// Output:
	// {"id":"1","kind":"recovered","job":"postman","reason":"TooManyDeletes","message":"a cycle went well","recommendedAction":"Nothing.","time":"2026-01-05T09:00:00Z"}
	// <nil>
}

// What an administrator reads.
func ExampleText() {
	fmt.Print(notify.Text(provision.Notification{
		Kind: provision.NotifyQuarantine, Job: "postman", Reason: provision.IngestionInterrupted,
		Message: "provision: source: User: it reads empty, and 812 objects were read the time before; nothing was sent",
		Remedy:  "Correct the source. Nobody has lost access.", Time: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC),
	}))
	// Output:
	// What happened
	//     Source: User: it reads empty, and 812 objects were read the time before; nothing was sent.
	//
	// What to do next
	//     Correct the source. Nobody has lost access.
	//
	// Job      postman
	// Reason   IngestionInterrupted
	// Time     Mon, 05 Jan 2026 09:00:00 UTC
	//
	// This is told once. You are told when it is over, or when something else happens.
}
