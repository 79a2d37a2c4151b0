package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

// Prefix begins every variable.
const Prefix = "FRONTLINE_"

// notConfig are variables with the prefix that are no configuration.
var notConfig = map[string]bool{"FRONTLINE_TEST_MYSQL_URL": true, "FRONTLINE_TEST_REDIS_URL": true, "FRONTLINE_TEST_REQUIRE": true}

// Faults are all faults of a configuration at once, one a line.
type Faults []string

func (f Faults) Error() string { return strings.Join(f, "\n") }

func (f *Faults) add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

// Default is the configuration when nothing is set.
func Default() *Config {
	c := &Config{}
	var f Faults
	walk(reflect.ValueOf(c).Elem(), "", func(path string, v reflect.Value, tag reflect.StructTag) {
		if d := tag.Get("default"); d != "" {
			setText(v, d, path, &f)
		}
	})
	if len(f) > 0 {
		panic(f) // a default in the source that does not fit its type
	}
	return c
}

// Load reads file (none when empty), then the environment, and validates.
// The error is Faults with everything that is wrong.
func Load(file string, env []string) (*Config, error) {
	c := Default()
	var f Faults
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, Faults{fmt.Sprintf("%s: cannot be read: %v", file, errors.Unwrap(err))}
		}
		readYAML(c, file, text, &f)
	}
	readEnv(c, env, &f)
	if len(f) == 0 {
		c.check(&f)
	}
	if len(f) > 0 {
		return nil, f
	}
	return c, nil
}

// walk visits every option, with its path.
func walk(v reflect.Value, path string, fn func(path string, v reflect.Value, tag reflect.StructTag)) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		p := path + field.Tag.Get("yaml")
		if f := v.Field(i); f.Kind() == reflect.Struct {
			walk(f, p+".", fn)
		} else {
			fn(p, f, field.Tag)
		}
	}
}

// Variable is the environment variable of an option's path.
func Variable(path string) string {
	return Prefix + strings.ToUpper(strings.NewReplacer(".", "_").Replace(path))
}

func setText(v reflect.Value, text, name string, f *Faults) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		if err != nil {
			f.add("%s: must be a whole number", name)
			return
		}
		v.SetInt(n)
	case reflect.Bool:
		b, err := strconv.ParseBool(strings.TrimSpace(text))
		if err != nil {
			f.add("%s: must be true or false", name)
			return
		}
		v.SetBool(b)
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.String {
			f.add("%s: can only be set in the file", name)
			return
		}
		var list []string
		for _, s := range strings.Split(strings.Trim(text, "[] "), ",") {
			if s = strings.TrimSpace(s); s != "" {
				list = append(list, s)
			}
		}
		v.Set(reflect.ValueOf(list))
	}
}

func readEnv(c *Config, env []string, f *Faults) {
	vars := map[string]string{}
	for _, kv := range env {
		if k, v, _ := strings.Cut(kv, "="); strings.HasPrefix(k, Prefix) && !notConfig[k] {
			vars[k] = v
		}
	}
	walk(reflect.ValueOf(c).Elem(), "", func(path string, v reflect.Value, _ reflect.StructTag) {
		name := Variable(path)
		if text, ok := vars[name]; ok {
			setText(v, text, name, f)
		}
		if file, ok := vars[name+"_FILE"]; ok && file != "" {
			readSecretFile(v, name+"_FILE", file, f)
		}
		delete(vars, name)
		delete(vars, name+"_FILE")
	})
	for name := range vars {
		f.add("%s: unknown variable%s", name, hint(name, c))
	}
	sortFaults(*f)
}

func readSecretFile(v reflect.Value, name, file string, f *Faults) {
	text, err := os.ReadFile(file)
	if err != nil {
		f.add("%s: the file it names cannot be read: %v", name, errors.Unwrap(err))
		return
	}
	setText(v, strings.TrimRight(string(text), "\r\n"), name, f)
}

func sortFaults(f Faults) {
	for i := 1; i < len(f); i++ {
		for j := i; j > 0 && strings.HasPrefix(f[j], Prefix) && strings.HasPrefix(f[j-1], Prefix) && f[j] < f[j-1]; j-- {
			f[j], f[j-1] = f[j-1], f[j]
		}
	}
}

// hint names the option that was probably meant.
func hint(name string, c *Config) string {
	best, dist := "", 4
	walk(reflect.ValueOf(c).Elem(), "", func(path string, _ reflect.Value, _ reflect.StructTag) {
		if d := distance(name, Variable(path)); d < dist {
			best, dist = Variable(path), d
		}
	})
	if best == "" {
		return ""
	}
	return " (did you mean " + best + "?)"
}

// distance is the Levenshtein distance.
func distance(a, b string) int {
	prev := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := range len(a) {
		diag := prev[0]
		prev[0] = i + 1
		for j := range len(b) {
			cost := diag
			if a[i] != b[j] {
				cost++
			}
			diag = prev[j+1]
			prev[j+1] = min(cost, prev[j]+1, diag+1)
		}
	}
	return prev[len(b)]
}

// yamlFault is the parser's complaint without the lines around it and without
// what it quotes: both may hold a secret.
func yamlFault(err error) string {
	first := strings.SplitN(yaml.FormatError(err, false, false), "\n", 2)[0]
	return strings.TrimSpace(quoted.ReplaceAllString(first, "…"))
}

var quoted = regexp.MustCompile("\"[^\"]*\"|'[^']*'|`[^`]*`")
