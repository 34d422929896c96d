// Package spdx parses SPDX licence expressions, such as "Apache-2.0 OR (MIT AND Zlib)".
package spdx

import (
	"errors"
	"fmt"
	"strings"
)

// An Expression is a parsed licence expression.
type Expression struct {
	operator  string // "AND" or "OR", or "" for a single licence
	license   string
	left      *Expression
	right     *Expression
	exception string
}

// maxDepth limits how deep parentheses nest.
const maxDepth = 64

// Parse returns the expression of a text. The operators AND, OR and WITH must be in upper case or in lower case. AND
// binds more tightly than OR. Parse does not check whether the identifiers are known.
func Parse(text string) (*Expression, error) {
	p := parser{tokens: strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(text))}
	e, err := p.either(0)
	if err == nil && p.at < len(p.tokens) {
		err = fmt.Errorf("unexpected %q", p.tokens[p.at])
	}
	if err != nil {
		return nil, fmt.Errorf("licence expression %.100q: %w", text, err)
	}
	return e, nil
}

// Licenses returns the identifiers of the licences in the expression without duplicates, in the order of their first
// use. An exception after WITH is not a licence.
func (e *Expression) Licenses() []string {
	var out []string
	seen := map[string]bool{}
	e.each(func(license string) {
		if !seen[license] {
			seen[license] = true
			out = append(out, license)
		}
	})
	return out
}

func (e *Expression) each(visit func(string)) {
	if e.operator == "" {
		visit(e.license)
		return
	}
	e.left.each(visit)
	e.right.each(visit)
}

// Satisfied reports whether the licences that accepts approves satisfy the expression. Both sides of an AND must be
// satisfied, and one side of an OR.
func (e *Expression) Satisfied(accepts func(license string) bool) bool {
	switch e.operator {
	case "AND":
		return e.left.Satisfied(accepts) && e.right.Satisfied(accepts)
	case "OR":
		return e.left.Satisfied(accepts) || e.right.Satisfied(accepts)
	default:
		return accepts(e.license)
	}
}

type parser struct {
	tokens []string
	at     int
}

// operator consumes the given operator and reports whether it was the next token.
func (p *parser) operator(name string) bool {
	if p.at < len(p.tokens) && (p.tokens[p.at] == name || p.tokens[p.at] == strings.ToLower(name)) {
		p.at++
		return true
	}
	return false
}

func (p *parser) either(depth int) (*Expression, error) {
	left, err := p.both(depth)
	for err == nil && p.operator("OR") {
		var right *Expression
		right, err = p.both(depth)
		left = &Expression{operator: "OR", left: left, right: right}
	}
	return left, err
}

func (p *parser) both(depth int) (*Expression, error) {
	left, err := p.single(depth)
	for err == nil && p.operator("AND") {
		var right *Expression
		right, err = p.single(depth)
		left = &Expression{operator: "AND", left: left, right: right}
	}
	return left, err
}

// single consumes a licence with an optional exception, or an expression in parentheses.
func (p *parser) single(depth int) (*Expression, error) {
	if depth > maxDepth {
		return nil, errors.New("parentheses must not be nested deeper than 64 levels")
	}
	if p.operator("(") {
		e, err := p.either(depth + 1)
		if err == nil && !p.operator(")") {
			err = errors.New("parenthesis is not closed")
		}
		return e, err
	}
	license, err := p.identifier()
	e := &Expression{license: license}
	if err == nil && p.operator("WITH") {
		e.exception, err = p.identifier()
	}
	return e, err
}

// identifier consumes an identifier: letters, digits and the characters "-", ".", ":" and "+".
func (p *parser) identifier() (string, error) {
	if p.at == len(p.tokens) {
		return "", errors.New("licence is missing at the end")
	}
	token := p.tokens[p.at]
	p.at++
	switch token {
	case "AND", "and", "OR", "or", "WITH", "with", "(", ")":
		return "", fmt.Errorf("must have a licence instead of %q", token)
	}
	for _, c := range token {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("-.:+", c)) {
			return "", fmt.Errorf("%q is not an identifier", token)
		}
	}
	return token, nil
}
