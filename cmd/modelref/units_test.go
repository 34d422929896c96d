// Conditions take numbers as tables show them.

package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/haidra-org/modelref"
)

func TestUnits(t *testing.T) {
	t.Parallel()
	for condition, want := range map[string]string{
		"size_on_disk_bytes<=8GB":                "size_on_disk_bytes<=8000000000",
		" size_on_disk_bytes >= 2.13 gb ":        "size_on_disk_bytes>=2130000000",
		"size_on_disk_bytes!=1_000.5kB":          "size_on_disk_bytes!=1000500",
		"size_on_disk_bytes==1.5GiB":             "size_on_disk_bytes==1610612736",
		"size_on_disk_bytes<9.000000000000001PB": "",
		"size_on_disk_bytes>9007199254740.993kB": "size_on_disk_bytes>9007199254740993",
		"size_on_disk_bytes>-1TiB":               "size_on_disk_bytes>-1099511627776",
		"size_on_disk_bytes>8388608TiB":          "",
		"size_on_disk_bytes>8388607TiB":          "size_on_disk_bytes>9223370937343148032",
		"size_on_disk_bytes>1.0005kB":            "",
		"size_on_disk_bytes>999 B":               "size_on_disk_bytes>999",
		"size_on_disk_bytes>8G":                  "",
		"size_on_disk_bytes>1__0GB":              "",
		"size_on_disk_bytes<7e9":                 "size_on_disk_bytes<7e9",
		"parameters>=12B":                        "parameters>=12000000000",
		"parameters_count<350m":                  "parameters_count<350000000",
		"parameters<1.5K":                        "parameters<1500",
		"parameters<1GB":                         "",
		"name=8GB":                               "name=8GB",
		"name~=8GB":                              "name~=8GB",
		"nsfw":                                   "nsfw",
		"nothing<8GB":                            "nothing<8GB",
	} {
		got, err := withoutUnit[modelref.TextGenerationRecord](condition)
		if want == "" {
			assert.ErrorIs(t, err, modelref.ErrInvalidQuery, condition)
			assert.ErrorContains(t, err, "want an integer of 64 bits", condition)
			continue
		}
		assert.NoError(t, err, condition)
		assert.Equal(t, want, got)
	}
}

func TestConditionsWithUnits(t *testing.T) {
	t.Parallel()
	got := demo(t, "list", "image_generation", "-w", "size_on_disk_bytes<=2.2GB", "-q")
	assert.Equal(t, 0, got.code, got.err)
	assert.Equal(t, demo(t, "list", "image_generation", "-w", "size_on_disk_bytes<=2200000000", "-q"), got)
	assert.NotEmpty(t, got.out)
}
