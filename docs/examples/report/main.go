// Report reports a problem, waits for nothing, and says what the knowledge base
// knows about it.
//
//	FRONTLINE_URL=http://localhost:8080 FRONTLINE_TOKEN=… go run ./docs/examples/report 行情不刷新
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"time"
)

// call sends in as JSON, if it is not nil, and reads the answer into out.
func call(method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	if in == nil {
		body = nil
	}
	req, err := http.NewRequest(method, os.Getenv("FRONTLINE_URL")+"/api/v1"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+os.Getenv("FRONTLINE_TOKEN"))
	resp, err := (&http.Client{Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 { // problem JSON, RFC 9457
		var problem struct{ Detail string }
		_ = json.NewDecoder(resp.Body).Decode(&problem)
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, problem.Detail)
	}
	return json.NewDecoder(resp.Body).Decode(out)
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("say what happened: report 行情不刷新")
	}
	var ticket struct {
		Number int64
		Title  string
	}
	if err := call("POST", "/tickets", map[string]any{"text": os.Args[1]}, &ticket); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("T%d %s\n", ticket.Number, ticket.Title)
	var found struct {
		Band string
		Hits []struct{ Question string }
	}
	if err := call("GET", "/kb/search?q="+url.QueryEscape(os.Args[1]), nil, &found); err != nil {
		log.Fatal(err)
	}
	fmt.Println(found.Band)
	for _, h := range found.Hits {
		fmt.Println("-", h.Question)
	}
}
