package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Item is one option with its value as people may see it.
type Item struct {
	Path     string
	Variable string
	Value    string // a secret shows only whether it is set
	Default  bool
}

// List returns every option in the order of the file, secrets hidden.
func (c *Config) List() []Item {
	defaults := map[string]string{}
	walk(reflect.ValueOf(Default()).Elem(), "", func(path string, v reflect.Value, _ reflect.StructTag) { defaults[path] = shown(v) })
	var out []Item
	walk(reflect.ValueOf(c).Elem(), "", func(path string, v reflect.Value, _ reflect.StructTag) {
		out = append(out, Item{path, Variable(path), shown(v), shown(v) == defaults[path]})
	})
	return out
}

func shown(v reflect.Value) string {
	if s, ok := v.Interface().(Secret); ok {
		if s == "" {
			return ""
		}
		return "已设置"
	}
	if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct {
		var names []string
		for i := range v.Len() {
			if n := v.Index(i).FieldByName("Name"); n.IsValid() {
				names = append(names, n.String())
			} else {
				names = append(names, fmt.Sprint(i+1))
			}
		}
		return strings.Join(names, ", ")
	}
	if list, ok := v.Interface().([]string); ok {
		return strings.Join(list, ", ")
	}
	return fmt.Sprint(v.Interface())
}
