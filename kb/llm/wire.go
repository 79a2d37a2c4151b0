package llm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"frontline/kb"
)

// StatusError is an answer of the endpoint that is none. Its text is left out:
// endpoints quote keys and prompts in it.
type StatusError struct{ Status int }

func (e *StatusError) Error() string { return fmt.Sprintf("the endpoint answered %d", e.Status) }

// answerError is an answer that cannot be used.
type answerError string

func (e answerError) Error() string { return "unusable answer: " + string(e) }

func errAnswer(why string) error { return answerError(why) }

var errNetwork = errors.New("the endpoint could not be reached or broke off")

// plain replaces an error by one that holds neither key nor address nor text.
func plain(ctx context.Context, err error) error {
	var api *openai.APIError
	var req *openai.RequestError
	var answer answerError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &answer):
		return answer
	case errors.As(err, &api):
		return &StatusError{api.HTTPStatusCode}
	case errors.As(err, &req):
		return &StatusError{req.HTTPStatusCode}
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	}
	return errNetwork
}

// outcome is the error as a label for counting.
func outcome(err error) string {
	var status *StatusError
	var answer answerError
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, kb.ErrBudget):
		return "budget"
	case errors.Is(err, ErrBreaker):
		return "breaker"
	case errors.Is(err, context.DeadlineExceeded):
		return "deadline"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.As(err, &status):
		return fmt.Sprintf("status_%d", status.Status)
	case errors.As(err, &answer):
		return "answer"
	}
	return "network"
}

// bounded is a transport that reads no more than most bytes of an answer, and
// tells when the endpoint asks for a pause.
type bounded struct {
	next http.RoundTripper
	most int64
	rest func(d time.Duration)
}

func (b *bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.next.RoundTrip(r)
	if err == nil {
		res.Body = limitedBody{io.LimitReader(res.Body, b.most), res.Body}
		if res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusServiceUnavailable {
			if d := retryAfter(res.Header); d > 0 {
				b.rest(d)
			}
		}
	}
	return res, err
}

// retryAfter reads the header (RFC 9110, 10.2.3): seconds, or a date beside the
// endpoint's own; 0 for none.
func retryAfter(h http.Header) time.Duration {
	v := h.Get("Retry-After")
	if n, err := strconv.Atoi(v); err == nil {
		return time.Duration(min(n, int(longestAsk/time.Second))) * time.Second
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return at.Sub(now)
}

type limitedBody struct {
	io.Reader
	io.Closer
}

// maxData bounds a text given to the model, in characters.
const maxData = 4000

// fence marks a person's text as data. Marks inside it are made harmless, so
// that it cannot end the fence.
func fence(text string) string {
	if r := []rune(text); len(r) > maxData {
		text = string(r[:maxData])
	}
	return "<data>\n" + strings.NewReplacer("<", "＜", ">", "＞").Replace(text) + "\n</data>"
}
