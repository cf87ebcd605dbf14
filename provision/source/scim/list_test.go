package scim_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	core "github.com/scimbridge/scim"
	"github.com/scimbridge/scim/client"
	"github.com/scimbridge/scim/provision/source/scim"
)

var users = []scim.Type{{Name: "User"}}

// A list that ends early must not look like a list of few.
func TestAListThatIsNotReadToItsEndIsAnError(t *testing.T) {
	tests := []struct {
		name string
		page func(l *lister) func(start, count int) (status, total int, ids []string)
		want error
	}{
		{
			"a page fails", func(l *lister) func(int, int) (int, int, []string) {
				return func(start, count int) (int, int, []string) {
					if start > 20 {
						return http.StatusForbidden, 0, nil
					}
					return http.StatusOK, len(l.users), l.from(start, count)
				}
			}, core.ErrForbidden,
		},
		{
			"a page is empty", func(l *lister) func(int, int) (int, int, []string) {
				return func(start, count int) (int, int, []string) {
					if start > 15 {
						return http.StatusOK, len(l.users), nil
					}
					return http.StatusOK, len(l.users), l.from(start, count)
				}
			}, scim.ErrIncomplete,
		},
		{
			"the total shrinks", func(l *lister) func(int, int) (int, int, []string) {
				return func(start, count int) (int, int, []string) {
					if start > 15 {
						return http.StatusOK, 20, l.from(start, count)[:1]
					}
					return http.StatusOK, len(l.users), l.from(start, count)
				}
			}, scim.ErrIncomplete,
		},
		{
			"the total shrinks to nothing", func(l *lister) func(int, int) (int, int, []string) {
				return func(start, count int) (int, int, []string) {
					if start > 15 {
						return http.StatusOK, 0, nil
					}
					return http.StatusOK, len(l.users), l.from(start, count)
				}
			}, scim.ErrIncomplete,
		},
		{
			"the service gives the first page again and again", func(l *lister) func(int, int) (int, int, []string) {
				return func(_, count int) (int, int, []string) { return http.StatusOK, len(l.users), l.from(1, count) }
			}, scim.ErrIncomplete,
		},
		{
			"the list has no order", func(l *lister) func(int, int) (int, int, []string) {
				random := rand.New(rand.NewPCG(1, 2))
				return func(start, count int) (int, int, []string) {
					random.Shuffle(len(l.users), func(i, j int) { l.users[i], l.users[j] = l.users[j], l.users[i] })
					return http.StatusOK, len(l.users), l.from(start, count)
				}
			}, scim.ErrIncomplete,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := &lister{users: numbers(50)}
			l.page = tt.page(l)
			got, err := ids(t, newSource(t, newClient(t, l, client.WithPageSize(10)), scim.Options{Types: users}), "User")
			if !errors.Is(err, tt.want) {
				t.Errorf("%d users, err = %v, want %v", len(got), err, tt.want)
			}
		})
	}
	t.Run("the same page again, and no total to tell", func(t *testing.T) {
		l := &lister{users: numbers(50)}
		l.page = func(_, count int) (int, int, []string) { return http.StatusOK, 0, l.from(1, count) }
		source := newSource(t, newClient(t, l, client.WithPageSize(10)), scim.Options{Types: users, TotalsUnreliable: true})
		if got, err := ids(t, source, "User"); !errors.Is(err, scim.ErrIncomplete) {
			t.Errorf("%d users, err = %v", len(got), err)
		}
	})
}

