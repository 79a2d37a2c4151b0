package standin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// answer is the JSON of a successful call, without errcode and errmsg.
type answer map[string]any

// call is one request to the platform's API, on its way through the checks.
type call struct {
	api    string
	r      *http.Request
	query  url.Values
	body   []byte
	upload *upload // the multipart file of an upload
	now    time.Time
	ip     string
	app    *app // whose token it was

	blob  *blob // answered instead of JSON: media/get
	entry LedgerEntry
	trace Trace
}

// blob is a binary answer.
type blob struct {
	name, ctype string
	data        []byte
}

type tokenKind int

const (
	tokenNone    tokenKind = iota // gettoken, and what carries its own key or code
	tokenApp                      // an app's access token
	tokenContact                  // only the contact synchronisation's
)

// route is one API: who may call it, how, and what it does (under s.mu).
type route struct {
	method string
	token  tokenKind
	limit  int64 // bytes of the body
	run    func(*Server, *call) (answer, *apiError)
}

const (
	smallBody = 4 << 20
	fileBody  = 24 << 20
)

// routeTable lists every API that the stand-in knows; any other path is a 404.
func routeTable() map[string]route {
	get := func(k tokenKind, f func(*Server, *call) (answer, *apiError)) route {
		return route{http.MethodGet, k, smallBody, f}
	}
	post := func(k tokenKind, f func(*Server, *call) (answer, *apiError)) route {
		return route{http.MethodPost, k, smallBody, f}
	}
	file := func(k tokenKind, f func(*Server, *call) (answer, *apiError)) route {
		return route{http.MethodPost, k, fileBody, f}
	}
	return map[string]route{
		"gettoken":                     get(tokenNone, (*Server).getToken),
		"message/send":                 post(tokenApp, (*Server).messageSend),
		"message/update_template_card": post(tokenApp, (*Server).updateCard),
		"message/recall":               post(tokenApp, (*Server).recall),
		"appchat/create":               post(tokenApp, (*Server).chatCreate),
		"appchat/update":               post(tokenApp, (*Server).chatUpdate),
		"appchat/get":                  get(tokenApp, (*Server).chatGet),
		"appchat/send":                 post(tokenApp, (*Server).chatSend),
		"webhook/send":                 post(tokenNone, (*Server).robotSend),
		"webhook/upload_media":         file(tokenNone, (*Server).robotUpload),
		"aibot/response":               post(tokenNone, (*Server).botResponse),
		"media/upload":                 file(tokenApp, (*Server).mediaUpload),
		"media/uploadimg":              file(tokenApp, (*Server).mediaUploadImage),
		"media/get":                    get(tokenApp, (*Server).mediaGet),
		"user/get":                     get(tokenApp, (*Server).userGet),
		"user/simplelist":              get(tokenApp, (*Server).userSimpleList),
		"user/list_id":                 post(tokenContact, (*Server).userListID),
		"user/getuserid":               post(tokenApp, (*Server).userByMobile),
		"user/get_userid_by_email":     post(tokenApp, (*Server).userByEmail),
		"department/list":              get(tokenApp, (*Server).departmentList),
		"department/simplelist":        get(tokenApp, (*Server).departmentSimpleList),
		"tag/list":                     get(tokenApp, (*Server).tagList),
		"tag/get":                      get(tokenApp, (*Server).tagGet),
		"auth/getuserinfo":             get(tokenApp, (*Server).oauthUserInfo),
		"auth/getuserdetail":           post(tokenApp, (*Server).oauthUserDetail),
		"batch/openuserid_to_userid":   post(tokenApp, (*Server).openUserIDs),
		"get_jsapi_ticket":             get(tokenApp, (*Server).jsCorpTicket),
		"ticket/get":                   get(tokenApp, (*Server).jsAppTicket),
		"getcallbackip":                get(tokenApp, (*Server).callbackIPs),
		"get_api_domain_ip":            get(tokenApp, (*Server).domainIPs),
	}
}

func (s *Server) servePlatform(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	c := &call{api: strings.TrimPrefix(r.URL.Path, "/cgi-bin/"), r: r, query: r.URL.Query(), now: s.now(), ip: remoteIP(r)}
	rt, known := s.routes[c.api]
	if !known {
		http.NotFound(w, r)
		return
	}
	if err := c.readBody(w, rt.limit); err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	defer s.enter(c.api)()
	fault := s.takeFault(c.api, c.faultText())
	if fault != nil {
		if write := s.faultBefore(w, c, fault); write != nil {
			s.finish(c, start)
			write()
			return
		}
	}
	out, bad := s.run(c, rt)
	c.entry.Status = http.StatusOK
	switch {
	case bad != nil:
		c.entry.Errcode, c.trace.Err, c.blob = bad.code, bad.msg, nil
		out = answer{"errcode": bad.code, "errmsg": s.errmsg(c, bad)}
	case out == nil:
		out = answer{"errcode": 0, "errmsg": "ok"}
	default:
		out["errcode"], out["errmsg"] = 0, "ok"
	}
	if c.blob == nil {
		c.trace.Response = asJSON(out)
	}
	lost := fault != nil && fault.Drop == DropAfter
	if lost {
		c.entry.Fault, c.entry.Status = string(DropAfter), 0
	}
	s.finish(c, start) // before the answer, so that who has the answer finds the record
	switch {
	case lost:
		panic(http.ErrAbortHandler)
	case c.blob != nil:
		writeBlob(w, r, c.blob, c.now)
	default:
		writeJSON(w, http.StatusOK, out)
	}
}

