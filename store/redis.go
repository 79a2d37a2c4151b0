package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Redis is what replicas share and may lose at any time: wake-ups, access
// tokens, counters of common limits. Every call has a short deadline, and
// everything works, a little later or a little less evenly, without it.
type Redis struct {
	c      *redis.Client
	prefix string
	rings  chan string
	end    context.CancelFunc
	rung   sync.WaitGroup
}

// redisBudget is how long anything waits for Redis before going on without it.
const redisBudget = 50 * time.Millisecond

// OpenRedis connects to redis://… . A server that does not answer now is no
// error: it is tried again with every use.
func OpenRedis(url string) (*Redis, error) {
	opt, err := redis.ParseURL(url)
	if err != nil {
		return nil, errors.New("the Redis URL must be redis://host:6379/0")
	}
	opt.DialTimeout, opt.ReadTimeout, opt.WriteTimeout = time.Second, time.Second, time.Second
	opt.ContextTimeoutEnabled = true
	opt.DialerRetries = 1 // the next use tries again
	redis.SetLogger(quiet{})
	opt.MaxRetries = 1
	ctx, end := context.WithCancel(context.Background())
	r := &Redis{c: redis.NewClient(opt), prefix: "frontline:", rings: make(chan string, 256), end: end}
	r.rung.Go(func() { r.publish(ctx) })
	return r, nil
}

// quiet drops what the client would print past our log; every failed call
// returns its error too.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

// Close lets go of the connections.
func (r *Redis) Close() error {
	r.end()
	r.rung.Wait()
	return r.c.Close()
}

// Ping tells whether Redis answers.
func (r *Redis) Ping(ctx context.Context) error { return r.c.Ping(ctx).Err() }

// Ring sends a wake-up to all replicas, without waiting for it; a lost one
// only costs a poll interval.
func (r *Redis) Ring(topic string) {
	select {
	case r.rings <- topic:
	default: // Redis is slow: everybody also looks by the clock
	}
}

// publish sends what was rung, equal ones once.
func (r *Redis) publish(ctx context.Context) {
	for {
		topics := map[string]bool{}
		select {
		case <-ctx.Done():
			return
		case t := <-r.rings:
			topics[t] = true
		}
		for more := true; more; {
			select {
			case t := <-r.rings:
				topics[t] = true
			default:
				more = false
			}
		}
		short, cancel := context.WithTimeout(ctx, redisBudget)
		_, _ = r.c.Pipelined(short, func(p redis.Pipeliner) error { // a lost ring costs a poll interval
			for t := range topics {
				p.Publish(short, r.prefix+"bell", t)
			}
			return nil
		})
		cancel()
	}
}

// Listen hears the wake-ups of all replicas until ctx ends; a broken
// connection is made anew by the client.
func (r *Redis) Listen(ctx context.Context, fn func(topic string)) {
	sub := r.c.Subscribe(ctx, r.prefix+"bell")
	defer sub.Close()
	ch := sub.Channel()
	for {
		select {
		case <-ctx.Done():
			return
		case m, ok := <-ch:
			if !ok {
				return
			}
			fn(m.Payload)
		}
	}
}

// LoadToken returns a shared access token and when it ends, or "".
func (r *Redis) LoadToken(ctx context.Context, key string) (token string, ends time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, redisBudget)
	defer cancel()
	v, err := r.c.Get(ctx, r.prefix+"token:"+key).Result()
	if errors.Is(err, redis.Nil) {
		return "", time.Time{}, nil
	}
	if err != nil {
		return "", time.Time{}, errors.New("redis: load token")
	}
	at, tok, ok := strings.Cut(v, " ")
	if !ok {
		return "", time.Time{}, nil
	}
	ends, err = time.Parse(time.RFC3339, at)
	return tok, ends, err
}

// SaveToken shares an access token until it ends; "" removes it.
func (r *Redis) SaveToken(ctx context.Context, key, token string, ends time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, redisBudget)
	defer cancel()
	if token == "" {
		return r.c.Del(ctx, r.prefix+"token:"+key).Err()
	}
	return r.c.Set(ctx, r.prefix+"token:"+key, ends.UTC().Format(time.RFC3339)+" "+token, time.Until(ends)).Err()
}

var unlockScript = redis.NewScript(`if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) end return 0`)

// Lock lets one replica at a time fetch a token. When Redis does not answer,
// every replica may go ahead: two fetches return the same token anyway.
func (r *Redis) Lock(ctx context.Context, key string, life time.Duration) (unlock func(), won bool) {
	var b [8]byte
	rand.Read(b[:])
	mine := hex.EncodeToString(b[:])
	short, cancel := context.WithTimeout(ctx, redisBudget)
	defer cancel()
	ok, err := r.c.SetNX(short, r.prefix+"lock:"+key, mine, life).Result()
	if err != nil {
		return func() {}, true
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), redisBudget)
		defer cancel()
		unlockScript.Run(ctx, r.c, []string{r.prefix + "lock:" + key}, mine)
	}, ok
}

var budgetScript = redis.NewScript(`local n = redis.call("incr", KEYS[1])
if n == 1 then redis.call("pexpire", KEYS[1], ARGV[1]) end
return n`)

// Spend counts one use of a budget shared by all replicas within a window and
// tells whether it stays within limit. Without an answer of Redis it says yes:
// the platform's own limit is then the fence.
func (r *Redis) Spend(ctx context.Context, key string, limit int64, window time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, redisBudget)
	defer cancel()
	slot := time.Now().UnixMilli() / window.Milliseconds()
	n, err := budgetScript.Run(ctx, r.c, []string{fmt.Sprintf("%sbudget:{%s}:%d", r.prefix, key, slot)}, window.Milliseconds()).Int64()
	return err != nil || n <= limit
}
