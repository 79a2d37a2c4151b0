package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"time"
)

func runServe(ctx context.Context, env Env, args []string) error {
	var file string
	rest, err := flags(env, "serve", args, func(fs *flag.FlagSet) { fs.StringVar(&file, "config", "", "configuration file") })
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return usagef("serve takes no arguments")
	}
	cfg, err := env.load(file)
	if err != nil {
		return err
	}
	if err := cfg.NeedWeCom(); err != nil {
		return err
	}
	log := newLogger(env.Stderr, cfg.Log)
	e, err := newEngine(ctx, cfg, log, nil, time.Now)
	if err != nil {
		return err
	}
	defer e.close()
	for _, w := range cfg.Warnings(file, groupNames(ctx, e.store)...) {
		log.Warn(w)
	}
	l, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", cfg.Listen, err)
	}
	log.Info("listening", "address", l.Addr().String(), "version", Version)
	return serve(ctx, l, e)
}

// Bounds of a connection; slow senders must not hold one for long.
const (
	headerTime = 5 * time.Second
	idleTime   = 2 * time.Minute
	writeTime  = 30 * time.Second
	maxHeader  = 16 << 10
	drainTime  = 8 * time.Second
)

func newServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: headerTime, ReadTimeout: writeTime, WriteTimeout: writeTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeader}
}

// serve answers requests and runs the parts until ctx ends: first no more
// requests, then the parts finish, then the store closes.
func serve(ctx context.Context, l net.Listener, e *engine) error {
	srv := newServer(e.handler)
	parts := make(chan error, 1)
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	go func() { parts <- e.run(run) }()
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	var err error
	running := true
	select {
	case <-ctx.Done():
	case err = <-served:
	case err = <-parts:
		running = false
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if serr := srv.Shutdown(drain); serr != nil {
		srv.Close()
	}
	stop()
	if running {
		err = errors.Join(err, <-parts)
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}
