package spec

import (
	"errors"
	"regexp"
	"strings"

	"github.com/expr-lang/expr/file"
)

var (
	unknownName  = regexp.MustCompile(`unknown name (\S+)`)
	unknownField = regexp.MustCompile(`(?:has no|unknown) field (\S+)`)
)

// ExprColumn is where in an expression an error of expr is.
func ExprColumn(err error) int {
	var f *file.Error
	if errors.As(err, &f) {
		return f.Column
	}
	return 0
}

// ExprWords says an error of expr in one line.
func ExprWords(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	if m := unknownName.FindStringSubmatch(text); m != nil {
		return "不认识「" + m[1] + "」"
	}
	if m := unknownField.FindStringSubmatch(text); m != nil {
		return "没有「" + m[1] + "」这个值"
	}
	return text
}
