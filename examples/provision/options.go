package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// options are what the command line says.
type options struct {
	tenantURL, tokenEnv string
	users, groups       string
	state, log          string
	profile, mapping    string
	plan, quiet         bool
	interval            time.Duration
	speed               float64
}

// demo reports whether there is no service to talk to, so that the built-in one is used.
func (o *options) demo() bool { return o.tenantURL == "" }

const help = `Provision keeps the users and groups of a SCIM service in step with a directory.

Usage:

  provision                                     a demonstration: nothing needed, nothing outside touched
  provision -tenant-url URL -token-env NAME -users FILE [-groups FILE] [flags]

Without -tenant-url it starts a Postman simulator on this machine, reads the directory that ships with it (1,200
people, 60 groups), shows the plan, runs an initial cycle, lets a day pass in the directory, and runs an
incremental cycle.

With -tenant-url it does the same to a real service, without the day. The token is taken from the environment
variable that -token-env names; it is never given on the command line, shown, or logged.

  export POSTMAN_SCIM_API_KEY=...
  provision -tenant-url https://api.getpostman.com/scim/v2/ -token-env POSTMAN_SCIM_API_KEY \
      -users people.csv -groups groups.csv -state state.db -plan

Flags:

  -tenant-url URL   the service's SCIM base URL: https, or http on the loopback interface
  -token-env NAME   environment variable that holds the service's SCIM API key
  -users FILE       CSV file of people, with a header. The default mapping reads employeeId (the lasting id),
                    userPrincipalName, givenName, surname and accountEnabled
  -groups FILE      CSV file of groups, with a header: groupId (the lasting id), displayName, and members,
                    which are ids from the people file separated by semicolons
  -mapping FILE     attribute mappings, as JSON, in place of those that Microsoft's tutorial gives for Postman
  -profile NAME     what the service can do: postman (the default), aws-iam-identity-center, github-enterprise,
                    slack, generic, or a file such as examples/probe writes
  -state FILE       where links, retries and the position are kept, for each service apart: state.db in the current
                    folder
  -log FILE         provisioning log, one JSON object a line, appended to: provisioning.jsonl beside the state
  -plan             show what would be done, and do nothing
  -interval TIME    stay, and run a cycle at this interval, such as 40m; without it one cycle is run
  -speed N          only without -tenant-url: how many times faster than real time the simulator's clock runs (60)
  -quiet            no progress

Exit status:

  0  every object in scope is in step (with -plan: the plan could be made)
  1  something is not in step, or the cycle could not be run; what and why has been printed
  2  the command line is wrong
`

// errUsage has been explained to the user already.
var errUsage = errors.New("wrong command line")

func parseOptions(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("provision", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.tenantURL, "tenant-url", "", "")
	f.StringVar(&o.tokenEnv, "token-env", "", "")
	f.StringVar(&o.users, "users", "", "")
	f.StringVar(&o.groups, "groups", "", "")
	f.StringVar(&o.state, "state", "", "")
	f.StringVar(&o.log, "log", "", "")
	f.StringVar(&o.profile, "profile", "postman", "")
	f.StringVar(&o.mapping, "mapping", "", "")
	f.BoolVar(&o.plan, "plan", false, "")
	f.BoolVar(&o.quiet, "quiet", false, "")
	f.DurationVar(&o.interval, "interval", 0, "")
	f.Float64Var(&o.speed, "speed", 60, "")
	err := f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stderr, help)
		return nil, err
	}
	if err == nil {
		err = o.check(f.Args())
	}
	if err != nil {
		fmt.Fprintf(stderr, "provision: %v\nprovision -h tells what can be said\n", err)
		return nil, errUsage
	}
	return o, nil
}

func (o *options) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("what is %q? Everything is said with flags", rest[0])
	case o.interval < 0:
		return errors.New("-interval must be positive")
	case o.interval > 0 && o.plan:
		return errors.New("-plan and -interval do not go together: a plan is made once")
	case o.speed <= 0 || o.speed > 10_000:
		return errors.New("-speed must be above 0 and at most 10000")
	}
	if o.demo() {
		return o.checkDemo()
	}
	switch {
	case o.tokenEnv == "":
		return errors.New("-tenant-url needs -token-env, the name of the variable that holds the key")
	case os.Getenv(o.tokenEnv) == "":
		return fmt.Errorf("the environment variable %s is empty: put the SCIM API key there", o.tokenEnv)
	case o.users == "":
		return errors.New("-tenant-url needs -users, the CSV file of people")
	}
	if o.state == "" {
		o.state = "state.db"
	}
	if o.log == "" {
		o.log = filepath.Join(filepath.Dir(o.state), "provisioning.jsonl")
	}
	return nil
}

// checkDemo refuses flags that would have no effect, so that nobody takes the demonstration for the real thing.
func (o *options) checkDemo() error {
	for name, value := range map[string]string{
		"-token-env": o.tokenEnv, "-users": o.users, "-groups": o.groups, "-state": o.state, "-log": o.log, "-mapping": o.mapping,
	} {
		if value != "" {
			return fmt.Errorf("%s needs -tenant-url; without it there is only the demonstration", name)
		}
	}
	if o.interval > 0 || o.profile != "postman" {
		return errors.New("-interval and -profile need -tenant-url; without it there is only the demonstration")
	}
	return nil
}
