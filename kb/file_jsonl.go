package kb

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
)

func readJSONL(data []byte, out *sheet) error {
	text, err := decode(data)
	if err != nil {
		return err
	}
	if err := checkLines(text); err != nil {
		return err
	}
	unknown := map[string]bool{}
	n := 0
	for line := range bytes.Lines(text) {
		n++
		if len(bytes.TrimSpace(line)) == 0 || onlyFault(line) {
			continue
		}
		if len(out.rows) >= maxRows {
			return fmt.Errorf("超过 %d 行，请拆开再导入", maxRows)
		}
		e, faults := readAnyObject(n, line, unknown, out)
		out.add(n, e, faults)
	}
	for _, key := range slices.Sorted(maps.Keys(unknown)) {
		out.warn("不认识的字段「%s」，未读", clipped(key))
	}
	return nil
}

// onlyFault is a line that WriteFaults put before one that is no object.
func onlyFault(line []byte) bool {
	var object map[string]json.RawMessage
	return json.Unmarshal(line, &object) == nil && len(object) == 1 && object[faultColumn] != nil
}

func readObject(line []byte, unknown map[string]bool) (e Entry, faults Faults) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(line, &object); err != nil || object == nil {
		return e, Faults{{"question", "这一行不是一个 JSON 对象"}, {"answer", "没有读到"}}
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		n, ok := columnByName(key)
		if !ok {
			if !isFaultColumn(key) {
				unknown[key] = true
			}
			continue
		}
		c := &columns[n]
		values, err := readValue(object[key])
		if err == nil {
			err = c.set(&e, values)
		}
		if err != nil {
			faults = append(faults, Fault{c.key, err.Error()})
		}
	}
	return e, faults
}

// readValue reads a text, a number, a list of texts or null.
func readValue(raw json.RawMessage) ([]string, error) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return one(text), nil
	}
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return list, nil
	}
	var number json.Number
	if json.Unmarshal(raw, &number) == nil {
		return []string{number.String()}, nil
	}
	return nil, fmt.Errorf("应是文本或文本的列表")
}

func writeJSONL(w io.Writer, entries []Entry) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for i := range entries {
		if err := enc.Encode(&entries[i]); err != nil {
			return err
		}
	}
	return nil
}
