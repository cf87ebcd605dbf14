package server

import (
	"net"
	"net/http"
	"strings"
)

// baseURL returns the URL of the service as the client of r sees it. prefix is the path in front of the endpoint.
func (s *Server) baseURL(r *http.Request, prefix string) string {
	if s.opts.BaseURL != "" {
		return s.opts.BaseURL
	}
	scheme, host := "http", r.Host
	if host == "" { // HTTP/1.0 does not ask for it
		if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
			host = local.String()
		}
	}
	if r.TLS != nil {
		scheme = "https"
	}
	if s.opts.TrustForwarded {
		f := forwarded(r.Header)
		if f.proto == "http" || f.proto == "https" {
			scheme = f.proto
		}
		if isHost(f.host) {
			host = f.host
		}
		if outer := strings.Trim(f.prefix, "/"); isURLPart(outer, `\?#"<>{}|^`+"`") {
			prefix = "/" + outer + prefix
		}
	}
	return scheme + "://" + host + prefix
}

// forwarding is what a proxy says about the request that it got.
type forwarding struct{ proto, host, prefix string }

// forwarded returns what the first proxy says, the one that the client sees: in the header Forwarded (RFC 7239), or else in
// X-Forwarded-Proto, -Host and -Prefix.
func forwarded(h http.Header) forwarding {
	f := forwarding{
		proto: firstOf(h.Get("X-Forwarded-Proto")), host: firstOf(h.Get("X-Forwarded-Host")), prefix: firstOf(h.Get("X-Forwarded-Prefix")),
	}
	for pair := range strings.SplitSeq(firstOf(h.Get("Forwarded")), ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		value = strings.Trim(value, `"`)
		switch strings.ToLower(name) {
		case "proto":
			f.proto = value
		case "host":
			f.host = value
		}
	}
	f.proto = strings.ToLower(f.proto)
	return f
}

func firstOf(list string) string {
	first, _, _ := strings.Cut(list, ",")
	return strings.TrimSpace(first)
}

// isHost reports whether s can stand between the scheme and the path of a URL.
func isHost(s string) bool { return isURLPart(s, `/\?#@"<>{}|^`+"`") }

// isURLPart reports whether s is a part of a URL: not empty, of visible ASCII characters, and of none of the excluded.
func isURLPart(s, excluded string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(excluded, c) >= 0 {
			return false
		}
	}
	return s != ""
}
