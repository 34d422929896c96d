// A mistyped name is answered with the one that was meant.

package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNearCategories(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{
		"image": {"image_generation"}, "clp": {"clip"}, "clipp": {"clip"}, "stable_diffusion": {"image_generation"},
		"TextualInversion": {"ti"}, "text": {"text_generation"}, "ImageGeneration": {"image_generation"}, "LoRA": {"lora"},
		"control": {"controlnet", "controlnet_annotator"}, "frobnicate": nil, "": nil, "x": nil,
	} {
		assert.Equal(t, want, nearCategories(name), name)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"Deliberate", "Plain Diffusion", "日本語のモデル"}
	for name, want := range map[string][]string{
		"Delibrate": {"Deliberate"}, "plain-difusion": {"Plain Diffusion"}, "日本のモデル": {"日本語のモデル"}, "Delphi": nil,
	} {
		assert.Equal(t, want, nearest(name, names), name)
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for pair, want := range map[[2]string]int{
		{"", ""}: 0, {"abc", ""}: 3, {"", "abc"}: 3, {"kitten", "sitting"}: 3, {"ab", "ba"}: 2, {"é", "e"}: 1,
	} {
		assert.Equal(t, want, distance(pair[0], pair[1]), pair)
	}
}
