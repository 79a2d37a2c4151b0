package web

import (
	"strconv"

	"frontline/store"
)

// apiAlert is an alert as programs read it.
type apiAlert struct {
	ID          string            `json:"id"`
	Fingerprint string            `json:"fingerprint"`
	Source      string            `json:"source"`
	Kind        string            `json:"kind"`
	Name        string            `json:"name"`
	Severity    string            `json:"severity"`
	State       string            `json:"state"`
	Title       string            `json:"title"`
	Text        string            `json:"text"`
	Value       string            `json:"value"`
	Labels      map[string]string `json:"labels"`
	NoData      bool              `json:"no_data"`
	Hushed      string            `json:"hushed"` // silenced, inhibited, maintenance, or empty
	Started     *string           `json:"started_at"`
	Ended       *string           `json:"ended_at"`
	Last        *string           `json:"last_at"`
	Seen        int               `json:"seen"`
	Opens       int               `json:"opens"`
}

type apiAlertList struct {
	Alerts []apiAlert `json:"alerts"`
	Next   string     `json:"next"` // for before=, "" on the last page
}

// apiAlerts lists alerts, the newest first: ?source= state= severity= before= n=.
func (s *Server) apiAlerts(c *apiCall) (any, error) {
	n, err := c.query("n", 100)
	if err != nil {
		return nil, err
	}
	before, err := c.query("before", 0)
	if err != nil {
		return nil, err
	}
	q := c.r.URL.Query()
	list, err := s.opt.Store.ListAlerts(c.r.Context(), store.AlertQuery{Source: q.Get("source"), State: q.Get("state"), Severity: q.Get("severity"), Before: before, N: int(min(max(n, 1), 1000))})
	if err != nil {
		return nil, err
	}
	out := make([]apiAlert, len(list))
	next := ""
	for i, a := range list {
		next = strconv.FormatInt(a.ID, 10)
		out[i] = apiAlert{ID: next, Fingerprint: a.FP, Source: a.Source, Kind: a.Kind, Name: a.Name, Severity: a.Severity, State: a.State, Title: a.Title, Text: a.Text, Value: a.Value, Labels: a.Labels, NoData: a.NoData, Hushed: a.Hush,
			Started: apiTime(a.Started), Ended: apiTime(a.Ended), Last: apiTime(a.Last), Seen: a.Seen, Opens: a.Opens}
	}
	if len(list) < int(n) {
		next = ""
	}
	return apiAlertList{out, next}, nil
}

// apiAlertCounts is the tally since the store began, of one source or of all.
func (s *Server) apiAlertCounts(c *apiCall) (any, error) {
	return s.opt.Store.AlertCounts(c.r.Context(), c.r.URL.Query().Get("source"))
}
