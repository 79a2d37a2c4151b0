//go:build unix

package alert

import (
	"encoding/json"
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"frontline/store"
	"frontline/store/storetest"
)

// processor is the processor time of this process so far.
func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkTake takes 50 alerts a delivery, all new, from several senders at once.
func BenchmarkTake(b *testing.B) {
	s := storetest.Open(b, storetest.SQLite(b), store.Options{Serve: true})
	h := testHooks(s, testRules())
	starts := time.Now().UTC().Format(time.RFC3339Nano)
	var made atomic.Int64
	body := func() []byte {
		list := make([]map[string]any, 50)
		for k := range list {
			id := made.Add(1)
			list[k] = map[string]any{"startsAt": starts, "generatorURL": "http://prometheus.example.com/graph?g0.expr=up",
				"labels":      map[string]string{"alertname": fmt.Sprint("Rule", id%20), "instance": fmt.Sprintf("host-%d", id), "job": "trade", "severity": "warning", "system": "集中交易"},
				"annotations": map[string]string{"summary": fmt.Sprintf("委托队列积压，主机 %d", id), "description": "队列长度超过阈值已 5 分钟，请检查下游网关"}}
		}
		out, _ := json.Marshal(list)
		return out
	}
	for name, fresh := range map[string]bool{"new": true, "repeated": false} {
		b.Run(name, func(b *testing.B) {
			b.SetParallelism(8)
			again := body()
			before := processor(b)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					send := again
					if fresh {
						send = body()
					}
					if w := post(b, h, "alertmanager", send, nil); w.Code != 200 {
						b.Fatal(w.Code, w.Body)
					}
				}
			})
			b.ReportMetric(float64(b.N)*50/b.Elapsed().Seconds(), "alerts/s")
			b.ReportMetric((processor(b)-before).Seconds()*1e6/float64(b.N)/50, "cpu-µs/alert")
		})
	}
}
