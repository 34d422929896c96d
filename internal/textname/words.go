package textname

// This file finds the parts that are whole words: quantization and variant. A word is the longest run of letters,
// digits and underscores. An underscore joins its neighbors, so "x_Q4" has no quantization.

import "unicode/utf8"

// The lengths of the shortest and the longest words with a meaning: "FT" or "Q4", and "uncensored".
const (
	minWord = 2
	maxWord = 10
)

// none is the kind of a word without a meaning. Kinds are numbered from 1. A lower kind takes precedence.
const none = 100

// findWords returns the quantization and the variant. For each, it returns the first word of the lowest kind in the
// text.
func findWords(text []byte) (quant, variant span) {
	var folded [maxWord]byte
	quantKind, variantKind := none, none
	for at := 0; at < len(text); {
		s := span{at, skipWord(text, at)}
		if !s.found() {
			at += widthAt(text, at)
			continue
		}
		at = s.end
		n := foldWord(&folded, text[s.start:s.end])
		if n < minWord {
			continue
		}
		if kind := quantOf(folded[:n]); kind < quantKind {
			quant, quantKind = s, kind
		}
		if kind := variantOf(folded[:n]); kind < variantKind {
			variant, variantKind = s, kind
		}
	}
	return quant, variant
}

// foldWord writes the folded word and returns its length, or 0 if the word cannot have a meaning.
func foldWord(folded *[maxWord]byte, word []byte) int {
	if len(word) > maxWord*utf8.UTFMax {
		return 0
	}
	n := 0
	for at := 0; at < len(word); n++ {
		if n == maxWord {
			return 0
		}
		if c := word[at]; c < utf8.RuneSelf {
			folded[n] = lowerByte(c)
			at++
			continue
		}
		r, width := foldAt(word, at)
		if r >= utf8.RuneSelf {
			return 0
		}
		folded[n] = byte(r) //nolint:gosec // below RuneSelf
		at += width
	}
	return n
}

// variantOf returns the kind of a variant: 1 for tuning, 2 for reasoning, 3 for the state of a release.
func variantOf(word []byte) int {
	switch string(word) {
	case "instruct", "chat", "code", "base", "uncensored", "finetune", "ft":
		return 1
	case "thinking", "reasoning":
		return 2
	case "turbo", "preview", "latest":
		return 3
	}
	return none
}

// quantOf returns the kind of a quantization. The order is: K-quants, older quants, a bare number of bits, file
// formats, number formats.
func quantOf(word []byte) int {
	switch string(word) {
	case "gguf", "ggml", "gptq", "awq", "exl2":
		return 4
	case "fp16", "fp32", "int8", "int4":
		return 5
	}
	if word[0] != 'q' || word[1] < '2' || word[1] > '8' {
		return none
	}
	switch string(word[2:]) {
	case "_k", "_k_s", "_k_m", "_k_l", "_k_h":
		return 1
	case "_0", "_1":
		return 2
	case "":
		return 3
	}
	return none
}
