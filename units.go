// Sizes and counts as people write them: "7.5GB", "12 GiB", "13B".

package modelref

import (
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// unit is a unit of a size or a count.
type unit struct {
	name  string
	value int64
}

// units are the units that a kind of number accepts.
type units struct {
	noun string // what the number is, for errors
	list []unit
}

// sizeUnits returns the units of ParseSize. The decimal and the binary units are never confused: a unit without "B" is
// rejected, because some programs read "G" as 10⁹ and others as 2³⁰.
func sizeUnits() units {
	return units{"size", []unit{
		{"B", 1},
		{"kB", 1e3},
		{"MB", 1e6},
		{"GB", 1e9},
		{"TB", 1e12},
		{"PB", 1e15},
		{"KiB", 1 << 10},
		{"MiB", 1 << 20},
		{"GiB", 1 << 30},
		{"TiB", 1 << 40},
		{"PiB", 1 << 50},
	}}
}

// countUnits returns the units of ParseCount.
func countUnits() units {
	return units{"count", []unit{{"K", 1e3}, {"M", 1e6}, {"B", 1e9}, {"T", 1e12}}}
}

// ParseSize returns the number of bytes that text states, for example "7GB", "7.5 GiB" or "8000000000".
//
// The units are B, the decimal units kB, MB, GB, TB and PB (GB is 10⁹ bytes), and the binary units KiB, MiB, GiB, TiB and PiB
// (GiB is 2³⁰ bytes). Letter case does not matter, and white space is allowed around the number and before the unit. A
// number without a unit is a number of bytes. Numbers may have underscores between digits, a decimal point and an
// exponent ("1_500.5MB", "7e9"). A fraction of a byte is discarded.
//
// ParseSize returns an error if text is not such a number, if the unit is unknown, if the size is negative, or if it does
// not fit into an int64. A unit without "B", such as "8G", is an error because it has two meanings.
func ParseSize(text string) (int64, error) { return sizeUnits().parse(text, "8GB or 7.5GiB") }

// ParseCount returns the number that text states, for example "13B", "350M" or "7000000000". It is meant for numbers of
// parameters.
//
// The units are K (10³), M (10⁶), B (10⁹) and T (10¹²), in either letter case. Otherwise the rules of ParseSize apply. A
// mixture of experts such as "8x7B" is an error: its number of parameters is not the product.
func ParseCount(text string) (int64, error) { return countUnits().parse(text, "13B or 350M") }

// numberWithUnit splits a number from its unit. The number of digits of the exponent is limited, because big.Rat computes
// the power.
var numberWithUnit = regexp.MustCompile(
	`^(-?(?:[0-9]+(?:_[0-9]+)*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)\s*([A-Za-z]*)$`)

// maxNumberLength is the length of the longest text that is parsed as a number.
const maxNumberLength = 100

// parse returns the number that text states. The error ends with the example.
func (u units) parse(text, example string) (int64, error) {
	fail := func(reason string) (int64, error) {
		if len(text) > maxNumberLength {
			text = text[:maxNumberLength] + "…"
		}
		return 0, fmt.Errorf("modelref: %s %q %s, such as %s", u.noun, text, reason, example)
	}
	parts := numberWithUnit.FindStringSubmatch(strings.TrimSpace(text))
	if parts == nil || len(text) > maxNumberLength {
		return fail("must be a number with an optional unit")
	}
	factor, ok := u.factor(parts[2])
	if !ok {
		return fail("must have one of the units " + u.names())
	}
	n, ok := new(big.Rat).SetString(strings.ReplaceAll(parts[1], "_", ""))
	if !ok {
		return fail("must be a number with an optional unit")
	}
	if n.Sign() < 0 {
		return fail("must not be negative")
	}
	n.Mul(n, new(big.Rat).SetInt64(factor))
	whole := new(big.Int).Quo(n.Num(), n.Denom())
	if !whole.IsInt64() {
		return fail("must be less than 2⁶³")
	}
	return whole.Int64(), nil
}

// factor returns the value of the unit with the given name, in any letter case. The empty name is the unit 1.
func (u units) factor(name string) (int64, bool) {
	if name == "" {
		return 1, true
	}
	for _, unit := range u.list {
		if strings.EqualFold(unit.name, name) {
			return unit.value, true
		}
	}
	return 0, false
}

// names returns the names of the units, separated by commas.
func (u units) names() string {
	names := make([]string, len(u.list))
	for i, unit := range u.list {
		names[i] = unit.name
	}
	return strings.Join(names, ", ")
}

// FormatSize returns a number of bytes in the largest decimal unit up to TB that keeps it at 1 or more, for example
// "6.94 GB", "1.5 MB" or "999 B". Sizes from 1 GB on have two decimal places, smaller ones have one. ParseSize accepts the
// result, unless n is negative.
func FormatSize(n int64) string {
	sign, value := "", float64(n)
	if n < 0 {
		sign, value = "-", -value
	}
	if value < 1e3 {
		return sign + strconv.FormatFloat(value, 'f', 0, 64) + " B"
	}
	names := [...]string{"kB", "MB", "GB", "TB"}
	for i := range names {
		decimals := 1 + i/2
		value /= 1e3
		text := strconv.FormatFloat(value, 'f', decimals, 64)
		if i == len(names)-1 || !strings.HasPrefix(text, "1000.") && value < 1e3 {
			return sign + text + " " + names[i]
		}
	}
	return "" // not reached: the last unit always returns
}

// FormatCount returns a number in the largest of the units K, M, B and T that keeps it at 1 or more, with three
// significant digits at most, for example "13B", "7.24B", "350M" or "999". ParseCount accepts the result, unless n is
// negative.
func FormatCount(n int64) string {
	sign, value := "", float64(n)
	if n < 0 {
		sign, value = "-", -value
	}
	names := [...]string{"", "K", "M", "B", "T"}
	for i, name := range names {
		text := threeDigits(value)
		if i == len(names)-1 || len(text) < 4 || strings.Contains(text, ".") {
			return sign + text + name
		}
		value /= 1e3
	}
	return "" // not reached: the last unit always returns
}

// threeDigits returns value with three significant digits at most, or without decimal places if it is 100 or more.
func threeDigits(value float64) string {
	for decimals, limit := range [...]float64{0: 99.95, 1: 9.995} {
		if value >= limit {
			return strings.TrimSuffix(strconv.FormatFloat(value, 'f', decimals, 64), ".0")
		}
	}
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(value, 'f', 2, 64), "0"), ".")
}
