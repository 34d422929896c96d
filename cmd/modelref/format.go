// Output formats that are neither tables nor JSON: CSV, TSV and YAML.

package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The values of --output.
const (
	formatTable = "table"
	formatJSON  = "json"
	formatJSONL = "jsonl"
	formatCSV   = "csv"
	formatTSV   = "tsv"
	formatYAML  = "yaml"
	formatName  = "name"
)

func formats() []string {
	return []string{formatTable, formatJSON, formatJSONL, formatCSV, formatTSV, formatYAML, formatName}
}

// chooseFormat sets the flags that are equivalent to --output.
func (a *app) chooseFormat() error {
	f := &a.flags
	a.screen.noHeader = f.noHeader
	f.output = strings.ToLower(f.output)
	if f.output == "yml" {
		f.output = formatYAML
	}
	switch f.output {
	case "", formatTable:
	case formatJSON:
		f.json = true
	case formatJSONL:
		f.jsonl = true
	case formatYAML:
		f.json, f.yaml = true, true
	case formatName:
		f.quiet = true
	case formatCSV, formatTSV:
		a.screen = screen{format: f.output, noHeader: f.noHeader}
	default:
		return usagef("--output %q: must be one of %s", f.output, strings.Join(formats(), ", "))
	}
	return nil
}

// separated writes the cells of a table as CSV or TSV. In TSV, tabs and line feeds in a cell are escaped.
func (t *table) separated(out io.Writer, s screen) error {
	var rows [][]string
	if !s.noHeader {
		header := make([]string, len(t.header))
		for i, name := range t.header {
			header[i] = strings.ToLower(name)
		}
		rows = append(rows, header)
	}
	for _, row := range t.rows {
		texts := make([]string, len(row))
		for i, c := range row {
			texts[i] = c.text
		}
		rows = append(rows, texts)
	}
	if s.format == formatCSV {
		w := csv.NewWriter(out)
		return w.WriteAll(rows)
	}
	var text strings.Builder
	for _, row := range rows {
		for i := range row {
			row[i] = printable(row[i])
		}
		text.WriteString(strings.Join(row, "\t") + "\n")
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// printYAML writes a JSON value as YAML. The order of the keys stays.
func printYAML(out io.Writer, value []byte) error {
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	node, err := yamlNode(d)
	if err != nil {
		return err
	}
	e := yaml.NewEncoder(out)
	e.SetIndent(2)
	if err := e.Encode(node); err != nil {
		return err
	}
	return e.Close()
}

// yamlNode reads one JSON value.
func yamlNode(d *json.Decoder) (*yaml.Node, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Delim:
		node := &yaml.Node{Kind: yaml.MappingNode}
		if token == '[' {
			node.Kind = yaml.SequenceNode
		}
		for d.More() { // a key is a string, and so a value as well
			inner, err := yamlNode(d)
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, inner)
		}
		_, err := d.Token()
		return node, err
	case json.Number:
		tag := "!!int"
		if strings.ContainsAny(token.String(), ".eE") {
			tag = "!!float"
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: token.String()}, nil
	default:
		node := &yaml.Node{}
		if err := node.Encode(token); err != nil {
			return nil, fmt.Errorf("as YAML: %w", err)
		}
		return node, nil
	}
}
