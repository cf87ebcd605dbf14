package interop_test

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scimbridge/scim/client"
)

// leaveOut skips a test that lacks something, except in CI, where nothing may lack.
func leaveOut(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// startScimmy starts scimmy's server until the test ends.
func startScimmy(t *testing.T) server {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		leaveOut(t, "scimmy is left out: Node is not installed")
	}
	if _, err := os.Stat(filepath.Join("testdata", "scimmy", "node_modules", "scimmy")); err != nil {
		leaveOut(t, "scimmy is left out: it is not installed; run npm ci --prefix client/interop/testdata/scimmy")
	}
	command := exec.Command(node, "server.js")
	command.Dir = filepath.Join("testdata", "scimmy")
	command.Stderr = os.Stderr
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		input.Close() // which ends it
		command.Wait()
	})
	port, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatalf("the server did not start: %v", err)
	}
	return server{
		url: "http://127.0.0.1:" + strings.TrimSpace(port) + "/scim", token: "interop", unique: true, enterprise: true, noEscapes: true,
	}
}

func TestScimmy(t *testing.T) { run(t, startScimmy(t)) }

// TestProvisionIntoScimmy runs the provisioning example on the directory that ships with it, against a service it knows nothing of, and
// then once more, which must find nothing to do.
func TestProvisionIntoScimmy(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole directory takes a while")
	}
	s := startScimmy(t)
	goTool, err := exec.LookPath("go")
	if err != nil {
		leaveOut(t, "the go command is not there")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "provision")
	if out, err := exec.Command(goTool, "build", "-o", program, "../../examples/provision").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cycle := func() string {
		command := exec.Command(program, "-tenant-url", s.url, "-token-env", "INTEROP_TOKEN", "-profile", "generic", "-quiet",
			"-users", "../../examples/provision/directory/people.csv", "-groups", "../../examples/provision/directory/groups.csv",
			"-state", filepath.Join(dir, "state.db"))
		command.Env = append(os.Environ(), "INTEROP_TOKEN="+s.token)
		out, err := command.CombinedOutput()
		// Status 1 says that objects are not in step: the directory has two people with one userName, on purpose.
		if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() != 1) {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	first := cycle()
	c := s.client(t)
	count := func() (users, groups, members int) {
		for _, err := range c.Users().List(t.Context(), client.Query{PageSize: 100}) {
			must(t, err)
			users++
		}
		for group, err := range c.Groups().List(t.Context(), client.Query{PageSize: 100}) {
			must(t, err)
			groups++
			members += len(group.Members)
		}
		return users, groups, members
	}
	users, groups, members := count()
	if users < 1000 || groups < 50 || members < 1000 {
		t.Errorf("%d users, %d groups with %d members after the first cycle:\n%s", users, groups, members, first)
	}
	second := cycle()
	usersAgain, groupsAgain, membersAgain := count()
	if users != usersAgain || groups != groupsAgain || members != membersAgain {
		t.Errorf("%d users, %d groups with %d members after the second cycle, before: %d, %d, %d:\n%s",
			usersAgain, groupsAgain, membersAgain, users, groups, members, second)
	}
}
