package killtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// process is a server in a process of its own.
type process struct {
	url    string
	cmd    *exec.Cmd
	stdin  io.Closer
	client *http.Client
}

// start starts a process that serves the store at dsn.
func start(t *testing.T, dsn string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), variable+"="+dsn)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd, stdin: stdin, client: &http.Client{Transport: &http.Transport{}}}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		p.kill()
		t.Fatalf("the server did not start: %v", err)
	}
	p.url = strings.TrimSpace(line)
	return p
}

// kill ends the process at once, with SIGKILL where there is such a thing.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	_ = p.stdin.Close()
	p.client.CloseIdleConnections()
}

// errCut says that there was no answer.
var errCut = errors.New("no answer")

// send sends a request and returns the answer; errCut when there was none, whatever the server has done.
func (p *process) send(method, path string, body any) (status int, answer map[string]any, err error) {
	data, err := json.Marshal(body)
	if err != nil {
		return 0, nil, err
	}
	r, err := http.NewRequest(method, p.url+path, bytes.NewReader(data))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Content-Type", "application/scim+json")
	response, err := p.client.Do(r)
	if err != nil {
		return 0, nil, errCut
	}
	defer func() { _ = response.Body.Close() }()
	data, err = io.ReadAll(response.Body)
	if err != nil {
		return 0, nil, errCut
	}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &answer); err != nil {
			return 0, nil, fmt.Errorf("%s %s: %w", method, path, err)
		}
	}
	return response.StatusCode, answer, nil
}
