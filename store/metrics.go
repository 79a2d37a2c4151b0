package store

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Depth is how much waits in a queue, and how long the oldest has waited.
type Depth struct {
	Waiting int64
	Dead    int64
	Oldest  time.Duration
}

// InboxDepth counts messages not yet worked on.
func (s *Store) InboxDepth(ctx context.Context) (Depth, error) { return s.depth(ctx, "inbox") }

// OutboxDepth counts words not yet sent.
func (s *Store) OutboxDepth(ctx context.Context) (Depth, error) { return s.depth(ctx, "outbox") }

// AlertDepth counts what senders of alerts sent and what was not yet applied.
func (s *Store) AlertDepth(ctx context.Context) (d Depth, err error) {
	var row struct{ N, First, Dead int64 }
	err = s.read.WithContext(ctx).Raw("SELECT COUNT(*) AS n, COALESCE(MIN(delivery),0) AS first, (SELECT COUNT(*) FROM alert_delivery WHERE state=?) AS dead FROM alert_waiting", DeliveryDead).Scan(&row).Error
	d = Depth{Waiting: row.N, Dead: row.Dead}
	if row.First != 0 {
		d.Oldest = max(0, s.now().Sub(idTime(row.First)))
	}
	return d, err
}

func (s *Store) depth(ctx context.Context, table string) (d Depth, err error) {
	var row struct{ N, First int64 }
	db := s.read.WithContext(ctx)
	if err = db.Raw("SELECT COUNT(*) AS n, COALESCE(MIN(id),0) AS first FROM " + table + " WHERE state IN (0,1)").Scan(&row).Error; err != nil {
		return d, err
	}
	d.Waiting = row.N
	if row.First != 0 {
		d.Oldest = max(0, s.now().Sub(idTime(row.First)))
	}
	err = db.Raw("SELECT COUNT(*) FROM " + table + " WHERE state=3").Scan(&d.Dead).Error
	return d, err
}

type collector struct{ s *Store }

var (
	descDepth = prometheus.NewDesc("frontline_queue_depth", "Rows that wait.", []string{"queue"}, nil)
	descDead  = prometheus.NewDesc("frontline_queue_dead", "Rows that ended as dead letters.", []string{"queue"}, nil)
	descAge   = prometheus.NewDesc("frontline_queue_oldest_seconds", "Age of the oldest row that waits.", []string{"queue"}, nil)
	descShard = prometheus.NewDesc("frontline_shards_held", "Queue shards this replica works on.", nil, nil)
)

// Collector reports the queues at each scrape.
func (s *Store) Collector() prometheus.Collector { return collector{s} }

func (c collector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

func (c collector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for q, depth := range map[string]func(context.Context) (Depth, error){"inbox": c.s.InboxDepth, "outbox": c.s.OutboxDepth, "alerts": c.s.AlertDepth} {
		d, err := depth(ctx)
		if err != nil {
			continue // a scrape while the database is away shows gaps, not zeros
		}
		ch <- prometheus.MustNewConstMetric(descDepth, prometheus.GaugeValue, float64(d.Waiting), q)
		ch <- prometheus.MustNewConstMetric(descDead, prometheus.GaugeValue, float64(d.Dead), q)
		ch <- prometheus.MustNewConstMetric(descAge, prometheus.GaugeValue, d.Oldest.Seconds(), q)
	}
	ch <- prometheus.MustNewConstMetric(descShard, prometheus.GaugeValue, float64(len(c.s.holding())))
}
