// Mapping shows on a terminal what a mapping makes of an object, step by step.
//
//	go run ./examples/mapping                                  # Postman's mapping on sample people
//	go run ./examples/mapping -mapping schema.json             # a mapping exported from Entra, or in our own JSON
//	go run ./examples/mapping -object person.json              # your own people, as JSON objects
//	go run ./examples/mapping givenName=Zoë surname=Berg       # a person given on the command line
//	go run ./examples/mapping -mapping schema.json -convert    # Entra's JSON in ours
//	go run ./examples/mapping -expression 'Left([surname], 3)' surname=Berg
package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/mapping/expr"
	"github.com/scimbridge/scim/mapping/graph"
	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/profiles/postman"
)

// postmanJSON is Postman's mapping in our JSON.
//
//go:embed postman.json
var postmanJSON []byte

// peopleJSON are people to try a mapping on.
//
//go:embed people.json
var peopleJSON []byte

func main() { os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr)) }

// Exit statuses.
const (
	exitFine = iota
	exitProblems
	exitUsage
)

type options struct {
	mapping, object, profile, kind, expression string
	convert                                    bool
	attributes                                 map[string]any
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitFine
	case err != nil:
		fmt.Fprintf(stderr, "mapping: %v\n", err)
		return exitUsage
	}
	show := explain
	switch {
	case o.convert:
		show = convert
	case o.expression != "":
		show = evaluate
	}
	fine, err := show(ctx, o, stdout)
	switch {
	case err != nil:
		fmt.Fprintf(stderr, "mapping: %v\n", err)
		return exitProblems
	case !fine:
		return exitProblems
	}
	return exitFine
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("mapping", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.mapping, "mapping", "", "`file` with mappings, in our JSON or Entra's; Postman's without it")
	flags.StringVar(&o.object, "object", "", "`file` with objects of the directory: a JSON object, or an array of them")
	flags.StringVar(&o.profile, "profile", "postman", "service to check the mapping for: postman, a `file` with a profile, or none")
	flags.StringVar(&o.kind, "type", "User", "`type` of the objects in the directory")
	flags.StringVar(&o.expression, "expression", "", "evaluate this `expression` only")
	flags.BoolVar(&o.convert, "convert", false, "print the mappings in our JSON and do nothing else")
	flags.Usage = func() {
		fmt.Fprintf(stderr, "Show what a mapping makes of an object, step by step.\n\nUsage: mapping [flags] [attribute=value ...]\n\n")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	for _, arg := range flags.Args() {
		name, value, ok := strings.Cut(arg, "=")
		if !ok {
			return o, fmt.Errorf("%q is not attribute=value", arg)
		}
		if o.attributes == nil {
			o.attributes = make(map[string]any)
		}
		o.attributes[name] = value
	}
	return o, nil
}

// evaluate is a test box for one expression.
func evaluate(ctx context.Context, o options, w io.Writer) (fine bool, err error) {
	objects, err := readObjects(o)
	if err != nil {
		return false, err
	}
	program, err := expr.Compile(o.expression)
	if err != nil {
		var e *expr.Error
		if errors.As(err, &e) {
			fmt.Fprintln(w, e.Snippet())
		}
		return false, err
	}
	fine = true
	for _, object := range objects {
		for _, name := range program.Attributes() {
			fmt.Fprintf(w, "[%s] is %s\n", name, asJSON(object[name]))
		}
		value, err := program.Eval(ctx, &expr.Env{Source: expr.Attributes(object)})
		if err != nil {
			fmt.Fprintf(w, "  error: %v\n", err)
			fine = false
			continue
		}
		fmt.Fprintf(w, "  %s, a %s\n", asJSON(value.Any()), value.Kind())
	}
	return fine, nil
}

func asJSON(v any) string {
	data, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}

// explain checks a mapping and shows what it makes of each object.
func explain(ctx context.Context, o options, w io.Writer) (fine bool, err error) {
	profile, err := readProfile(o.profile)
	if err != nil {
		return false, err
	}
	definition, err := readMapping(o)
	if err != nil {
		return false, err
	}
	objects, err := readObjects(o)
	if err != nil {
		return false, err
	}
	m, err := mapping.Compile(definition, mapping.WithProfile(profile))
	if err != nil {
		return false, err
	}
	fine = true
	for _, p := range m.Check(profile) {
		fmt.Fprintln(w, p)
		fine = fine && p.Severity != mapping.Failure
	}
	for _, object := range objects {
		fmt.Fprintln(w)
		e := m.Explain(ctx, object, mapping.Env{})
		fmt.Fprint(w, e)
		if e.Err != nil {
			fine = false
			continue
		}
		if err := printRequest(w, e.Result); err != nil {
			return false, err
		}
	}
	return fine, nil
}

// printRequest prints what a create would send.
func printRequest(w io.Writer, result mapping.Result) error {
	if result.IgnoreObject {
		return nil
	}
	for _, target := range result.Redacted {
		fmt.Fprintf(w, "The value of %s is secret: the document is not shown\n", target)
		return nil
	}
	data, err := json.Marshal(result.Create, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "A create sends %s\n", data)
	for _, r := range result.References {
		fmt.Fprintf(w, "then %s, once %s is in the service\n", r.Target, strings.Join(r.IDs, ", "))
	}
	return nil
}

func readProfile(name string) (*profiles.Profile, error) {
	switch name {
	case "none":
		return nil, nil
	case "postman":
		return postman.Profile(), nil
	}
	return profiles.Load(name)
}

// convert prints the mappings in our JSON.
func convert(_ context.Context, o options, w io.Writer) (fine bool, err error) {
	file, err := readFile(o.mapping)
	if err != nil {
		return false, err
	}
	data, err := file.Format()
	if err != nil {
		return false, err
	}
	_, err = w.Write(data)
	return err == nil, err
}

func readMapping(o options) (mapping.ObjectMapping, error) {
	file, err := readFile(o.mapping)
	if err != nil {
		return mapping.ObjectMapping{}, err
	}
	m, ok := file.Mapping(o.kind)
	if !ok {
		return m, fmt.Errorf("there is no mapping of objects of type %s", o.kind)
	}
	return m, nil
}

// readFile reads our own JSON, or Entra's.
func readFile(name string) (mapping.File, error) {
	data := postmanJSON
	if name != "" {
		var err error
		if data, err = os.ReadFile(name); err != nil {
			return mapping.File{}, err
		}
	}
	if !bytes.Contains(data, []byte(`"synchronizationRules"`)) {
		return mapping.Decode(data)
	}
	s, err := graph.Decode(data)
	if err != nil {
		return mapping.File{}, err
	}
	mappings, err := s.Mappings()
	return mapping.File{Mappings: mappings}, err
}

// readObjects reads the objects to map: those of the command line, of a file, or the samples.
func readObjects(o options) ([]map[string]any, error) {
	if o.attributes != nil {
		return []map[string]any{o.attributes}, nil
	}
	data := peopleJSON
	if o.object != "" {
		var err error
		if data, err = os.ReadFile(o.object); err != nil {
			return nil, err
		}
	}
	if data = bytes.TrimSpace(data); !bytes.HasPrefix(data, []byte("[")) {
		object, err := scim.DecodeDocument(data)
		return []map[string]any{object}, err
	}
	var documents []scim.Document
	if err := json.Unmarshal(data, &documents); err != nil {
		return nil, err
	}
	objects := make([]map[string]any, len(documents))
	for i, d := range documents {
		objects[i] = d
	}
	return objects, nil
}
