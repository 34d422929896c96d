// This file tests sizes and counts: all units, and texts that are not a number with a unit.

package modelref

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"0": 0, "17": 17, "8000000000": 8e9, "7e9": 7e9, "7E+9B": 7e9, "999 B": 999, "100b": 100,
		"1kB": 1e3, "1KB": 1e3, "3MB": 3e6, "7GB": 7e9, "7gb": 7e9, "2TB": 2e12, "1.5PB": 15e14,
		"1KiB": 1 << 10, "2mib": 2 << 20, "12 GiB": 12 << 30, "1.5GiB": 3 << 29, "2tib": 2 << 40, "1PiB": 1 << 50,
		" \t2.13 gb\n": 2_130_000_000, "1_000.5kB": 1_000_500, ".5kB": 500, "5.kB": 5000,
		"1.0005kB": 1000, "0.3GiB": 322_122_547, "9007199254740.993kB": 9_007_199_254_740_993,
		"9223372036854775807": math.MaxInt64, "8388607TiB": 8388607 << 40,
	} {
		got, err := ParseSize(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for text, reason := range map[string]string{
		"": "must be a number", "GB": "must be a number", "much": "must be a number", "NaN": "must be a number",
		"Inf": "must be a number", "+1GB": "must be a number", "1__0GB": "must be a number", "1,5GB": "must be a number",
		"_1": "must be a number", "1_": "must be a number", "0x10": "must be a number", "7GB 3MB": "must be a number",
		"1e1000B":                "must be a number", // the exponent is too long
		strings.Repeat("1", 101): "must be a number",
		"8G":                     "units B, kB, MB, GB, TB, PB, KiB, MiB, GiB, TiB, PiB", "8M": "must have one of the units", "1EB": "must have one of the units", "1inf": "must have one of the units",
		"-1GB": "must not be negative", "-1": "must not be negative",
		"8388608TiB": "must be less than 2⁶³", "1e300TB": "must be less than 2⁶³", "9223372036854775808": "must be less than 2⁶³",
	} {
		_, err := ParseSize(text)
		require.ErrorContains(t, err, reason, text)
		assert.ErrorContains(t, err, `modelref: size "`, text)
		assert.ErrorContains(t, err, "such as 8GB or 7.5GiB", text)
		assert.Less(t, len(err.Error()), 250)
	}
}

func TestParseCount(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"13B": 13e9, "13b": 13e9, "350M": 350e6, "1.5 K": 1500, "1T": 1e12, "7000000000": 7e9, "8.03B": 8_030_000_000, "0.5b": 5e8,
	} {
		got, err := ParseCount(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "B", "8x7B", "13GB", "-7B", "1e300T", "thirteen"} {
		_, err := ParseCount(text)
		require.ErrorContains(t, err, `modelref: count "`, text)
		assert.ErrorContains(t, err, "such as 13B or 350M", text)
	}
}

func TestFormatSize(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.0 kB", 1500: "1.5 kB", 999_949: "999.9 kB", 999_950: "1.0 MB", 15e5: "1.5 MB",
		999_999_999: "1.00 GB", 6_938_040_682: "6.94 GB", 999_990_000_000: "999.99 GB", 999_999_999_999: "1.00 TB",
		15e11: "1.50 TB", 12345e12: "12345.00 TB", math.MaxInt64: "9223372.04 TB", -5: "-5 B", -2e9: "-2.00 GB",
		math.MinInt64: "-9223372.04 TB",
	} {
		assert.Equal(t, want, FormatSize(n), n)
	}
}

func TestFormatCount(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1K", 1500: "1.5K", 9994: "9.99K", 9995: "10K", 99_949: "99.9K", 99_950: "100K",
		999_499: "999K", 999_500: "1M", 350e6: "350M", 13e9: "13B", 7_241_732_096: "7.24B", 8_029_999_999: "8.03B",
		405e9: "405B", 1_026_000_000_000: "1.03T", 5e15: "5000T", -7e9: "-7B", math.MaxInt64: "9223372T",
	} {
		assert.Equal(t, want, FormatCount(n), n)
	}
}

// A formatted number can be parsed. The result is equal within the precision of the format.
func TestFormattedNumbersParse(t *testing.T) {
	t.Parallel()
	for n := int64(1); n > 0 && n < math.MaxInt64/3; n = n*3 + 1 {
		size, err := ParseSize(FormatSize(n))
		require.NoError(t, err)
		assert.InEpsilon(t, n, size, 0.05, n)
		count, err := ParseCount(FormatCount(n))
		require.NoError(t, err)
		assert.InEpsilon(t, n, count, 0.006, n)
	}
}