func TestServicesThatPageTheirOwnWay(t *testing.T) {
	tests := []struct {
		name string
		page func(l *lister, start, count int) (status int, ids []string)
	}{
		{"all at once", func(l *lister, _, _ int) (int, []string) { return http.StatusOK, l.users }},
		{"pages begin at multiples of their length", func(l *lister, start, count int) (int, []string) {
			return http.StatusOK, l.from((start-1)/count*count+1, count)
		}},
		{"fewer than asked for", func(l *lister, start, _ int) (int, []string) { return http.StatusOK, l.from(start, 4) }},
		{"an error behind the end", func(l *lister, start, count int) (int, []string) {
			if start > max(1, len(l.users)) {
				return http.StatusBadRequest, nil
			}
			return http.StatusOK, l.from(start, count)
		}},
		{"multiples, and an error behind the end", func(l *lister, start, count int) (int, []string) {
			if start > max(1, len(l.users)) {
				return http.StatusNotFound, nil
			}
			return http.StatusOK, l.from((start-1)/count*count+1, count)
		}},
	}
	for _, tt := range tests {
		for _, n := range []int{0, 1, 9, 10, 11, 20, 25} {
			t.Run(fmt.Sprintf("%s, %d users", tt.name, n), func(t *testing.T) {
				l := &lister{users: numbers(n)}
				l.page = func(start, count int) (int, int, []string) {
					status, ids := tt.page(l, start, count)
					return status, n, ids
				}
				got, err := ids(t, newSource(t, newClient(t, l, client.WithPageSize(10)), scim.Options{Types: users}), "User")
				if err != nil || len(got) != n {
					t.Errorf("%d users, %v; pages asked for from %v", len(got), err, l.pages)
				}
			})
		}
	}
}

func TestPagesOverlapByOne(t *testing.T) {
	l := &lister{users: numbers(25)}
	if _, err := ids(t, newSource(t, newClient(t, l, client.WithPageSize(10)), scim.Options{Types: users}), "User"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{1, 10, 19, 25}, l.pages); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
}

// One who leaves moves everybody behind: without care, one of them is never seen. That somebody joins at the same time hides it from the
// totals.
func TestNobodyIsMissedWhenOthersLeaveDuringTheRead(t *testing.T) {
	l := &lister{users: numbers(30)}
	l.before = func() {
		if len(l.pages) == 2 {
			l.users = append(l.users[3:], "101", "102", "103")
		}
	}
	source := newSource(t, newClient(t, l, client.WithPageSize(10)), scim.Options{Types: users})
	got, err := ids(t, source, "User")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(append(numbers(30), "101", "102", "103"), got); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
}

// However a list moves, who is in it all the time comes exactly once, or the read is an error.
func TestMovingListsAreReadInFull(t *testing.T) {
	complete := 0
	for seed := range uint64(2000) {
		random := rand.New(rand.NewPCG(seed, 0))
		n := random.IntN(60)
		l := &lister{users: numbers(n)}
		next, unsorted := n, random.IntN(2) == 0
		gone := map[string]bool{}
		l.before = func() {
			for range random.IntN(4) {
				switch at := random.IntN(len(l.users) + 1); {
				case random.IntN(2) == 0 && at < len(l.users):
					gone[l.users[at]] = true
					l.users = slices.Delete(slices.Clone(l.users), at, at+1)
				case random.IntN(3) == 0:
					next++
					if !unsorted {
						at = len(l.users)
					}
					l.users = slices.Insert(slices.Clone(l.users), at, strconv.Itoa(next))
				}
			}
		}
		o := scim.Options{Types: users, Tolerance: random.IntN(2) * 100, TotalsUnreliable: random.IntN(2) == 0}
		got, err := ids(t, newSource(t, newClient(t, l, client.WithPageSize(4+random.IntN(9))), o), "User")
		if errors.Is(err, scim.ErrIncomplete) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		complete++
		for _, id := range numbers(n) {
			if !gone[id] && !slices.Contains(got, id) {
				t.Fatalf("seed %d: user %s was there all the time and was not read; pages from %v", seed, id, l.pages)
			}
		}
	}
	if complete < 1500 {
		t.Errorf("only %d of 2000 lists were read in full", complete)
	}
}

func TestTheTotalMayFallByTheTolerance(t *testing.T) {
	for tolerance, want := range map[int]error{0: scim.ErrIncomplete, 1: scim.ErrIncomplete, 2: nil} {
		l := &lister{users: numbers(30)}
		l.page = func(start, count int) (int, int, []string) {
			return http.StatusOK, 32, l.from(start, count)
		}
		source := newSource(t, newClient(t, l, client.WithPageSize(10)), scim.Options{Types: users, Tolerance: tolerance})
		if got, err := ids(t, source, "User"); !errors.Is(err, want) || len(got) != 30 {
			t.Errorf("tolerance %d: %d users, err = %v, want %v", tolerance, len(got), err, want)
		}
	}
}
