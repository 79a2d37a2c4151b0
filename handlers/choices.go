package handlers

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// A question may carry its answers: 收不到短信时有没有提示语？ 1 提示发送成功 2 提示次数超限 3 没有提示.
const (
	mostChoices = 6  // buttons of a card
	choiceRunes = 30 // words of one answer
)

// choiceMark stands before an answer: a number of its own, with or without a point.
var choiceMark = regexp.MustCompile(`(?:^|[\s　?？:：,，;；])([1-6])(?:[.、．)）:：]|[\s　]+)`)

// asksUp ends a question, or at least a line.
var asksUp = regexp.MustCompile(`[?？:：\n][\s　]*$`)

// splitChoices parts a question from its answers, which are numbered from 1;
// without at least two of them everything is the question.
func splitChoices(text string) (question string, answers []string) {
	marks := choiceMark.FindAllStringSubmatchIndex(text, -1)
	first := -1
	for i := len(marks) - 1; i >= 0; i-- {
		if text[marks[i][2]:marks[i][3]] == "1" {
			first = i
			break
		}
	}
	if first < 0 {
		return text, nil
	}
	for i, m := range marks[first:] {
		end := len(text)
		if next := first + i + 1; next < len(marks) {
			end = marks[next][2]
		}
		answer := strings.Trim(text[m[1]:end], " 　,，;；\n")
		if text[m[2]:m[3]] != fmt.Sprint(i+1) || answer == "" || utf8.RuneCountInString(answer) > choiceRunes {
			return text, nil
		}
		answers = append(answers, answer)
	}
	question = strings.TrimSpace(text[:marks[first][2]])
	pointed := !strings.ContainsAny(text[marks[first][3]:marks[first][1]], " 　") // 1、 and no count: 重启 1 次
	if len(answers) < 2 || question == "" || !pointed && !asksUp.MatchString(text[:marks[first][2]]) {
		return text, nil
	}
	return question, answers
}
