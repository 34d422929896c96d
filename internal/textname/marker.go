package textname

// This file recognizes the words at the end of a name that describe a file and not a model: quantization, file format
// and extension. It knows more words than [Parse], which must agree with the service.

// strength is the certainty that words describe a file.
type strength uint8

const (
	notMarker strength = iota
	weak               // only next to a strong marker: "UD" in "UD-Q4_K_XL"
	strong
)

// maxMarkerWords is the number of words of the longest marker, "Q4_0_8_8".
const maxMarkerWords = 4

// classify returns the certainty that the words are one marker. The words must be in lower case. separator is the
// character before the first word.
func classify(words []string, separator byte) strength {
	switch first := words[0]; len(words) {
	case 1:
		return classifyWord(first, separator)
	case 2:
		return classifyPair(first, words[1])
	case 3:
		switch {
		case isQ(first) && words[1] == "k" && isKSize(words[2]),
			isQ(first) && isDigits(words[1]) && words[2] == "l",
			isEXL(first) && isDigits(words[1]) && isDigits(words[2]):
			return strong
		case len(first) == 5 && isDigits(first) && words[1] == "of" && isDigits(words[2]): // a part of a split file
			return weak
		}
	case maxMarkerWords:
		if isQ(first) && words[1] == "0" && isDigits(words[2]) && isDigits(words[3]) {
			return strong
		}
	}
	return notMarker
}

func classifyWord(word string, separator byte) strength {
	switch word {
	case "gguf", "ggml", "gptq", "awq", "exl2", "exl3", "eetq", "hqq", "aqlm", "mlx", "bnb", "imat", "imatrix", "i1",
		"fp4", "fp8", "fp16", "fp32", "f16", "f32", "bf16", "int4", "int8", "nf4", "nvfp4", "mxfp4", "safetensors":
		return strong
	case "bin", "pt", "pth", "ckpt", "onnx": // "-pt" is a pretrained model, ".pt" is a file
		if separator == '.' {
			return strong
		}
	case "hf", "ud", "iq", "dynamic", "actorder", "autoround", "marlin", "quant", "quants", "quantized", "mlc", "unsloth",
		"e4m3", "e5m2", "latest", "true":
		return weak
	}
	switch {
	case isQ(word), isIQ(word), isGluedQ(word), isNumberWith(word, "bpw"), isNumberWith(word, "bit"), isWeightActivation(word):
		return strong
	case isNumberWith(word, "g"), len(word) == 2 && word[0] == 'h' && isDigits(word[1:]): // group size, bits of the head
		return weak
	}
	return notMarker
}

func classifyPair(first, second string) strength {
	switch {
	case isQ(first) && (second == "0" || second == "1" || second == "k" || len(second) == 2 && second[0] == 'k' && isKSize(second[1:])),
		isIQ(first) && isIQSize(second),
		(first == "tq1" || first == "tq2") && second == "0",
		(first == "q4f16" || first == "q4f32" || first == "q3f16") && (second == "0" || second == "1"),
		isDigits(first) && second == "bit",
		isDigits(first) && isNumberWith(second, "bpw"),
		isEXL(first) && isDigits(second):
		return strong
	case first == "act" && second == "order":
		return weak
	}
	return notMarker
}

// isQ reports whether a word is a number of bits: q1 to q8.
func isQ(word string) bool {
	return len(word) == 2 && word[0] == 'q' && '1' <= word[1] && word[1] <= '8'
}

// isIQ reports whether a word starts an importance-weighted quantization: iq1 to iq6.
func isIQ(word string) bool {
	return len(word) == 3 && word[:2] == "iq" && '1' <= word[2] && word[2] <= '6'
}

// isGluedQ reports whether a word is a quantization without separators: q4km, iq4xs, q4f16.
func isGluedQ(word string) bool {
	if len(word) < 3 {
		return false
	}
	if isQ(word[:2]) {
		rest := word[2:]
		return rest == "k" || rest == "f16" || rest == "f32" || len(rest) > 1 && rest[0] == 'k' && isKSize(rest[1:])
	}
	return len(word) > 3 && isIQ(word[:3]) && isIQSize(word[3:])
}

// isKSize reports whether a word is the size of a K-quantization.
func isKSize(word string) bool {
	switch word {
	case "xs", "s", "m", "l", "xl", "xxl", "h", "p":
		return true
	}
	return false
}

// isIQSize reports whether a word is the size of an importance-weighted quantization.
func isIQSize(word string) bool {
	switch word {
	case "xxs", "xs", "s", "m", "l", "xl", "nl", "k", "ks", "kt", "kss":
		return true
	}
	return false
}

func isEXL(word string) bool { return word == "exl2" || word == "exl3" }

// isWeightActivation reports whether a word gives the bits of weights and activations: w4a16, w8a8.
func isWeightActivation(word string) bool {
	if len(word) < 4 || word[0] != 'w' || !isDigitByte(word[1]) || word[2] != 'a' {
		return false
	}
	return isDigits(word[3:])
}

// isNumberWith reports whether a word is a whole number followed by a unit.
func isNumberWith(word, unit string) bool {
	n := len(word) - len(unit)
	return n > 0 && word[n:] == unit && isDigits(word[:n])
}

// isDigits reports whether a word consists of ASCII digits.
func isDigits(word string) bool {
	for i := range len(word) {
		if !isDigitByte(word[i]) {
			return false
		}
	}
	return word != ""
}
