package main

import (
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// options are what the command line and the environment say.
type options struct {
	addr, store, dsn  string
	baseURL           string
	certFile, keyFile string
	verbose           bool
	grace             time.Duration
	// tokens let clients in. made says that there was none, so that the only one was made here.
	tokens []string
	made   bool
}

const help = `Scimserver is a SCIM 2.0 service (RFC 7643, RFC 7644, RFC 9865) with users, the enterprise extension and groups.

Usage:

  scimserver [flags]                    with a random bearer token, which is printed once
  SCIM_TOKEN=... scimserver [flags]     with a bearer token of your own

The service is at /scim/v2 of the address. Several tokens, separated by spaces, are valid at once, so that a token
can be exchanged without a gap. Resources are kept in the file scim.db unless the flags say otherwise.

  curl -H "Authorization: Bearer $SCIM_TOKEN" http://127.0.0.1:8880/scim/v2/Users

Flags:

  -addr HOST:PORT   where to listen (127.0.0.1:8880); port 0 takes any that is free
  -store NAME       where resources are kept: sqlite, in one file; postgres, in a database that any number of machines
                    share; or memory, until the program ends
  -dsn FILE         the file of sqlite (scim.db); it is made when it is not there, and several programs may use it at once
  -dsn URL          the database of postgres, such as postgres://scim@db.example.com/directory?sslmode=verify-full; what it
                    does not say is taken from PGHOST, PGPASSWORD and so on, where other users do not see the password
  -base-url URL     the service's URL as clients see it, when a proxy is in front, such as https://example.com/scim/v2
  -tls-cert FILE    certificate and key for https; without them, listen on the loopback interface or behind a
  -tls-key FILE     proxy that has TLS, because bearer tokens must not travel in the clear
  -grace TIME       how long requests may take to end after SIGINT or SIGTERM (10s); a second signal ends at once
  -v                log every request to standard error; never bodies, queries or tokens

Exit status:

  0  stopped by a signal
  1  could not listen, or stopped by a failure
  2  the command line is wrong
`

// errUsage has been explained to the user already.
var errUsage = errors.New("wrong command line")

func parseOptions(args []string, tokens string, stdout, stderr io.Writer) (*options, error) {
	o := &options{tokens: strings.Fields(tokens)}
	f := flag.NewFlagSet("scimserver", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.addr, "addr", "127.0.0.1:8880", "")
	f.StringVar(&o.store, "store", "sqlite", "")
	f.StringVar(&o.dsn, "dsn", "", "")
	f.StringVar(&o.baseURL, "base-url", "", "")
	f.StringVar(&o.certFile, "tls-cert", "", "")
	f.StringVar(&o.keyFile, "tls-key", "", "")
	f.DurationVar(&o.grace, "grace", 10*time.Second, "")
	f.BoolVar(&o.verbose, "v", false, "")
	err := f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, help)
		return nil, err
	}
	if err == nil {
		err = o.check(f.Args())
	}
	if err != nil {
		fmt.Fprintf(stderr, "scimserver: %v\nscimserver -h tells what can be said\n", err)
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
	case stores[o.store] == nil:
		return fmt.Errorf("-store %q: there are %s", o.store, strings.Join(slices.Sorted(maps.Keys(stores)), " and "))
	case (o.certFile == "") != (o.keyFile == ""):
		return errors.New("-tls-cert and -tls-key go together")
	case o.grace < 0:
		return errors.New("-grace must not be negative")
	}
	return nil
}
