package server_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/scimbridge/scim"
)

// overLoopback sends requests to a handler through a real server and a client with a pool of connections.
func overLoopback(b *testing.B, h http.Handler, l load) {
	service := httptest.NewServer(h)
	defer service.Close()
	client := service.Client()
	content := new(bytes.Reader)
	header := http.Header{"Authorization": {"Bearer token"}, "Content-Type": {scim.ContentType}, "Accept": {scim.ContentType}}
	var answer bytes.Buffer
	for b.Loop() {
		data := l.body()
		content.Reset(data)
		r, err := http.NewRequest(l.method, service.URL+l.target, content)
		if err != nil {
			b.Fatal(err)
		}
		r.Header = header
		response, err := client.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		answer.Reset()
		_, err = answer.ReadFrom(response.Body)
		_ = response.Body.Close()
		if err != nil || response.StatusCode != l.status {
			b.Fatalf("%s %s: status %d, error %v\n%s", l.method, l.target, response.StatusCode, err, answer.String())
		}
	}
}

// BenchmarkLoopbackEmpty is what the client, the loopback and net/http cost by themselves: the handler reads the body and answers with a
// text that is as long as the server's.
func BenchmarkLoopbackEmpty(b *testing.B) {
	text := bytes.Repeat([]byte("x"), 700)
	for _, name := range []string{"post", "get", "patch active"} {
		l := loads()[name]
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", scim.ContentType)
			w.WriteHeader(l.status)
			_, _ = w.Write(text)
		})
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			overLoopback(b, h, l)
		})
	}
}
