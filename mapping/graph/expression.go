package graph

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/scimbridge/scim/mapping/expr"
)

// Text returns the whole of a source as an expression: its text, or what its tree stands for.
func (s *Source) Text() (string, error) {
	if s.Expression != "" {
		return s.Expression, nil
	}
	n, err := s.Node()
	if err != nil {
		return "", err
	}
	return n.String(), nil
}

// Node returns the tree as an expression. A part of it that has a text is what its text says.
func (s *Source) Node() (*expr.Node, error) { return s.node(0) }

// maxNesting bounds how deep a tree may be that was not read by Decode.
const maxNesting = 64

func (s *Source) node(depth int) (*expr.Node, error) {
	switch {
	case depth > maxNesting:
		return nil, errors.New("graph: the functions of an expression are nested too deep")
	case s == nil:
		return expr.Omitted(), nil
	case s.kind() == Constant && s.Expression == "":
		return expr.Text(s.Name), nil
	case s.kind() == Attribute && s.Expression == "":
		return expr.Attribute(s.Name), nil
	case s.Expression != "":
		n, err := expr.Parse(s.Expression)
		if err != nil {
			return nil, fmt.Errorf("graph: %w", err)
		}
		return n, nil
	case s.kind() == Function:
		return s.call(depth)
	}
	return nil, fmt.Errorf("graph: unknown type %q of a source: one of Attribute, Constant, Function is needed", s.Type)
}

// kind is the type of a source as one of the constants, in whose case not everybody writes it.
func (s *Source) kind() string {
	for _, known := range []string{Attribute, Constant, Function} {
		if strings.EqualFold(s.Type, known) {
			return known
		}
	}
	return s.Type
}

// call reads a function with its parameters.
func (s *Source) call(depth int) (*expr.Node, error) {
	if isComparison(s.Name) && len(s.Parameters) == 2 {
		left, err := s.Parameters[0].Value.node(depth + 1)
		if err != nil {
			return nil, err
		}
		right, err := s.Parameters[1].Value.node(depth + 1)
		return expr.Compare(left, s.Name, right), err
	}
	names := parameterNames(s.Name)
	var args []*expr.Node
	for _, p := range s.Parameters {
		value, err := p.Value.node(depth + 1)
		if err != nil {
			return nil, err
		}
		at := position(names, p.Key)
		switch {
		case at >= 0:
			for len(args) <= at {
				args = append(args, expr.Omitted())
			}
			args[at] = value
		case s.Name == "Switch":
			// What is neither the source nor the default is named after the key it is for.
			for len(args) < 2 {
				args = append(args, expr.Omitted())
			}
			args = append(args, expr.Text(p.Key), value)
		default:
			args = append(args, value)
		}
	}
	return expr.Call(s.Name, args...), nil
}

// NewSource writes an expression as text and as a tree.
func NewSource(n *expr.Node) *Source {
	s := &Source{Expression: n.String(), Parameters: []Parameter{}}
	switch n.Kind {
	case expr.AttributeNode:
		s.Type, s.Name = Attribute, n.Name
	case expr.CallNode:
		s.Type, s.Name = Function, n.Name
		s.Parameters = newParameters(n)
	case expr.CompareNode:
		s.Type, s.Name = Function, n.Name
		s.Parameters = []Parameter{{Key: "left", Value: NewSource(n.Args[0])}, {Key: "right", Value: NewSource(n.Args[1])}}
	default:
		// A constant is always a text; a number's or a keyword's is what it is written as.
		s.Type, s.Name = Constant, n.Text
		if n.Kind == expr.KeywordNode {
			s.Name = n.Name
		}
	}
	return s
}

// newParameters names the arguments of a call. Arguments left empty have no parameter.
func newParameters(n *expr.Node) []Parameter {
	names := parameterNames(n.Name)
	parameters := []Parameter{}
	for i, arg := range n.Args {
		if arg.Kind == expr.OmittedNode {
			continue
		}
		key := ""
		switch {
		case n.Name == "Switch" && i >= 2:
			if i%2 == 0 {
				continue
			}
			key = n.Args[i-1].Text
			if n.Args[i-1].Kind != expr.TextNode {
				key = n.Args[i-1].String()
			}
		case i < len(names):
			key = names[i]
		default:
			key = numbered(names, i)
		}
		parameters = append(parameters, Parameter{Key: key, Value: NewSource(arg)})
	}
	return parameters
}

// numbered names an argument after the fixed ones, counting on from the last of them: source2 after source1.
func numbered(names []string, i int) string {
	if len(names) == 0 {
		return "source" + strconv.Itoa(i+1)
	}
	last := names[len(names)-1]
	stem := strings.TrimRight(last, "0123456789")
	n, _ := strconv.Atoi(last[len(stem):])
	return stem + strconv.Itoa(n+i-len(names)+1)
}

func isComparison(name string) bool {
	switch name {
	case "=", "<>", "<", "<=", ">", ">=":
		return true
	}
	return false
}

// parameterNames are the names that Graph's functions() gives the parameters of a function, or else those of the reference; of those that
// can be repeated only the first.
func parameterNames(function string) []string {
	switch function {
	case "Replace":
		return []string{"source", "Find", "RegularExpression", "RegularExpressionGroupName", "Replacement", "ReplacementPropertyName", "Template"}
	case "Switch":
		return []string{"source", "defaultValue"}
	case "Join":
		return []string{"separator", "source1"}
	}
	return signatureNames()[function]
}

// signatureNames are the names of the parameters that are not repeated, by function. Made at first use, only read after.
var signatureNames = sync.OnceValue(func() map[string][]string {
	names := make(map[string][]string)
	for _, s := range expr.Signatures(expr.WithConnectFunctions()) {
		for _, p := range s.Params {
			if !p.Repeated {
				names[s.Name] = append(names[s.Name], p.Name)
			}
		}
	}
	return names
})

// position finds a parameter by its name, in any case; -1 when it is not there.
func position(names []string, key string) int {
	for i, name := range names {
		if strings.EqualFold(name, key) {
			return i
		}
	}
	return -1
}
