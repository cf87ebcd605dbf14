package graph

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Schema is a synchronizationSchema. Like all types of this package it is plain data, and not safe for concurrent use while it is
// being changed.
type Schema struct {
	ID          string      `json:"id,omitzero"`
	Version     string      `json:"version,omitzero"`
	Directories []Directory `json:"directories,omitzero"`
	Rules       []Rule      `json:"synchronizationRules,omitzero"`
	Extra       Extra       `json:"-"`
}

// Directory is a directoryDefinition: a system with its types of object.
type Directory struct {
	ID      string             `json:"id,omitzero"`
	Name    string             `json:"name,omitzero"`
	Objects []ObjectDefinition `json:"objects,omitzero"`
	Extra   Extra              `json:"-"`
}

// ObjectDefinition is a type of object.
type ObjectDefinition struct {
	Name       string                `json:"name,omitzero"`
	Attributes []AttributeDefinition `json:"attributes,omitzero"`
	Extra      Extra                 `json:"-"`
}

// AttributeDefinition is an attribute of a type of object.
type AttributeDefinition struct {
	Name string `json:"name,omitzero"`
	// Type is one of String, Integer, Reference, Binary, Boolean, DateTime.
	Type           string `json:"type,omitzero"`
	Anchor         bool   `json:"anchor,omitzero"`
	CaseExact      bool   `json:"caseExact,omitzero"`
	FlowNullValues bool   `json:"flowNullValues,omitzero"`
	MultiValued    bool   `json:"multivalued,omitzero"`
	// Mutability is one of ReadWrite, ReadOnly, Immutable, WriteOnly.
	Mutability string `json:"mutability,omitzero"`
	Required   bool   `json:"required,omitzero"`
	Extra      Extra  `json:"-"`
}

// Rule is a synchronizationRule: mappings from one directory to another.
type Rule struct {
	ID   string `json:"id,omitzero"`
	Name string `json:"name,omitzero"`
	// Priority orders rules, the lowest first.
	Priority            int             `json:"priority,omitzero"`
	Editable            bool            `json:"editable,omitzero"`
	SourceDirectoryName string          `json:"sourceDirectoryName,omitzero"`
	TargetDirectoryName string          `json:"targetDirectoryName,omitzero"`
	ObjectMappings      []ObjectMapping `json:"objectMappings,omitzero"`
	Extra               Extra           `json:"-"`
}

// ObjectMapping is an objectMapping.
type ObjectMapping struct {
	Name    string `json:"name,omitzero"`
	Enabled bool   `json:"enabled,omitzero"`
	// FlowTypes are the actions, such as "Add, Update, Delete".
	FlowTypes         string             `json:"flowTypes,omitzero"`
	SourceObjectName  string             `json:"sourceObjectName,omitzero"`
	TargetObjectName  string             `json:"targetObjectName,omitzero"`
	Scope             *Filter            `json:"scope,omitzero"`
	AttributeMappings []AttributeMapping `json:"attributeMappings,omitzero"`
	Extra             Extra              `json:"-"`
}

// AttributeMapping is an attributeMapping.
type AttributeMapping struct {
	TargetAttributeName string `json:"targetAttributeName,omitzero"`
	// Source is nil for a mapping of the kind None.
	Source       *Source `json:"source,omitzero"`
	DefaultValue string  `json:"defaultValue,omitzero"`
	// MatchingPriority is 0, or less, for an attribute that is not a matching one.
	MatchingPriority int `json:"matchingPriority,omitzero"`
	// FlowType is one of Always, ObjectAddOnly, MultiValueAddOnly, ValueAddOnly, AttributeAddOnly.
	FlowType string `json:"flowType,omitzero"`
	// FlowBehavior is one of FlowWhenChanged, FlowAlways.
	FlowBehavior string `json:"flowBehavior,omitzero"`
	Extra        Extra  `json:"-"`
}

// Source is an attributeMappingSource: an attribute, a constant, or a function with its parameters.
type Source struct {
	// Expression is the whole as text.
	Expression string `json:"expression,omitzero"`
	// Name is the attribute, the text of the constant, or the function.
	Name string `json:"name,omitzero"`
	// Type is one of Attribute, Constant, Function.
	Type       string      `json:"type,omitzero"`
	Parameters []Parameter `json:"parameters,omitzero"`
	Extra      Extra       `json:"-"`
}

// Types of a [Source].
const (
	Attribute = "Attribute"
	Constant  = "Constant"
	Function  = "Function"
)

// Parameter is a parameter of a function.
type Parameter struct {
	Key   string  `json:"key,omitzero"`
	Value *Source `json:"value,omitzero"`
	Extra Extra   `json:"-"`
}

// Filter is a scoping filter.
type Filter struct {
	// Groups are joined by or.
	Groups []FilterGroup `json:"groups,omitzero"`
	// InputFilterGroups let objects in without deprovisioning those that they do not.
	InputFilterGroups []FilterGroup `json:"inputFilterGroups,omitzero"`
	Extra             Extra         `json:"-"`
}

// FilterGroup has clauses that are joined by and.
type FilterGroup struct {
	Name    string         `json:"name,omitzero"`
	Clauses []FilterClause `json:"clauses,omitzero"`
	Extra   Extra          `json:"-"`
}

// FilterClause is one condition.
type FilterClause struct {
	OperatorName      string         `json:"operatorName,omitzero"`
	SourceOperandName string         `json:"sourceOperandName,omitzero"`
	TargetOperand     *FilterOperand `json:"targetOperand,omitzero"`
	Extra             Extra          `json:"-"`
}

// FilterOperand is what an attribute is compared with.
type FilterOperand struct {
	Values []string `json:"values,omitzero"`
	Extra  Extra    `json:"-"`
}

// Bounds of a schema's JSON.
const (
	maxSize  = 8 << 20 // bytes
	maxDepth = 128     // levels of nesting; a function in a function takes three
)

// Decode reads a synchronizationSchema. Members that it does not know are kept. The error names the place of a value of the wrong type,
// a name given twice, or text that is not JSON. The text may be 8 MiB long.
func Decode(data []byte) (*Schema, error) {
	if len(data) > maxSize {
		return nil, fmt.Errorf("graph: the schema is longer than %d bytes", maxSize)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // downloads from the portal begin with it
	if err := checkDepth(data); err != nil {
		return nil, fmt.Errorf("graph: read schema: %w", err)
	}
	s := &Schema{}
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("graph: read schema: %w", err)
	}
	return s, nil
}

// checkDepth refuses text that is nested too deep to be a schema.
func checkDepth(data []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(data))
	for {
		if _, err := d.ReadToken(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if d.StackDepth() > maxDepth {
			return fmt.Errorf("nested deeper than %d levels at byte %d", maxDepth, d.InputOffset())
		}
	}
}

// Load reads a synchronizationSchema from a file as [Decode] does.
func Load(name string) (*Schema, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	return Decode(data)
}

// Format writes the schema as indented JSON.
func (s *Schema) Format() ([]byte, error) {
	data, err := json.Marshal(s, jsontext.WithIndent("  "))
	if err != nil {
		return nil, fmt.Errorf("graph: write schema: %w", err)
	}
	return append(data, '\n'), nil
}
