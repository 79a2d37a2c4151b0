package web

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// described is the description that the server gives, as a program that trusts
// it reads it.
var described = sync.OnceValues(func() (routers.Router, error) {
	s := &Server{opt: Options{Version: "test"}}
	raw, err := json.Marshal(s.describeAPI())
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, err
	}
	return gorillamux.NewRouter(doc)
})

// asDescribed compares an answer with the description; each call that a test
// makes is compared. A good call must be one that the description allows.
func asDescribed(t *testing.T, req *http.Request, body []byte, status int, header http.Header, answer []byte) {
	t.Helper()
	router, err := described()
	if err != nil {
		t.Fatalf("the description: %v", err)
	}
	u, err := url.Parse(req.URL.String())
	if err != nil {
		t.Fatal(err)
	}
	u.Scheme, u.Host = "", ""
	asked := req.Clone(context.Background())
	asked.URL, asked.Body, asked.Host = u, io.NopCloser(bytes.NewReader(body)), ""
	if len(body) > 0 {
		asked.Header.Set("Content-Type", "application/json")
	}
	route, params, err := router.FindRoute(asked)
	if err != nil {
		if status < 400 {
			t.Errorf("%s %s answers %d and is not described: %v", req.Method, u, status, err)
		}
		return
	}
	in := &openapi3filter.RequestValidationInput{Request: asked, PathParams: params, Route: route, Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}}
	if status < 400 {
		if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil {
			t.Errorf("%s %s is answered with %d, and is not as described: %v", req.Method, u, status, err)
		}
	}
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: status, Header: header, Options: &openapi3filter.Options{IncludeResponseStatus: true}}
	if err := openapi3filter.ValidateResponse(context.Background(), out.SetBodyBytes(answer)); err != nil {
		t.Errorf("%s %s: the answer %d is not as described: %v", req.Method, u, status, err)
	}
}

func TestDescriptionIsServed(t *testing.T) {
	c := startConsole(t, nil)
	resp, err := http.Get(c.URL + "/api/v1/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp.StatusCode, err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Fatal(err)
	}
	var names []string
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			names = append(names, method+" "+path)
			if op.Summary == "" || op.Responses.Default() == nil {
				t.Errorf("%s %s says too little", method, path)
			}
		}
	}
	for _, r := range c.web.apiList() {
		if !slices.Contains(names, r.method+" "+r.path) {
			t.Errorf("%s %s is not described", r.method, r.path)
		}
	}
	if strings.Contains(string(raw), c.url) {
		t.Error("the description names the database")
	}
}
