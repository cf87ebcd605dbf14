package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/scimbridge/scim/provision"
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

	// What is done instead of a cycle: at most one of these and plan is set.
	onDemand, restart             string
	status, releaseDeletes, query bool
	// members go with onDemand, the rest with query.
	members         string
	user, outcome   string
	since, until    string
	sinceTime, till time.Time
	limit           int

	mail    mailOptions
	webhook webhookOptions
}

// mailOptions and webhookOptions say whom to tell about trouble. Secrets are in environment variables, which the last field names.
type mailOptions struct{ to, from, server, user, passwordEnv string }

type webhookOptions struct{ url, secretEnv string }

// demo reports whether there is no service to talk to, so that the built-in one is used.
func (o *options) demo() bool { return o.tenantURL == "" }

const help = `Provision keeps the users and groups of a SCIM service in step with a directory.

Usage:

  provision                                     a demonstration: nothing needed, nothing outside touched
  provision -tenant-url URL -token-env NAME -users FILE [-groups FILE] [flags]
  provision -tenant-url URL -status | -release-deletes | -restart SCOPES | -show-log [flags]

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

Instead of a cycle:

  -on-demand WHO    bring one user or group into step now, and show the four steps: import, scope, match, action. WHO is
                    the id, the value it is matched by (an e-mail address), or the display name
  -members LIST     with -on-demand of a group: these of its members too, separated by commas
  -status           show how the job is
  -release-deletes  let deletions and deactivations that are held back go ahead in the next cycle, and let the next
                    directory be as small as it is
  -restart SCOPES   forget, so that the next cycle finds out anew: watermark, escrows, quarantineState,
                    connectorDataStore, full, forceDeletes; several are separated by commas. Links are kept, unless
                    connectorDataStore or full is among them
  -show-log         show the provisioning log that is in the state, the newest entries first, with these choices:
  -user WHO         entries about one user or group, as with -on-demand; those who have left are found too
  -outcome STATUS   entries that ended with success, warning, failure or skipped
  -since TIME       entries from then on: 24h (ago), 2026-11-23, or 2026-11-23T15:04:05Z
  -until TIME       entries before then
  -limit N          at most so many (100)

All but -on-demand need only -tenant-url and -state, and send nothing.

Tell administrators when the job is in trouble, and when that is over:

  -mail-to LIST     by e-mail to these addresses, separated by commas, through -smtp
  -smtp HOST:PORT   the mail server; the connection is always encrypted, save to this machine
  -mail-from ADDR   the sender: the first of -mail-to when left out
  -mail-user NAME   sign in, with the password in the environment variable that -mail-password-env names
  -mail-password-env NAME
  -webhook URL      by HTTP POST of JSON, signed with the secret in the variable that -webhook-secret-env names
  -webhook-secret-env NAME

Exit status:

  0  every object in scope is in step (with -on-demand: that one; with -plan, -restart, -release-deletes and -show-log: it
     could be done)
  1  something is not in step, or it could not be done; what and why has been printed
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
	f.StringVar(&o.onDemand, "on-demand", "", "")
	f.StringVar(&o.members, "members", "", "")
	f.BoolVar(&o.status, "status", false, "")
	f.BoolVar(&o.releaseDeletes, "release-deletes", false, "")
	f.StringVar(&o.restart, "restart", "", "")
	f.BoolVar(&o.query, "show-log", false, "")
	f.StringVar(&o.user, "user", "", "")
	f.StringVar(&o.outcome, "outcome", "", "")
	f.StringVar(&o.since, "since", "", "")
	f.StringVar(&o.until, "until", "", "")
	f.IntVar(&o.limit, "limit", 0, "")
	f.StringVar(&o.mail.to, "mail-to", "", "")
	f.StringVar(&o.mail.from, "mail-from", "", "")
	f.StringVar(&o.mail.server, "smtp", "", "")
	f.StringVar(&o.mail.user, "mail-user", "", "")
	f.StringVar(&o.mail.passwordEnv, "mail-password-env", "", "")
	f.StringVar(&o.webhook.url, "webhook", "", "")
	f.StringVar(&o.webhook.secretEnv, "webhook-secret-env", "", "")
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
	case len(o.commands()) > 1:
		return fmt.Errorf("%s do not go together", strings.Join(o.commands(), " and "))
	case o.interval > 0 && len(o.commands()) > 0:
		return fmt.Errorf("%s and -interval do not go together: it is done once", o.commands()[0])
	case o.members != "" && o.onDemand == "":
		return errors.New("-members goes with -on-demand")
	case o.speed <= 0 || o.speed > 10_000:
		return errors.New("-speed must be above 0 and at most 10000")
	}
	if err := o.checkQuery(time.Now()); err != nil {
		return err
	}
	if err := o.checkNotify(); err != nil {
		return err
	}
	if o.demo() {
		return o.checkDemo()
	}
	if o.state == "" {
		o.state = "state.db"
	}
	if o.log == "" {
		o.log = filepath.Join(filepath.Dir(o.state), "provisioning.jsonl")
	}
	switch {
	case o.local():
		return nil
	case o.tokenEnv == "":
		return errors.New("-tenant-url needs -token-env, the name of the variable that holds the key")
	case os.Getenv(o.tokenEnv) == "":
		return fmt.Errorf("the environment variable %s is empty: put the SCIM API key there", o.tokenEnv)
	case o.users == "":
		return errors.New("-tenant-url needs -users, the CSV file of people")
	}
	return nil
}

// commands are what is asked for instead of a cycle.
func (o *options) commands() []string {
	var asked []string
	for _, c := range []struct {
		flag string
		is   bool
	}{
		{"-plan", o.plan},
		{"-on-demand", o.onDemand != ""},
		{"-status", o.status},
		{"-release-deletes", o.releaseDeletes},
		{"-restart", o.restart != ""},
		{"-show-log", o.query},
	} {
		if c.is {
			asked = append(asked, c.flag)
		}
	}
	return asked
}

// local reports whether what is asked for concerns the state alone.
func (o *options) local() bool { return o.status || o.releaseDeletes || o.restart != "" || o.query }

// checkQuery reads the choices of the log.
func (o *options) checkQuery(now time.Time) (err error) {
	if o.restart != "" {
		if _, err := provision.ParseResetScopes(o.restart); err != nil {
			return fmt.Errorf("-restart: %s", strings.TrimPrefix(err.Error(), "provision: "))
		}
	}
	outcomes := []provision.Status{provision.StatusSuccess, provision.StatusWarning, provision.StatusFailure, provision.StatusSkipped}
	switch {
	case !o.query && (o.user != "" || o.outcome != "" || o.since != "" || o.until != "" || o.limit != 0):
		return errors.New("-user, -outcome, -since, -until and -limit go with -show-log")
	case o.outcome != "" && !slices.Contains(outcomes, provision.Status(o.outcome)):
		return fmt.Errorf("-outcome is one of %q", outcomes)
	case o.limit < 0:
		return errors.New("-limit must be positive")
	}
	if o.sinceTime, err = parseTime("-since", o.since, now); err != nil {
		return err
	}
	o.till, err = parseTime("-until", o.until, now)
	return err
}

// parseTime reads a time, a day, or how long ago something was. A day is that of UTC, as the log's times are.
func parseTime(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, fmt.Errorf("%s %s: a time such as 24h (ago), 2026-11-23 or 2026-11-23T15:04:05Z is needed", flag, text)
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
	for _, command := range o.commands() {
		if command != "-plan" {
			return fmt.Errorf("%s needs -tenant-url, as the demonstration begins anew each time", command)
		}
	}
	if o.mail.to != "" || o.webhook.url != "" {
		return errors.New("-mail-to and -webhook need -tenant-url; nothing goes wrong for long in the demonstration")
	}
	if o.interval > 0 || o.profile != "postman" {
		return errors.New("-interval and -profile need -tenant-url; without it there is only the demonstration")
	}
	return nil
}
