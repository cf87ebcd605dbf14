package scim_test

import (
	"net/http"
	"testing"

	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/provision/source/scim"
	"github.com/scimbridge/scim/provision/source/sourcetest"
	"github.com/scimbridge/scim/server"
)

func TestSourceContract(t *testing.T) {
	for name, off := range map[string]server.Features{"by cursor": 0, "by index": server.FeatureCursor, "without versions": server.FeatureETag} {
		for _, changes := range []bool{false, true} {
			for _, size := range []int{2, 100} {
				t.Run(name, func(t *testing.T) {
					s := newService(t, off, client.WithPageSize(size))
					users := []string{s.user(t, "ada"), s.user(t, "ben"), s.user(t, "cal"), s.user(t, "dot"), s.user(t, "eve")}
					groups := []string{s.group(t, "all", users...), s.group(t, "none"), s.group(t, "two", users[1], users[0])}
					source := newSource(t, s.Client, scim.Options{Changes: changes, Now: s.clock})
					sourcetest.Test(t, source, "User", users...)
					sourcetest.Test(t, source, "Group", groups...)
				})
			}
		}
	}
}

// A service without filters, and with totals that mean nothing.
func TestSourceContractOfASimpleService(t *testing.T) {
	pages := map[string]func(l *lister) func(start, count int) (int, int, []string){
		"honest totals": func(l *lister) func(int, int) (int, int, []string) { return nil },
		"the total is that of the page": func(l *lister) func(int, int) (int, int, []string) {
			return func(start, count int) (int, int, []string) {
				page := l.from(start, count)
				return http.StatusOK, len(page), page
			}
		},
		"totals are too large": func(l *lister) func(int, int) (int, int, []string) {
			return func(start, count int) (int, int, []string) { return http.StatusOK, 1000, l.from(start, count) }
		},
		"no totals": func(l *lister) func(int, int) (int, int, []string) {
			return func(start, count int) (int, int, []string) { return http.StatusOK, 0, l.from(start, count) }
		},
	}
	for name, page := range pages {
		t.Run(name, func(t *testing.T) {
			l := &lister{users: numbers(7)}
			l.page = page(l)
			types := []scim.Type{{Name: "User"}}
			source := newSource(t, newClient(t, l, client.WithPageSize(3)), scim.Options{Types: types, TotalsUnreliable: l.page != nil})
			sourcetest.Test(t, source, "User", l.users...)
		})
		t.Run(name+", which the profile tells", func(t *testing.T) {
			l := &lister{users: numbers(7)}
			l.page = page(l)
			profile := &profiles.Profile{Paging: profiles.Paging{TotalsUnreliable: l.page != nil, MaxCount: 3}}
			source := newSource(t, newClient(t, l, client.WithProfile(profile)), scim.Options{Types: []scim.Type{{Name: "User"}}})
			sourcetest.Test(t, source, "User", l.users...)
		})
	}
}
