package jsondoc

// This file reads integers written as text.

import (
	"errors"
	"strconv"
	"strings"
)

var errNoInteger = errors.New("not an integer")

// ParseInteger reads a whole number. It may have underscores between digits, a fraction and an exponent. The result is
// exact. A conversion through float64 would not be exact.
func ParseInteger(s string) (int64, error) {
	sign := ""
	if s != "" && (s[0] == '-' || s[0] == '+') {
		sign, s = s[:1], s[1:]
	}
	mantissa, exponent, scientific := strings.Cut(strings.ToLower(s), "e")
	shift := 0
	if scientific {
		n, err := strconv.Atoi(exponent)
		if err != nil || n > 400 || n < -400 {
			return 0, errNoInteger
		}
		shift = n
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if strings.HasPrefix(whole, "_") || strings.HasSuffix(whole, "_") || strings.Contains(whole, "__") {
		return 0, errNoInteger
	}
	whole, fraction = strings.ReplaceAll(whole, "_", ""), strings.TrimRight(fraction, "0")
	digits := whole + fraction
	if whole == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, errNoInteger
	}
	if shift -= len(fraction); shift >= 0 {
		digits += strings.Repeat("0", shift)
	} else {
		point := max(0, len(digits)+shift)
		if strings.Trim(digits[point:], "0") != "" {
			return 0, errNoInteger
		}
		digits = "0" + digits[:point]
	}
	return strconv.ParseInt(sign+digits, 10, 64)
}
