package textname

// This file finds the parts that contain numbers: leading version, size, version and date. Each function returns the
// leftmost match, and of several matches with the same start the longest. The time is linear in the length of the text.

// findLeadingVersion returns the dotted number at the start of the text, "4.2" or "4.2.0", if "-" or "_" follows.
func findLeadingVersion(text []byte) span {
	end := skipDigits(text, 0)
	if end == 0 {
		return span{}
	}
	for dots := 0; ; dots++ {
		next := afterDot(text, end)
		if dots == 2 || next == end {
			if dots > 0 && end < len(text) && (text[end] == '-' || text[end] == '_') {
				return span{0, end}
			}
			return span{}
		}
		end = next
	}
}

// afterDot returns the end of the dot and digits at an offset of the text. If there are none, it returns the offset.
func afterDot(text []byte, at int) int {
	if at < len(text) && text[at] == '.' {
		if end := skipDigits(text, at+1); end > at+1 {
			return end
		}
	}
	return at
}

// findSize returns the first plain size: "7B", "1.5B" or "7B1". If there is none, it returns the first size of a
// mixture of experts: "8x7B". A size may start inside a number but not directly after a letter. Therefore "8x22B" has
// the size "2B".
func findSize(text []byte) span {
	experts := span{}
	for at := nextDigit(text, 0); at < len(text); {
		end := skipDigits(text, at)
		start := at
		if isLetter(foldBefore(text, at)) {
			start += digitAt(text, at)
		}
		if start < end {
			if stop := plainSize(text, end); stop > end {
				return span{start, stop}
			}
			if stop := expertSize(text, end); stop > end && !experts.found() {
				experts = span{start, stop}
			}
		}
		at = nextDigit(text, end)
	}
	return experts
}

// plainSize returns the end of the plain size whose first digits end at an offset of the text. If there is no such
// size, it returns the offset.
func plainSize(text []byte, at int) int {
	unit := at
	if unit < len(text) && text[unit] == '.' {
		unit = skipDigits(text, unit+1)
	}
	width := unitAt(text, unit)
	if width == 0 {
		return at
	}
	// The digits after the unit belong to the size, up to the last digit that no letter follows.
	stop := at
	for end := unit + width; ; {
		if next, _ := foldAt(text, end); !isLetter(next) {
			stop = end
		}
		width := digitAt(text, end)
		if width == 0 {
			return stop
		}
		end += width
	}
}

// expertSize is like plainSize for the text after the number of experts: "x7B".
func expertSize(text []byte, at int) int {
	if next, _ := foldAt(text, at); next != 'x' {
		return at
	}
	unit := skipDigits(text, at+1)
	width := unitAt(text, unit)
	if unit == at+1 || width == 0 {
		return at
	}
	if next, _ := foldAt(text, unit+width); isLetter(next) {
		return at
	}
	return unit + width
}

// unitAt returns the width of the unit of a size at an offset of the text, or 0 if there is no unit.
func unitAt(text []byte, at int) int {
	if next, width := foldAt(text, at); next == 'b' || next == 'm' || next == 'k' {
		return width
	}
	return 0
}

// findVersion returns the first dotted version, "v1.2". If there is none, it returns the first plain version, "v2".
func findVersion(text []byte) span {
	plain := span{}
	for at, c := range text {
		if c|0x20 != 'v' || isAlnum(foldBefore(text, at)) {
			continue
		}
		digits := skipDigits(text, at+1)
		if digits == at+1 {
			continue
		}
		if end := dottedEnd(text, digits); end > digits {
			return span{at, end}
		}
		if !plain.found() {
			plain = span{at, max(at, plainEnd(text, at+1))}
		}
	}
	return plain
}

// dottedEnd returns the end of the dotted numbers at an offset of the text. They end at the last digit that no letter
// or digit follows. If there is no such digit, dottedEnd returns the offset.
func dottedEnd(text []byte, at int) int {
	end := at
	for {
		next := afterDot(text, at)
		if next == at {
			return end
		}
		if last := lastDigit(text, at+1, isAlnum); last > at {
			end = last
		}
		at = next
	}
}

// plainEnd returns the end of the version whose digits start at an offset of the text, or 0 if there is no version. A
// plain version must not be followed by a dot.
func plainEnd(text []byte, at int) int {
	return lastDigit(text, at, func(next rune) bool { return next == '.' || isAlnum(next) })
}

// lastDigit returns the end of the last digit, in the run of digits at an offset of the text, that no barred character
// follows. If there is none, it returns 0. Only ASCII digits can be barred, so the end may be inside a run of digits of
// several scripts.
func lastDigit(text []byte, at int, barred func(rune) bool) int {
	last := 0
	for {
		width := digitAt(text, at)
		if width == 0 {
			return last
		}
		at += width
		if next, _ := foldAt(text, at); !barred(next) {
			last = at
		}
	}
}

// findDate returns the first month and year, "08-2024". If there is none, it returns the first year and month,
// "2024-08". If there is none either, it returns the first separate number of four digits.
func findDate(text []byte) span {
	var yearFirst, code span
	for at := nextDigit(text, 0); at < len(text); at = nextDigit(text, at+digitAt(text, at)) {
		if asciiAlnum(text, at-1) {
			continue
		}
		if end := dateEnd(text, at, 2, 4); end > 0 {
			return span{at, end}
		}
		if end := dateEnd(text, at, 4, 2); end > 0 && !yearFirst.found() {
			yearFirst = span{at, end}
		}
		if end := dateEnd(text, at, 4, 0); end > 0 && !code.found() {
			code = span{at, end}
		}
	}
	if yearFirst.found() {
		return yearFirst
	}
	return code
}

// dateEnd returns the end of the given number of digits at an offset of the text. If more is not 0, a hyphen and more
// digits must follow. If the digits are missing, or if a letter or digit follows them, dateEnd returns 0.
func dateEnd(text []byte, at, digits, more int) int {
	at = countedDigits(text, at, digits)
	if at > 0 && more > 0 {
		if at >= len(text) || text[at] != '-' {
			return 0
		}
		at = countedDigits(text, at+1, more)
	}
	if at == 0 || asciiAlnum(text, at) {
		return 0
	}
	return at
}

// countedDigits returns the end of n digits at an offset of the text, or 0 if there are fewer digits.
func countedDigits(text []byte, at, n int) int {
	for ; n > 0; n-- {
		width := digitAt(text, at)
		if width == 0 {
			return 0
		}
		at += width
	}
	return at
}

// asciiAlnum reports whether the byte at an offset of the text is an ASCII letter or digit. The expression for dates is
// the only case-sensitive one, so characters that fold to ASCII letters are not letters here.
func asciiAlnum(text []byte, at int) bool {
	return at >= 0 && at < len(text) && isAlnumByte(text[at])
}
