package server_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/scimbridge/scim"
)

// serveVariable is set in a process that serves for [BenchmarkThroughput]: to the name of the service, a comma, and that of the load.
const serveVariable = "SCIMBRIDGE_BENCHMARK_SERVE"

// BenchmarkThroughput sends what [BenchmarkAgainstElimity] sends over loopback, to a process that has one core. The requests come from this
// process, over eight connections: with a core for each of the two, it is the service that is waited for. The service that
// does nothing is how fast any could be.
func BenchmarkThroughput(b *testing.B) {
	if which := os.Getenv(serveVariable); which != "" {
		serveLoad(b, which)
	}
	for _, l := range loads {
		for _, s := range services {
			b.Run(l.name+"/"+s.name, func(b *testing.B) {
				address := startService(b, s.name+","+l.name)
				var clients atomic.Int64
				b.SetParallelism(8)
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					c, err := connect(address, l, int(clients.Add(1)))
					if err != nil {
						b.Error(err)
						return
					}
					defer c.Close()
					for pb.Next() {
						if err := c.exchange(); err != nil {
							b.Error(err)
							return
						}
					}
				})
			})
		}
	}
}

// serveLoad serves until the process that has started this one closes its standard input, and ends the process.
func serveLoad(b *testing.B, which string) {
	service, wanted, _ := strings.Cut(which, ",")
	for _, l := range loads {
		for _, s := range services {
			if s.name != service || l.name != wanted {
				continue
			}
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			h := s.open(b, l)
			fmt.Println(listener.Addr())
			go func() { _ = http.Serve(listener, h) }()
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(0)
		}
	}
	b.Fatal("no such service: " + which)
}

// startService returns the address of a service in a process of its own, which ends with the benchmark.
func startService(b *testing.B, which string) string {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$", "-test.bench=^BenchmarkThroughput$")
	cmd.Env = append(os.Environ(), serveVariable+"="+which, "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	// Before the address come the lines with which every benchmark begins.
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, err := net.ResolveTCPAddr("tcp", lines.Text()); err == nil {
			return lines.Text()
		}
	}
	b.Fatal("the service has not started")
	return ""
}

// connection is a client that costs next to nothing: net/http's takes as long as its server.
type connection struct {
	net.Conn
	answers *bufio.Reader
	head    []byte
	body    func() []byte
	request []byte
	status  int
}

func connect(address string, l load, client int) (*connection, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer token\r\nAccept: %[4]s\r\nContent-Type: %[4]s\r\nContent-Length: ",
		l.method, l.target(client), address, scim.ContentType)
	return &connection{Conn: conn, answers: bufio.NewReader(conn), head: []byte(head), body: l.body(client), status: l.status}, nil
}

// exchange sends the next request and reads the answer.
func (c *connection) exchange() error {
	body := c.body()
	c.request = strconv.AppendInt(append(c.request[:0], c.head...), int64(len(body)), 10)
	c.request = append(append(c.request, "\r\n\r\n"...), body...)
	if _, err := c.Write(c.request); err != nil {
		return err
	}
	line, err := c.answers.ReadSlice('\n')
	if err != nil {
		return err
	}
	if want := "HTTP/1.1 " + strconv.Itoa(c.status); !bytes.HasPrefix(line, []byte(want)) {
		return fmt.Errorf("%s, want %s", line, want)
	}
	length := -1
	for len(line) > len("\r\n") {
		if line, err = c.answers.ReadSlice('\n'); err != nil {
			return err
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
		}
	}
	if length < 0 {
		return errors.New("an answer without Content-Length")
	}
	_, err = c.answers.Discard(length)
	return err
}
