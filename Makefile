# Frontline. "make help" lists the targets.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X frontline/cli.Version=$(VERSION)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
N ?= 200

.PHONY: help build test race lint fuzz crash crash-calls bench bench-tickets bench-analysis bench-construct bench-import bench-kb bench-vectors kb-eval kb-heard kb-mixed steady example docker-steps release clean crash-alerts crash-knowledge bench-alerts bench-storm

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

build: ## the static binary, ./frontline
	CGO_ENABLED=0 go build -trimpath -ldflags "$(LDFLAGS)" -o frontline .

test: ## everything that runs on this machine
	go test ./...

race: ## the packages where goroutines meet, under the race detector
	go test -race -timeout 40m ./bot/... ./store/... ./handlers/... ./kb/...

lint: ## gofmt, go vet, staticcheck
	@test -z "$$(gofmt -l . | tee /dev/stderr)"
	go vet ./...
	go run $(STATICCHECK) ./...

fuzz: ## every fuzz target for FUZZTIME (default 30s)
	@sh scripts/fuzz.sh $(or $(FUZZTIME),30s)

crash: ## N times kill -9 under load (default 200): nothing acknowledged is lost
	FRONTLINE_CRASH_KILLS=$(N) go test -count=1 -timeout 60m -v -run 'Crash' .

crash-calls: ## dies inside its 1st to N-th (default 200) write, sync and send, one after the other
	FRONTLINE_CRASH_CALLS=$(N) go test -count=1 -timeout 90m -v -run 'TestCrashAtEachCall' .

crash-alerts: ## captured alerts with a kill -9 between any two deliveries and amid them, on SQLite and MariaDB
	FRONTLINE_ALERT_KILLS=all go test -count=1 -timeout 30m -v -run TestAlertKills .

crash-knowledge: ## import, undo and publishing of knowledge with KILLS (default 20) times kill -9 in each part, on SQLite and MariaDB
	FRONTLINE_KNOWLEDGE_KILLS=$(or $(KILLS),20) go test -count=1 -timeout 60m -v -run TestKnowledgeKills .

bench: ## decode, durable acknowledgements, size and start, as ratios in one run
	sh bench/run.sh

bench-tickets: ## the queue's pages and work on tickets beside a million tickets
	FRONTLINE_BENCH=1 go test -count=1 -timeout 30m -v -run TestMillionTickets ./web

bench-analysis: ## the page of figures beside TICKETS (default 5000000) tickets, on SQLite and MariaDB; takes 15 minutes and some gigabytes
	FRONTLINE_BENCH=1 FRONTLINE_BENCH_TICKETS=$(or $(TICKETS),5000000) go test -count=1 -timeout 90m -v -run TestFiguresOfMillions ./web

bench-construct: ## an account set beside slow systems, the engine's part of a step, identities a second
	FRONTLINE_BENCH=1 go test -count=1 -timeout 30m -v -run TestConstructSpeed ./handlers/construct
	go test -run '^$$' -bench Identity ./handlers/construct/gen

kb-eval: ## the knowledge base beside bleve, FTS5 and BM25 on DATA=dir (kb.jsonl and queries.jsonl, or folders of them)
	@test -n "$(DATA)" || { echo "kb-eval: DATA=dir is needed" >&2; exit 2; }
	cd bench/peers && go run . "$(abspath $(DATA))"

kb-heard: ## what the knowledge base of DATA=dir becomes when people are played that say what they think of its answers
	@test -n "$(DATA)" || { echo "kb-heard: DATA=dir is needed" >&2; exit 2; }
	cd bench/peers && go run . -heard "$(abspath $(DATA))"

kb-mixed: ## the knowledge base of DATA=dir when only some of its entries have similar questions
	@test -n "$(DATA)" || { echo "kb-mixed: DATA=dir is needed" >&2; exit 2; }
	cd bench/peers && go run . -mixed "$(abspath $(DATA))"

bench-kb: ## speed of a base of QUESTIONS (100000) made of DATA=dir on one processor, beside bleve; ARGS=-alone leaves that out
	@test -n "$(DATA)" || { echo "bench-kb: DATA=dir is needed" >&2; exit 2; }
	cd bench/peers && go run . -speed $(or $(QUESTIONS),100000) $(ARGS) "$(abspath $(DATA))"

bench-import: ## a knowledge file of a hundred thousand rows with faults, on SQLite and MariaDB: in, changed, taken back
	FRONTLINE_BENCH=1 go test -count=1 -timeout 30m -v -run TestImportOfAHundredThousand ./handlers

bench-vectors: ## a question against a hundred thousand vectors of 1024 numbers
	go test ./kb -run '^$$' -bench Nearest -benchtime 300x

bench-alerts: ## alerts a second and alerts lost by a kill -9, beside Debian's Alertmanager
	FRONTLINE_BENCH=1 go test -count=1 -timeout 30m -v -run 'BesideAlertmanager' .
	go test -run '^$$' -bench Take -benchtime 400x ./handlers/alert

bench-storm: ## ten thousand alerts in a minute: all kept, what the group is told, and how soon
	FRONTLINE_BENCH=1 go test -count=1 -timeout 20m -v -run TestAlertStormOfTenThousand .

steady: ## five reports a second for ten minutes on SQLite
	FRONTLINE_BENCH=1 go test -count=1 -timeout 30m -v -run TestSteadyReports .

example: ## write config/example.yaml from the comments of config/config.go
	go test ./config -run TestExampleIsCurrent -update

docker-steps: ## what the Dockerfile does, without an engine
	sh scripts/docker-steps.sh

release: ## binaries for linux and macOS with checksums, in dist/
	sh scripts/release.sh "$(VERSION)"

clean:
	rm -rf frontline dist
