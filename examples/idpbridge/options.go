package main

import (
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// options are what the command line and the environment say.
type options struct {
	// The service that the identity provider writes to.
	addr, store, dsn  string
	baseURL           string
	certFile, keyFile string
	grace             time.Duration
	verbose           bool
	// tokens let the identity provider in. made says that there was none, so that the only one was made here.
	tokens []string
	made   bool

	// The application that the changes go to.
	tenantURL, tokenEnv string
	key                 string
	profile, mapping    string
	state               string
	maxDeletes          int
	settle, interval    time.Duration
	fullEvery           time.Duration
}

// demo reports whether there is no application, so that a simulated one is used.
func (o *options) demo() bool { return o.tenantURL == "" }

const help = `Idpbridge accepts SCIM from an identity provider, such as Entra or Okta, and has every change in Postman, or another
application with SCIM, seconds later.

Usage:

  idpbridge                       a demonstration: nothing needed, nothing outside touched; it prints what to try with curl
  SCIM_TOKEN=... POSTMAN_SCIM_API_KEY=... idpbridge -tenant-url https://api.getpostman.com/scim/v2/ [flags]

SCIM_TOKEN is the bearer token that the identity provider is given; several, separated by spaces, are valid at once, so that
it can be exchanged without a gap. Secrets are taken from the environment only; they are never shown or logged, but for the
token that is made when there is none for the demonstration.

The service for the identity provider:

  -addr HOST:PORT   where to listen (127.0.0.1:8880); port 0 takes any that is free. The service is at /scim/v2
  -store NAME       where users and groups are kept: sqlite (the default), postgres, or memory, from which they are gone
                    when the program ends
  -dsn NAME         the SQLite file (scim.db), or the database as postgres://user@host/name; its password is best in the
                    environment variable PGPASSWORD
  -base-url URL     the service's URL as the identity provider sees it, when a proxy is in front
  -tls-cert FILE    certificate and key for https; without them, listen on the loopback interface or behind a
  -tls-key FILE     proxy that has TLS, because bearer tokens must not travel in the clear
  -grace TIME       how long to finish what is under way after SIGINT or SIGTERM (10s); a second signal ends at once
  -v                log every request to standard error; never bodies, queries or tokens

The application:

  -tenant-url URL   its SCIM base URL: https, or http on the loopback interface. Without it there is a simulated Postman
  -token-env NAME   environment variable that holds its SCIM API key (POSTMAN_SCIM_API_KEY)
  -profile NAME     what it can do: postman (the default), github-enterprise, slack, generic, or a file such as
                    examples/probe writes
  -mapping FILE     attribute mappings from SCIM to SCIM, as JSON, in place of those for Postman: see mapping.json
  -state FILE       where links, retries and the log are kept: a SQLite file (bridge-state.db), or postgres://...
  -settle TIME      how long changes are gathered, so that what belongs together is sent together (500ms)
  -interval TIME    how often to look for what has to be tried again (1m)
  -full-every TIME  how often to compare everything that is stored (24h). Where other processes write to the same
                    store, this is how long their changes may take: 1m, say
  -max-deletes N    hold deletions and deactivations when more than N come at once; without it, when more than 500 come, or
                    more than 20 percent of everybody. They are released by examples/provision -release-deletes

The state is that of examples/provision, which tells how the bridge is, why somebody is or is not in the application, and
what was done, with the same -tenant-url and -state:

  provision -tenant-url https://api.getpostman.com/scim/v2/ -state bridge-state.db -status

Exit status:

  0  stopped by a signal
  1  could not begin, or stopped by a failure
  2  the command line is wrong
`

// errUsage has been explained to the user already.
var errUsage = errors.New("wrong command line")

func parseOptions(args []string, w world) (*options, error) {
	o := &options{tokens: strings.Fields(w.getenv("SCIM_TOKEN"))}
	f := flag.NewFlagSet("idpbridge", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.addr, "addr", "127.0.0.1:8880", "")
	f.StringVar(&o.store, "store", "sqlite", "")
	f.StringVar(&o.dsn, "dsn", "", "")
	f.StringVar(&o.baseURL, "base-url", "", "")
	f.StringVar(&o.certFile, "tls-cert", "", "")
	f.StringVar(&o.keyFile, "tls-key", "", "")
	f.DurationVar(&o.grace, "grace", 10*time.Second, "")
	f.BoolVar(&o.verbose, "v", false, "")
	f.StringVar(&o.tenantURL, "tenant-url", "", "")
	f.StringVar(&o.tokenEnv, "token-env", "POSTMAN_SCIM_API_KEY", "")
	f.StringVar(&o.profile, "profile", "postman", "")
	f.StringVar(&o.mapping, "mapping", "", "")
	f.StringVar(&o.state, "state", "", "")
	f.DurationVar(&o.settle, "settle", 500*time.Millisecond, "")
	f.DurationVar(&o.interval, "interval", time.Minute, "")
	f.DurationVar(&o.fullEvery, "full-every", 24*time.Hour, "")
	f.IntVar(&o.maxDeletes, "max-deletes", 0, "")
	err := f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(w.stdout, help)
		return nil, err
	}
	if err == nil {
		o.key = w.getenv(o.tokenEnv)
		err = o.check(f.Args())
	}
	if err != nil {
		fmt.Fprintf(w.stderr, "idpbridge: %v\nidpbridge -h tells what can be said\n", err)
		return nil, errUsage
	}
	if len(o.tokens) == 0 {
		o.tokens, o.made = []string{rand.Text()}, true
	}
	return o, nil
}

func (o *options) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("what is %q? Everything is said with flags", rest[0])
	case !slices.Contains(stores, o.store):
		return fmt.Errorf("-store %q: there are %s", o.store, strings.Join(stores, " and "))
	case o.store == "memory" && o.dsn != "":
		return errors.New("-dsn goes with a store that is not memory")
	case o.store == "postgres" && o.dsn == "":
		return errors.New("-store postgres needs -dsn, such as postgres://user@host/name")
	case (o.certFile == "") != (o.keyFile == ""):
		return errors.New("-tls-cert and -tls-key go together")
	case o.grace < 0 || o.settle < 0 || o.maxDeletes < 0:
		return errors.New("-grace, -settle and -max-deletes must not be negative")
	case o.interval <= 0 || o.fullEvery <= 0:
		return errors.New("-interval and -full-every must be positive")
	}
	if o.demo() {
		return o.checkDemo()
	}
	switch {
	case len(o.tokens) == 0:
		return errors.New("the environment variable SCIM_TOKEN is empty: put the token there that the identity provider is given")
	case o.key == "":
		return fmt.Errorf("the environment variable %s is empty: put the application's SCIM API key there", o.tokenEnv)
	case o.store == "memory" && o.state != "":
		return errors.New("-state does not go with -store memory: who is no longer stored after a restart would look like somebody who left")
	}
	return nil
}

// checkDemo refuses flags that would have no effect, so that nobody takes the demonstration for the real thing.
func (o *options) checkDemo() error {
	if o.state != "" || o.mapping != "" || o.profile != "postman" {
		return errors.New("-state, -mapping and -profile need -tenant-url; without it there is only the demonstration")
	}
	return nil
}
