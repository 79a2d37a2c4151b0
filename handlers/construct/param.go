package construct

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// coerce gives a value that somebody typed the parameter's type, or says in one
// sentence what is wrong with it.
func (p *Param) coerce(v any) (any, error) {
	if p.Type == "list" {
		return p.list(v)
	}
	text := strings.TrimSpace(textOf(v))
	no := func(why string) (any, error) { return nil, fmt.Errorf("%s：%s", p.Label, why) }
	if holdsAddress(text) {
		return no("不能写地址")
	}
	if p.MaxLength > 0 && utf8.RuneCountInString(text) > p.MaxLength {
		return no(fmt.Sprintf("最多 %d 个字", p.MaxLength))
	}
	if len(text) > 2000 {
		return no("太长")
	}
	if p.form != nil && !p.form.MatchString(text) {
		return no("格式不对")
	}
	switch p.Type {
	case "integer", "ticket":
		n, err := strconv.Atoi(strings.TrimLeft(text, "Tt#"))
		if err != nil {
			return no("应是整数")
		}
		if p.Min != "" && n < atoi(p.Min) || p.Max != "" && n > atoi(p.Max) {
			return no(fmt.Sprintf("应在 %s 到 %s 之间", p.Min, p.Max))
		}
		return n, nil
	case "decimal":
		d, err := ParseDecimal(text)
		if err != nil {
			return no(err.Error())
		}
		for _, b := range []struct {
			limit string
			sign  int
		}{{p.Min, -1}, {p.Max, 1}} {
			if l, err := ParseDecimal(b.limit); err == nil && d.r.Cmp(l.r) == b.sign {
				return no(fmt.Sprintf("应在 %s 到 %s 之间", p.Min, p.Max))
			}
		}
		return d.String(), nil
	case "bool":
		switch strings.ToLower(text) {
		case "true", "是", "开", "开通", "1", "on", "yes":
			return true, nil
		case "false", "否", "不", "0", "", "off", "no":
			return false, nil
		}
		return no("应是 是 或 否")
	case "enum":
		if text != "" && !slices.Contains(p.Enum, text) {
			return no("只能是 " + strings.Join(p.Enum, "、"))
		}
	case "date":
		if _, err := time.Parse("2006-01-02", text); err != nil {
			return no("日期写成 2026-01-31")
		}
	default:
		if text != "" {
			if err := checkShape(p.Type, text); err != nil {
				return no(err.Error())
			}
		}
	}
	return text, nil
}

// list reads a list of items with fields; people type 600000×1000@10.00, with
// commas between.
func (p *Param) list(v any) (any, error) {
	var rows []any
	switch x := v.(type) {
	case []any:
		rows = x
	case string:
		for _, s := range strings.FieldsFunc(x, func(c rune) bool { return strings.ContainsRune(",，;；、", c) }) {
			code, rest, ok := strings.Cut(strings.NewReplacer("×", "x", "*", "x").Replace(strings.TrimSpace(s)), "x")
			qty, cost, _ := strings.Cut(rest, "@")
			if !ok {
				return nil, fmt.Errorf("%s：写成 600000x1000@10.00", p.Label)
			}
			row := map[string]any{"code": code, "qty": qty}
			if cost != "" {
				row["cost"] = cost
			} else {
				row["cost"] = "10.00"
			}
			rows = append(rows, row)
		}
	case nil:
	default:
		return nil, fmt.Errorf("%s：应是列表", p.Label)
	}
	if p.MaxItems > 0 && len(rows) > p.MaxItems {
		return nil, fmt.Errorf("%s：最多 %d 项", p.Label, p.MaxItems)
	}
	out := make([]any, 0, len(rows))
	for _, row := range rows {
		fields, ok := row.(map[string]any)
		if o, ordered := row.(Ordered); ordered {
			fields, ok = map[string]any{}, true
			for _, kv := range o {
				fields[kv.Key] = kv.Val
			}
		}
		if !ok {
			return nil, fmt.Errorf("%s：每一项要有 %d 个值", p.Label, len(p.Item))
		}
		item := map[string]any{}
		for name, typ := range p.Item {
			one := Param{Label: p.Label + "." + name, Type: typ}
			x, err := one.coerce(fields[name])
			if err != nil {
				return nil, err
			}
			item[name] = x
		}
		out = append(out, item)
	}
	return out, nil
}
