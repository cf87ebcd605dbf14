package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/profiles/catalog"
	"github.com/scimbridge/scim/profiles/discover"
)

// comparison is the known profile that the one found is compared with.
type comparison struct {
	name    string
	profile *profiles.Profile
}

func loadComparison(name string) (*comparison, error) {
	if slices.Contains(catalog.Names(), name) {
		p, err := catalog.Profile(name)
		return &comparison{name, p}, err
	}
	p, err := profiles.Load(name)
	return &comparison{name, p}, err
}

// tellLeft names the test objects that are still there. It comes first and in any case: somebody has to remove them.
func tellLeft(w io.Writer, r *discover.Report) {
	for _, l := range r.Left {
		fmt.Fprintf(w, "left behind: %s\n", l)
	}
}

// tell writes what was found for a person to read.
func tell(w io.Writer, r *discover.Report, known *comparison) {
	fmt.Fprintf(w, "%d requests\n", r.Requests)
	for i := range r.Profile.Resources {
		tellResource(w, &r.Profile.Resources[i])
	}
	if len(r.Findings) == 0 {
		fmt.Fprintln(w, "\nThe service does what it says, as far as it was tried.")
	} else {
		fmt.Fprintln(w, "\nWhere the service does otherwise than it says, or than RFC 7644 wants:")
	}
	for _, f := range r.Findings {
		fmt.Fprintf(w, "  %s\n", f)
	}
	if known != nil {
		tellDifferences(w, r.Profile, known)
	}
}

func tellResource(w io.Writer, r *profiles.Resource) {
	var operations, filterable []string
	for _, o := range r.Operations {
		operations = append(operations, string(o))
	}
	for _, a := range r.Attributes {
		if len(a.Filter) > 0 {
			filterable = append(filterable, a.Path)
		}
	}
	fmt.Fprintf(w, "\n%s at %s: %s\n", r.Name, r.Endpoint, strings.Join(operations, ", "))
	const most = 8
	switch {
	case len(filterable) == 0:
		fmt.Fprintln(w, "  no attribute can be filtered on")
	case len(filterable) > most:
		fmt.Fprintf(w, "  can be filtered by %s and %d more\n", strings.Join(filterable[:most], ", "), len(filterable)-most)
	default:
		fmt.Fprintf(w, "  can be filtered by %s\n", strings.Join(filterable, ", "))
	}
}

func tellDifferences(w io.Writer, found *profiles.Profile, known *comparison) {
	differences, err := profiles.Compare(known.profile, found)
	if err != nil {
		fmt.Fprintf(w, "\nThe profiles cannot be compared: %v\n", err)
		return
	}
	fmt.Fprintf(w, "\nDifferences, first what %s says, then what was found:\n", known.name)
	for _, d := range differences {
		fmt.Fprintf(w, "  %s\n", short(d.String()))
	}
	if len(differences) == 0 {
		fmt.Fprintln(w, "  none")
	}
}

// short cuts a line that nobody would read to its end.
func short(line string) string {
	const most = 160
	runes := []rune(line)
	if len(runes) <= most {
		return line
	}
	return string(runes[:most]) + "…"
}
