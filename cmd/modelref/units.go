// Numbers with a unit in conditions, as people write sizes and counts, and as tables show sizes.

package main

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strings"

	"github.com/haidra-org/modelref"
)

// units are how much the units of a number stand for, in small letters.
type units struct {
	of      map[string]int64
	example string
}

var (
	byteUnits = units{map[string]int64{
		"b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
	}, "8GB or 7.5GiB"}
	countUnits = units{map[string]int64{"k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}, "12B or 350M"}
)

// unitsOf returns the units that numbers of a field may have.
func unitsOf(f field) (units, bool) {
	switch {
	case f.kind != modelref.KindInteger:
		return units{}, false
	case strings.HasSuffix(f.name, "_bytes"):
		return byteUnits, true
	case f.name == "parameters":
		return countUnits, true
	default:
		return units{}, false
	}
}

var (
	comparison = regexp.MustCompile(`^\s*([^=<>~]*?)\s*(!=|==|<=|>=|=|<|>)\s*(.*?)\s*$`)
	withUnit   = regexp.MustCompile(`^([+-]?[0-9]+(?:_[0-9]+)*(?:\.[0-9]+)?)\s*([A-Za-z]+)$`)
)

// parseWhere is modelref.ParseWhere that takes units.
func parseWhere[R modelref.Record](conditions []string) (modelref.Predicate[R], error) {
	var plain []string
	var errs []error
	for _, condition := range conditions {
		text, err := withoutUnit[R](condition)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		plain = append(plain, text)
	}
	where, err := modelref.ParseWhere[R](plain...)
	return where, errors.Join(append(errs, err)...)
}

// withoutUnit returns the condition with the number written out. A condition that has no unit is returned as it is, right
// or wrong, except that the error for a number of a field with units names these.
func withoutUnit[R modelref.Record](condition string) (string, error) {
	parts := comparison.FindStringSubmatch(condition)
	if parts == nil || strings.HasPrefix(parts[3], `"`) {
		return condition, nil
	}
	found, err := modelref.LookupField[R](parts[1])
	if err != nil {
		return condition, nil //nolint:nilerr // ParseWhere says it
	}
	allowed, ok := unitsOf(field{found.Name(), found.Kind()})
	if !ok {
		return condition, nil
	}
	if n, ok := allowed.writtenOut(parts[3]); ok {
		return parts[1] + parts[2] + n, nil
	}
	if _, err := found.Where(parts[2], parts[3]); err != nil {
		return "", fmt.Errorf("%w; or with a unit, as %s", err, allowed.example)
	}
	return condition, nil
}

// writtenOut returns a number without its unit, and false where it has none that is known, or is no integer of 64 bits.
func (u units) writtenOut(value string) (string, bool) {
	parts := withUnit.FindStringSubmatch(value)
	if parts == nil {
		return "", false
	}
	one, known := u.of[strings.ToLower(parts[2])]
	n, ok := new(big.Rat).SetString(strings.ReplaceAll(parts[1], "_", ""))
	if !known || !ok {
		return "", false
	}
	n.Mul(n, new(big.Rat).SetInt64(one))
	return n.Num().String(), n.IsInt() && n.Num().IsInt64()
}
