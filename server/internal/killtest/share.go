package killtest

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
)

// Share lets two servers, each in a process of its own, work on the store at dsn, which is empty: their clients change one group and one
// user, and create users of the same names. No change is lost and no name given twice.
func Share(t *testing.T, dsn string) {
	t.Helper()
	processes := []*process{start(t, dsn), start(t, dsn)}
	defer func() {
		for _, p := range processes {
			p.kill()
		}
	}()
	type object = map[string]any
	schemas := []string{"urn:ietf:params:scim:schemas:core:2.0:User"}
	made := func(path string, body object) string {
		t.Helper()
		status, answer, err := processes[0].send(http.MethodPost, path, body)
		if err != nil || status != http.StatusCreated {
			t.Fatalf("POST %s: status %d, %v: %v", path, status, err, answer)
		}
		return answer["id"].(string)
	}
	group := made("/Groups", object{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "displayName": "Everybody"})
	shared := made("/Users", object{"schemas": schemas, "userName": "shared"})

	const clients, rounds = 4, 15
	var created, taken sync.Map // userName to the client that has it, and how many others were refused
	var wg sync.WaitGroup
	for client := range clients {
		p := processes[client%len(processes)]
		change := func(method, path string, body any, want ...int) (int, object) {
			status, answer, err := p.send(method, path, body)
			for _, w := range want {
				if err == nil && status == w {
					return status, answer
				}
			}
			t.Errorf("%s %s: status %d, %v: %v", method, path, status, err, answer)
			return 0, nil
		}
		wg.Go(func() {
			for n := range rounds {
				name := fmt.Sprintf("user-%d", n)
				status, answer := change(http.MethodPost, "/Users", object{"schemas": schemas, "userName": name}, http.StatusCreated, http.StatusConflict)
				id := shared
				switch status {
				case 0:
					return
				case http.StatusCreated:
					id = answer["id"].(string)
					if _, again := created.LoadOrStore(name, id); again {
						t.Errorf("%s was created twice", name)
					}
				default:
					count, _ := taken.LoadOrStore(name, new(sync.Map))
					count.(*sync.Map).Store(client, true)
				}
				change(http.MethodPatch, "/Groups/"+group, patch(object{"op": "add", "path": "members", "value": []object{{"value": id}}}), http.StatusNoContent)
				mail := fmt.Sprintf("%d-%d@example.com", client, n)
				change(http.MethodPatch, "/Users/"+shared, patch(object{"op": "add", "path": "emails", "value": []object{{"value": mail}}}), http.StatusOK)
			}
		})
	}
	wg.Wait()
	for _, p := range processes {
		if err := checkShared(p, group, shared, clients, rounds); err != nil {
			t.Error(err)
		}
	}
	for n := range rounds {
		name := fmt.Sprintf("user-%d", n)
		refused := 0
		if list, ok := taken.Load(name); ok {
			list.(*sync.Map).Range(func(any, any) bool { refused++; return true })
		}
		if _, ok := created.Load(name); !ok || refused != clients-1 {
			t.Errorf("%s was created: %v; %d clients were refused, want %d", name, ok, refused, clients-1)
		}
	}
}

// checkShared checks that a server shows everything that the clients of both have done.
func checkShared(p *process, group, shared string, clients, rounds int) error {
	count := func(path, attribute string, want int) error {
		status, answer, err := p.send(http.MethodGet, path, nil)
		list, _ := answer[attribute].([]any)
		if err != nil || status != http.StatusOK || len(list) != want {
			return fmt.Errorf("GET %s: status %d, %w: %d %s, want %d", path, status, err, len(list), attribute, want)
		}
		return nil
	}
	return errors.Join(
		count("/Groups/"+group, "members", rounds+1), // the shared user, too
		count("/Users/"+shared, "emails", clients*rounds),
		count("/Users?count=1000", "Resources", rounds+1),
	)
}
