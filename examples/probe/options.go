package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

// options are what the command line says.
type options struct {
	tenantURL, tokenEnv, out string
	name, title, domain      string
	compare                  string
	allowWrites, quiet       bool
}

const help = `Probe finds out what a SCIM service can do by asking it, and writes it down as a profile: a JSON file that the
client, the mapping check and the provisioning engine go by, and that you can edit.

Usage:

  probe -tenant-url URL -token-env NAME [flags]

It reads ServiceProviderConfig, ResourceTypes and Schemas, and tries what they say with requests that only read:
a filter on each attribute with a value that nothing has, pages of several sizes, an id that does not exist,
sorting, projection, cursors. That takes between a hundred and two hundred requests, one at a time, within
the rate limits that the service states.

Nothing is written unless -allow-writes is given. Then one user and one group, both named scimbridge-probe and
some random digits, are created, changed and removed again; a user that cannot be removed is deactivated. What is
left is listed. A new user can take up a seat while it exists. Use it on a test tenant first.

The token is taken from the environment variable that -token-env names; it is never given on the command line,
shown, logged or written.

  export SCIM_TOKEN=...
  probe -tenant-url https://widgets.example/scim/v2 -token-env SCIM_TOKEN -out widgets.json
  probe -tenant-url https://api.getpostman.com/scim/v2/ -token-env SCIM_TOKEN -compare postman

Flags:

  -tenant-url URL   the service's SCIM base URL, all before /Users: https, or http on the loopback interface
  -token-env NAME   environment variable that holds the service's bearer token
  -out FILE         where the profile is written; standard output unless given
  -name NAME        the profile's name, of lower-case letters, digits and hyphens: discovered unless given
  -title TEXT       the service's name, for people
  -allow-writes     create, change and remove one test user and one test group
  -domain DOMAIN    domain of the test user's e-mail address: example.com unless given
  -compare PROFILE  list what differs from a known profile: postman, slack, github-enterprise,
                    aws-iam-identity-center, generic, or a file
  -quiet            no progress

Exit status:

  0  the profile was written
  1  it was not: what and why has been printed, and what was created has been removed as far as possible
  2  the command line is wrong
`

// errUsage has been explained to the user already.
var errUsage = errors.New("wrong command line")

func parseOptions(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("probe", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.tenantURL, "tenant-url", "", "")
	f.StringVar(&o.tokenEnv, "token-env", "", "")
	f.StringVar(&o.out, "out", "", "")
	f.StringVar(&o.name, "name", "discovered", "")
	f.StringVar(&o.title, "title", "", "")
	f.StringVar(&o.domain, "domain", "", "")
	f.StringVar(&o.compare, "compare", "", "")
	f.BoolVar(&o.allowWrites, "allow-writes", false, "")
	f.BoolVar(&o.quiet, "quiet", false, "")
	err := f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stderr, help)
		return nil, err
	}
	if err == nil {
		err = o.check(f.Args())
	}
	if err != nil {
		fmt.Fprintf(stderr, "probe: %v\nprobe -h tells what can be said\n", err)
		return nil, errUsage
	}
	return o, nil
}

func (o *options) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("what is %q? Everything is said with flags", rest[0])
	case o.tenantURL == "":
		return errors.New("-tenant-url is needed")
	case o.tokenEnv == "":
		return errors.New("-token-env is needed, the name of the variable that holds the token")
	case os.Getenv(o.tokenEnv) == "":
		return fmt.Errorf("the environment variable %s is empty: put the token there", o.tokenEnv)
	case o.domain != "" && !o.allowWrites:
		return errors.New("-domain is of use with -allow-writes only")
	}
	return nil
}
