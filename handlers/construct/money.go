package construct

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"
)

// Decimal is an exact amount. Money is never a float.
type Decimal struct {
	r     *big.Rat
	scale int
}

var decimalForm = regexp.MustCompile(`^[-+]?\d{1,30}(\.\d{1,12})?$`)

// ParseDecimal reads 1000000.00; 1,000,000 and 1e6 are refused.
func ParseDecimal(text string) (Decimal, error) {
	text = strings.TrimSpace(text)
	if !decimalForm.MatchString(text) {
		return Decimal{}, fmt.Errorf("「%s」不是金额，例：1000000.00", clip(text, 40))
	}
	r, _ := new(big.Rat).SetString(text)
	_, frac, _ := strings.Cut(text, ".")
	return Decimal{r, len(frac)}, nil
}

func (d Decimal) String() string {
	if d.r == nil {
		return "0"
	}
	return d.r.FloatString(d.scale)
}

// MarshalText writes all digits.
func (d Decimal) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func toDecimal(v any) (Decimal, error) {
	if d, ok := v.(Decimal); ok {
		return d, nil
	}
	if v == nil {
		return Decimal{}, fmt.Errorf("这里缺一个金额")
	}
	return ParseDecimal(fmt.Sprint(v))
}

func decimalOp(op string) func(args ...any) (any, error) {
	return func(args ...any) (any, error) {
		a, err := toDecimal(args[0])
		if err != nil {
			return nil, err
		}
		b, err := toDecimal(args[1])
		if err != nil {
			return nil, err
		}
		c, scale := a.r.Cmp(b.r), max(a.scale, b.scale)
		switch op {
		case "==":
			return c == 0, nil
		case "!=":
			return c != 0, nil
		case "<":
			return c < 0, nil
		case "<=":
			return c <= 0, nil
		case ">":
			return c > 0, nil
		case ">=":
			return c >= 0, nil
		case "+":
			return Decimal{new(big.Rat).Add(a.r, b.r), scale}, nil
		case "-":
			return Decimal{new(big.Rat).Sub(a.r, b.r), scale}, nil
		}
		return Decimal{new(big.Rat).Mul(a.r, b.r), min(12, a.scale+b.scale)}, nil
	}
}
