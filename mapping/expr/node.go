package expr

import (
	"slices"
	"strings"
)

// NodeKind says what a [Node] stands for.
type NodeKind uint8

// The kinds of node.
const (
	CallNode      NodeKind = iota + 1 // Name(Args...)
	AttributeNode                     // [Name]
	TextNode                          // "Text"
	NumberNode                        // Text, as written: 5, -10, 42568.75, &HF
	KeywordNode                       // Name: vbTextCompare, IgnoreAttributeFlow, ...
	CompareNode                       // Args[0] Name Args[1], where Name is =, <>, <, <=, > or >=
	OmittedNode                       // an argument left empty
)

// Node is one part of a parsed expression. Walk the fields to convert an expression to another form,
// such as the parameter trees of Microsoft Graph, and build nodes with the constructors to convert
// back; [CompileNode] checks what was built. Do not change a node while others read it.
type Node struct {
	Kind NodeKind
	// Name is the function, attribute, keyword or operator.
	Name string
	// Text is the value of a text constant without its quotes and escapes, or a number as written.
	Text string
	// Args are the arguments of a call, OmittedNode included, or the two sides of a comparison.
	Args []*Node
	// Offset is the byte position in the text given to Parse; 0 in nodes built otherwise.
	Offset int
}

// Call is a function call. Nil arguments are taken as omitted.
func Call(name string, args ...*Node) *Node {
	args = slices.Clone(args)
	for i, arg := range args {
		if arg == nil {
			args[i] = Omitted()
		}
	}
	return &Node{Kind: CallNode, Name: name, Args: args}
}

// Attribute reads a source attribute.
func Attribute(name string) *Node { return &Node{Kind: AttributeNode, Name: name} }

// Text is a text constant, given without quotes and escapes.
func Text(value string) *Node { return &Node{Kind: TextNode, Text: value} }

// Numeral is a number written as the language writes it: 5, -10, 42568.75 or &HF.
func Numeral(literal string) *Node { return &Node{Kind: NumberNode, Text: literal} }

// Keyword is one of vbBinaryCompare, vbTextCompare, IgnoreAttributeFlow and IgnoreObjectFlow.
func Keyword(name string) *Node { return &Node{Kind: KeywordNode, Name: name} }

// Compare is the comparison of two expressions by =, <>, <, <=, > or >=.
func Compare(left *Node, operator string, right *Node) *Node {
	return &Node{Kind: CompareNode, Name: operator, Args: []*Node{left, right}}
}

// Omitted is an argument left empty.
func Omitted() *Node { return &Node{Kind: OmittedNode} }

// String prints the expression in one canonical form: one space after each comma and around each
// operator, text escaped, numbers as they were written. Parsing it gives an equal tree.
func (n *Node) String() string {
	var b strings.Builder
	n.print(&b, 0)
	return b.String()
}

func (n *Node) print(b *strings.Builder, depth int) {
	if n == nil || depth > maxDepth {
		return
	}
	switch n.Kind {
	case CallNode:
		b.WriteString(n.Name)
		b.WriteByte('(')
		for i, arg := range n.Args {
			if i > 0 {
				b.WriteString(", ")
			}
			arg.print(b, depth+1)
		}
		b.WriteByte(')')
	case AttributeNode:
		b.WriteByte('[')
		b.WriteString(n.Name)
		b.WriteByte(']')
	case TextNode:
		b.WriteByte('"')
		_, _ = textEscaper.WriteString(b, n.Text) // a Builder does not fail
		b.WriteByte('"')
	case NumberNode:
		b.WriteString(n.Text)
	case KeywordNode:
		b.WriteString(n.Name)
	case CompareNode:
		for i, arg := range n.Args {
			if i > 0 {
				b.WriteString(" " + n.Name + " ")
			}
			arg.print(b, depth+1)
		}
	}
}

var textEscaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// Walk calls visit for n and then for every node below it, in the order they are written, and skips
// what is below a node for which visit returns false.
func (n *Node) Walk(visit func(*Node) bool) {
	if n == nil || !visit(n) {
		return
	}
	for _, arg := range n.Args {
		arg.Walk(visit)
	}
}

// same reports whether two trees mean the same, wherever they were written. A call with a single
// omitted argument is a call without arguments: the two print alike.
func (n *Node) same(m *Node) bool {
	if n == nil || m == nil || n.Kind != m.Kind || n.Name != m.Name || n.Text != m.Text {
		return false
	}
	return slices.EqualFunc(n.arguments(), m.arguments(), (*Node).same)
}

// arguments are the arguments given, without the empty slot between the parentheses of F( ).
func (n *Node) arguments() []*Node {
	if n.Kind == CallNode && len(n.Args) == 1 && n.Args[0] != nil && n.Args[0].Kind == OmittedNode {
		return nil
	}
	return n.Args
}

// check refuses trees that cannot be printed and read back: too deep or too many nodes (a node that
// contains itself is both), nil nodes, unknown kinds.
func (n *Node) check() string {
	left := MaxLength
	return n.checkNode(0, &left)
}

func (n *Node) checkNode(depth int, left *int) string {
	if n == nil {
		return "the tree holds a nil node"
	}
	if *left--; *left < 0 {
		return "the tree has too many nodes"
	}
	if depth > maxDepth {
		return "the tree is nested too deep"
	}
	if n.Kind < CallNode || n.Kind > OmittedNode {
		return "the tree holds a node of no known kind"
	}
	if len(n.Name)+len(n.Text) > 4*MaxLength {
		return "the tree holds a name or text that is too long"
	}
	if n.Kind != CallNode && n.Kind != CompareNode && len(n.Args) > 0 {
		return "the tree holds arguments where no call or comparison is"
	}
	for _, arg := range n.Args {
		if reason := arg.checkNode(depth+1, left); reason != "" {
			return reason
		}
	}
	return ""
}
