package kb

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// readJSON reads a list of objects, alone or as the "data" of an answer of some
// product's interface: our own keys, WeKnora's, Dify's segments and annotations.
func readJSON(data []byte, out *sheet) error {
	objects, err := jsonObjects(data)
	if err != nil {
		return err
	}
	if len(objects) > maxRows {
		return fmt.Errorf("超过 %d 行，请拆开再导入", maxRows)
	}
	unknown := map[string]bool{}
	for i, raw := range objects {
		e, faults := readAnyObject(i+1, raw, unknown, out)
		out.add(i+1, e, faults)
	}
	for _, key := range slices.Sorted(maps.Keys(unknown)) {
		out.warn("不认识的字段「%s」，未读", clipped(key))
	}
	return nil
}

func jsonObjects(data []byte) ([]json.RawMessage, error) {
	text, err := decode(data)
	if err != nil {
		return nil, err
	}
	var list []json.RawMessage
	if json.Unmarshal(text, &list) == nil {
		return list, nil
	}
	var answer struct{ Data, Entries []json.RawMessage }
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, errors.New("这不是 JSON 的列表，或已损坏")
	}
	if list = append(answer.Data, answer.Entries...); len(list) == 0 {
		return nil, errors.New("这里面没有知识的列表")
	}
	return list, nil
}

// readAnyObject reads an object with our own keys, or one that another product
// wrote.
func readAnyObject(line int, raw []byte, unknown map[string]bool, out *sheet) (Entry, Faults) {
	var keys map[string]json.RawMessage
	if json.Unmarshal(raw, &keys) != nil || keys == nil {
		return readObject(raw, unknown)
	}
	for _, o := range foreignObjects {
		if slices.ContainsFunc(o.keys, func(k string) bool { return keys[k] == nil }) {
			continue
		}
		e, warns, err := o.read(raw)
		if err != nil {
			return e, Faults{{"question", "读不出来：" + o.name + " 的字段类型不对"}}
		}
		out.from(o.name)
		for _, w := range warns {
			out.warn("第 %d 行%s", line, w)
		}
		return e, nil
	}
	return readObject(raw, unknown)
}

// foreignObjects are objects of other products, told by the keys they have.
var foreignObjects = []struct {
	name string
	keys []string
	read func(raw []byte) (Entry, []string, error)
}{
	{"WeKnora", []string{"standard_question"}, weknoraObject},
	{"Dify", []string{"messages"}, difyMessages},
	{"Dify", []string{"content", "answer"}, difySegment},
	{"Dify", []string{"question", "answer", "hit_count"}, difyAnnotation},
}

func weknoraObject(raw []byte) (e Entry, warns []string, err error) {
	var x struct {
		StandardQuestion  string   `json:"standard_question"`
		SimilarQuestions  []string `json:"similar_questions"`
		NegativeQuestions []string `json:"negative_questions"`
		Answers           []string `json:"answers"`
		AnswerStrategy    string   `json:"answer_strategy"`
		TagName           string   `json:"tag_name"`
		IsEnabled         *bool    `json:"is_enabled"`
	}
	if err := json.Unmarshal(raw, &x); err != nil {
		return e, nil, err
	}
	e = Entry{Category: x.TagName, Question: x.StandardQuestion, Similar: x.SimilarQuestions, Negative: x.NegativeQuestions}
	e.Answer, warns = oneAnswer(x.Answers, x.AnswerStrategy == "all")
	if x.IsEnabled != nil && !*x.IsEnabled {
		e.State = Retired
	}
	return e, warns, nil
}

// difyMessages is an annotation as Dify writes it for training a model.
func difyMessages(raw []byte) (e Entry, _ []string, err error) {
	var x struct {
		Messages []struct{ Role, Content string }
	}
	if err := json.Unmarshal(raw, &x); err != nil {
		return e, nil, err
	}
	for _, m := range x.Messages {
		switch {
		case m.Role == "user" && e.Question == "":
			e.Question = m.Content
		case m.Role == "assistant" && e.Answer == "":
			e.Answer = m.Content
		}
	}
	return e, nil, nil
}

// difySegment is a segment of a knowledge base of questions and answers.
func difySegment(raw []byte) (e Entry, _ []string, err error) {
	var x struct {
		Content, Answer string
		Enabled         *bool
	}
	if err := json.Unmarshal(raw, &x); err != nil {
		return e, nil, err
	}
	e = Entry{Question: x.Content, Answer: x.Answer}
	if x.Enabled != nil && !*x.Enabled {
		e.State = Retired
	}
	return e, nil, nil
}

func difyAnnotation(raw []byte) (e Entry, _ []string, err error) {
	var x struct{ Question, Answer string }
	err = json.Unmarshal(raw, &x)
	return Entry{Question: x.Question, Answer: x.Answer}, nil, err
}

// faultsJSON writes the list again; only the objects are kept of what stood
// around it.
func faultsJSON(data []byte, faults map[int]string, w io.Writer) error {
	objects, err := jsonObjects(data)
	if err != nil {
		return err
	}
	for i := range objects {
		if faults[i+1] != "" {
			objects[i] = bytes.TrimSpace(markedObject(objects[i], faults[i+1]))
		}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(objects)
}

// markedObject is markObject for an element of a list; one that is no object
// stays as it was.
func markedObject(raw []byte, fault string) []byte {
	if !strings.HasPrefix(strings.TrimSpace(string(raw)), "{") {
		return raw
	}
	return markObject(raw, fault)
}
