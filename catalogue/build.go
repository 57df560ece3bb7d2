package catalogue

import "strings"

// CompareBuild orders two builds of an operating system (R19) and returns -1, 0 or +1.
// Builds are runs of digits and of letters; digits compare as numbers, letters as
// letters, everything else only separates. The phone reports Android's version and its
// security patch level, "13/2023-05-05"; makers' build numbers of one branch
// ("TQ2A.230505.002") order properly too.
func CompareBuild(a, b string) int {
	for {
		var x, y string
		x, a = run(a)
		y, b = run(b)
		if x == "" || y == "" {
			return sign(len(x) - len(y))
		}
		if c := compareRun(x, y); c != 0 {
			return c
		}
	}
}

// run cuts the first run of digits or of letters, upper-cased, and returns what follows.
func run(s string) (first, rest string) {
	s = strings.TrimLeftFunc(s, func(r rune) bool { return class(r) == 0 })
	if s == "" {
		return "", ""
	}
	n := strings.IndexFunc(s, func(r rune) bool { return class(r) != class(rune(s[0])) })
	if n < 0 {
		n = len(s)
	}
	return strings.ToUpper(s[:n]), s[n:]
}

func class(r rune) int {
	switch {
	case '0' <= r && r <= '9':
		return 1
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z':
		return 2
	}
	return 0
}

func compareRun(x, y string) int {
	cx, cy := class(rune(x[0])), class(rune(y[0]))
	if cx != cy {
		return sign(cx - cy)
	}
	if cx == 1 {
		x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
		if len(x) != len(y) {
			return sign(len(x) - len(y))
		}
	}
	return strings.Compare(x, y)
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}
