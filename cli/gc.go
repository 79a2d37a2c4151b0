package cli

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
)

// TuneGC lets a small heap grow further before it is collected: a desk at work
// makes much short-lived garbage on little live memory, and the default would
// collect it many times a second. What lives gets at most heapRoom on top, or
// the usual 100 %; GOGC, when set, decides alone.
func TuneGC() {
	if os.Getenv("GOGC") != "" {
		return
	}
	const heapRoom = 128 << 20
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	percent := 400
	if sample[0].Value.Kind() == metrics.KindUint64 {
		if live := sample[0].Value.Uint64(); live > 0 {
			percent = int(min(400, max(100, 100*heapRoom/live)))
		}
	}
	debug.SetGCPercent(percent)
}
