package interop_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// leaveOut skips a test that lacks something, except in CI, where nothing may lack.
func leaveOut(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func TestScimmy(t *testing.T) {
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
	run(t, server{
		url: "http://127.0.0.1:" + strings.TrimSpace(port) + "/scim", token: "interop", unique: true, enterprise: true, noEscapes: true,
	})
}
