package cli

import (
	"context"
	"encoding/json"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"frontline/kb"
)

// endpoint is a scripted OpenAI-compatible endpoint. Its embeddings know which
// words mean the same; its chat says what the test wants.
type endpoint struct {
	*httptest.Server
	mu    sync.Mutex
	chat  func(system, user string) string // "" fails
	down  bool
	asked []string
	same  map[string]string
}

func newEndpoint(t *testing.T) *endpoint {
	e := &endpoint{same: map[string]string{}}
	e.Server = httptest.NewServer(http.HandlerFunc(e.serve))
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) set(change func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change()
}

// sent is everything that the endpoint was sent since the last time.
func (e *endpoint) sent() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := strings.Join(e.asked, "\n")
	e.asked = nil
	return all
}

func (e *endpoint) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = append(e.asked, string(body))
	var req struct {
		Input    []string
		Messages []struct{ Content string }
	}
	if e.down || json.Unmarshal(body, &req) != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if strings.HasSuffix(r.URL.Path, "/embeddings") {
		data := []any{}
		for i, text := range req.Input {
			data = append(data, map[string]any{"index": i, "embedding": e.vector(text)})
		}
		json.NewEncoder(w).Encode(map[string]any{"data": data, "usage": map[string]int{"prompt_tokens": 7 * len(data)}})
		return
	}
	said := ""
	if e.chat != nil {
		said = e.chat(req.Messages[0].Content, req.Messages[1].Content)
	}
	if said == "" {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	json.NewEncoder(w).Encode(map[string]any{"choices": []any{map[string]any{"message": map[string]string{"content": said}}}, "usage": map[string]int{"prompt_tokens": 50, "completion_tokens": 20}})
}

func (e *endpoint) vector(text string) []float32 {
	const dim = 48
	out := make([]float32, dim)
	add := func(word string, weight float32) {
		h := fnv.New64a()
		h.Write([]byte(word))
		r := rand.New(rand.NewPCG(h.Sum64(), 1))
		for i := range out {
			out[i] += weight * float32(r.NormFloat64())
		}
	}
	add("text "+text, 0.3)
	for word, meaning := range e.same {
		if strings.Contains(text, word) {
			add(meaning, 1)
		}
	}
	return out
}

// startModelDemo is a demo with this endpoint for its model.
func startModelDemo(t *testing.T, e *endpoint, vars ...string) *running {
	return startTestDemoWith(t, demoOptions{dir: t.TempDir()}, append([]string{"FRONTLINE_LLM_BASE_URL=" + e.URL + "/v1", "FRONTLINE_LLM_API_KEY=sk-canary-0123456789", "FRONTLINE_LLM_MODEL=m"}, vars...)...)
}

// Vectors come by themselves after the start and after a change, and offer in
// chat what words do not know; without the endpoint words answer.
func TestVectorsInChat(t *testing.T) {
	e := newEndpoint(t)
	e.same = map[string]string{"银证转账": "bank", "三方存管": "custody", "收不到验证码": "code", "短信密令": "code", "逆回购": "repo"}
	r := startModelDemo(t, e, "FRONTLINE_LLM_EMBEDDING_MODEL=v", "FRONTLINE_LLM_EMBEDDING_WAIT=3s")
	complete := func() {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			if s := r.engine.vectors.State(); s.Want > 0 && s.Have == s.Want && s.Fitted > 0 {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("vectors do not come: %+v", r.engine.vectors.State())
			}
		}
	}
	complete()
	if sent := e.sent(); !strings.Contains(sent, "换号后收不到验证码") || strings.Contains(sent, "sk-canary") {
		t.Error("the questions were not sent")
	}
	found, err := r.engine.know.Search(context.Background(), kb.Query{Text: "短信密令不来", Vectors: true})
	if err != nil || len(found.Hits) == 0 || found.Band == kb.Answer {
		t.Fatalf("%+v %v", found, err)
	}
	if first := found.Hits[0]; found.Band == kb.Clarify && (first.Entry.Number > 2 || first.Explanation.Signals.Vector < 0.5) {
		t.Errorf("offered: %+v", first)
	}
	calls, err := r.engine.store.ModelUse(context.Background(), time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	if err != nil || len(calls) != 1 || calls[0].Purpose != "embed" || calls[0].Outcome != "ok" || calls[0].PromptTokens == 0 {
		t.Errorf("%+v %v", calls, err)
	}
	e.set(func() { e.down = true })
	if heard := r.as(t, "linxiaowen").say("国债逆回购到期资金何时可取"); !strings.Contains(heard, "逆回购") {
		t.Errorf("without the endpoint: %s", heard)
	}
}
