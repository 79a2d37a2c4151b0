package cli

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"frontline/bot"
	"frontline/kb"
)

// meters are the program's metrics. Labels are only ever small fixed sets:
// never a person, a place or a path.
type meters struct {
	reg      *prometheus.Registry
	callback *prometheus.HistogramVec
	skew     prometheus.Gauge
	sends    *prometheus.HistogramVec
	turns    *prometheus.HistogramVec
	search   *prometheus.HistogramVec
	hooks    *prometheus.HistogramVec
	checks   *prometheus.HistogramVec
	models   *prometheus.HistogramVec
	tokens   *prometheus.CounterVec
}

func newMeters() *meters {
	quick := []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5}
	m := &meters{
		reg:      prometheus.NewRegistry(),
		callback: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "frontline_callback_seconds", Help: "Time to answer a callback.", Buckets: quick}, []string{"via", "result"}),
		skew:     prometheus.NewGauge(prometheus.GaugeOpts{Name: "frontline_clock_skew_seconds", Help: "Our clock minus the platform's, at the last callback."}),
		sends:    prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "frontline_platform_call_seconds", Help: "Calls of the platform by API and error code.", Buckets: quick}, []string{"api", "code"}),
		turns:    prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "frontline_turn_seconds", Help: "Time of one turn by command.", Buckets: quick}, []string{"command", "outcome"}),
		search:   prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "frontline_search_seconds", Help: "Time of one search by band.", Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .1, 1}}, []string{"band"}),
	}
	m.hooks = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "frontline_hook_seconds", Help: "Time to store what an alert sender sent, by source and status.", Buckets: quick}, []string{"source", "code"})
	m.checks = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "frontline_monitor_seconds", Help: "Time of one check of a monitor by how it ended.", Buckets: []float64{.01, .05, .1, .5, 1, 5, 15, 60, 300}}, []string{"state"})
	m.models = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "frontline_model_call_seconds", Help: "Calls of the language model by what they were for and how they ended.", Buckets: []float64{.05, .1, .25, .5, 1, 2, 4, 8}}, []string{"purpose", "outcome"})
	m.tokens = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "frontline_model_tokens_total", Help: "Tokens of the language model by what they were for."}, []string{"purpose"})
	m.reg.MustRegister(m.callback, m.skew, m.sends, m.turns, m.search, m.hooks, m.checks, m.models, m.tokens, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// watchLink shows how the smart bot's long connection is.
func (m *meters) watchLink(l *bot.Link) {
	number := func(yes bool) float64 {
		if yes {
			return 1
		}
		return 0
	}
	m.reg.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "frontline_link_owner", Help: "1 when this replica is the one that holds the smart bot's long connection."}, func() float64 { return number(l.State().Mine) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "frontline_link_up", Help: "1 while the smart bot's long connection stands here."}, func() float64 { return number(l.State().Up) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "frontline_link_connects_total", Help: "Long connections that subscribed."}, func() float64 { return float64(l.State().Connects) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "frontline_link_kicks_total", Help: "Times that somebody else connected as the same bot."}, func() float64 { return float64(l.State().Kicks) }))
}

func (m *meters) sawCallback(r bot.CallbackResult) {
	m.callback.WithLabelValues(string(r.Via), string(r.Result)).Observe(r.Took.Seconds())
	if r.Skew != 0 {
		m.skew.Set(r.Skew.Seconds())
	}
}

func (m *meters) sawCall(api, code string, took time.Duration) {
	m.sends.WithLabelValues(api, code).Observe(took.Seconds())
}

func (m *meters) sawTurn(command string, took time.Duration, err error) {
	outcome := "ok"
	if err != nil {
		outcome = "error"
	}
	m.turns.WithLabelValues(command, outcome).Observe(took.Seconds())
}

func (m *meters) sawCheck(state string, took time.Duration) {
	m.checks.WithLabelValues(state).Observe(took.Seconds())
}

func (m *meters) sawHook(source string, code int, took time.Duration) {
	m.hooks.WithLabelValues(source, strconv.Itoa(code)).Observe(took.Seconds())
}

func (m *meters) sawSearch(took time.Duration, band kb.Band) {
	m.search.WithLabelValues(band.String()).Observe(took.Seconds())
}

func (m *meters) sawModel(c kb.ModelCall) {
	m.models.WithLabelValues(c.Purpose, c.Outcome).Observe(c.Took.Seconds())
	m.tokens.WithLabelValues(c.Purpose).Add(float64(c.PromptTokens + c.CompletionTokens))
}