// enter counts a call as in flight until the returned function is called.
func (s *Server) enter(api string) (leave func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rates.inFlight[api]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.rates.inFlight[api]--
	}
}

// run does the checks that every API shares, then the API itself.
func (s *Server) run(c *call, rt route) (answer, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if bad := s.checkMethod(c, rt); bad != nil {
		return nil, bad
	}
	if bad := s.checkFrequency(c); bad != nil {
		return nil, bad
	}
	if rt.token != tokenNone {
		if bad := s.checkToken(c, rt.token); bad != nil {
			return nil, bad
		}
	}
	return rt.run(s, c)
}

func (s *Server) checkMethod(c *call, rt route) *apiError {
	switch {
	case rt.method == c.r.Method:
		return nil
	case rt.method == http.MethodGet && c.r.Method == http.MethodPost:
		return nil // the platform's GET APIs take a POST in practice, as its own samples do
	case rt.method == http.MethodPost:
		return refuse(codeNeedPost, "require POST method")
	default:
		return refuse(codeNeedGet, "require GET method")
	}
}

// checkFrequency keeps the company's and the source's basic frequency, doc 90312.
func (s *Server) checkFrequency(c *call) *apiError {
	of := func(m map[string]*meter, key string) *meter {
		if m[key] == nil {
			m[key] = &meter{}
		}
		return m[key]
	}
	ok := of(s.rates.corpMinute, c.api).allow(c.now, time.Minute, s.limits.CorpMinute, 1)
	ok = ok && of(s.rates.corpHour, c.api).allow(c.now, time.Hour, s.limits.CorpHour, 1)
	ok = ok && of(s.rates.ipMinute, c.ip).allow(c.now, time.Minute, s.limits.IPMinute, 1)
	ok = ok && of(s.rates.ipHour, c.ip).allow(c.now, time.Hour, s.limits.IPHour, 1)
	if !ok {
		return refuse(codeTooFrequent, "api freq out of limit")
	}
	return nil
}

// finish records the call in ledger, trace and counters.
func (s *Server) finish(c *call, start time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.entry.API, c.entry.At, c.entry.Body = c.api, c.now, string(clip(c.body, 8<<10))
	if c.app != nil {
		c.entry.AgentID = c.app.AgentID
	}
	s.ledger.add(s.nextSeq(), c.entry)
	s.counters.call(c.api, c.entry)
	code := c.entry.Errcode
	t := c.trace
	t.Kind, t.Name, t.At = "call", c.api, c.now
	t.Method, t.URL = c.r.Method, redact(c.r.URL)
	t.Request, t.Status, t.Errcode, t.Fault = string(clip(c.body, 32<<10)), c.entry.Status, &code, c.entry.Fault
	t.Place, t.MsgID = c.entry.Target, c.entry.MsgID
	t.LatencyMS = float64(time.Since(start).Microseconds()) / 1000
	s.traces.add(s.nextSeq(), t)
	s.log.Debug("platform call", "api", c.api, "errcode", code, "status", c.entry.Status)
}

// errmsg has the platform's shape: reason, hint, source address, link.
func (s *Server) errmsg(c *call, e *apiError) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("%s, hint: [%d%09d], from ip: %s, more info at https://open.work.weixin.qq.com/devtool/query?e=%d",
		e.msg, c.now.Unix(), s.rnd.IntN(1_000_000_000), c.ip, e.code)
}

// readBody takes the whole body; an upload is taken apart at once.
func (c *call) readBody(w http.ResponseWriter, limit int64) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, c.r.Body, limit))
	if err != nil {
		return fmt.Errorf("read the body: %w", err)
	}
	if strings.HasPrefix(c.r.Header.Get("Content-Type"), "multipart/form-data") {
		c.r.Body = io.NopCloser(bytes.NewReader(body))
		c.upload, err = readUpload(c.r)
		if err != nil && !errors.Is(err, http.ErrMissingFile) {
			c.upload = nil
		}
		c.body = fmt.Appendf(nil, "(multipart, %d bytes)", len(body))
		return nil
	}
	c.body = body
	return nil
}

// faultText is what a fault's Match is looked for in.
func (c *call) faultText() string { return c.r.URL.RawQuery + "\n" + string(c.body) }

func remoteIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// redact shortens the secrets of a query for the trace, which people look at.
func redact(u *url.URL) string {
	q := u.Query()
	for _, name := range []string{"access_token", "corpsecret", "key", "response_code", "code"} {
		if v := q.Get(name); len(v) > 6 {
			q.Set(name, v[:6]+"…")
		}
	}
	if len(q) == 0 {
		return u.Path
	}
	return u.Path + "?" + q.Encode()
}

func clip(b []byte, max int) []byte {
	if len(b) <= max {
		return b
	}
	return append(bytes.ToValidUTF8(b[:max:max], nil), "…"...)
}

// asJSON leaves <, > and & alone, as the platform does.
func asJSON(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, asJSON(v))
}

func writeBlob(w http.ResponseWriter, r *http.Request, b *blob, now time.Time) {
	w.Header().Set("Content-Type", b.ctype)
	w.Header().Set("Content-Disposition", contentDisposition(b.name))
	http.ServeContent(w, r, "", now, bytes.NewReader(b.data)) // answers Range
}
