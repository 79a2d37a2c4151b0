package standin

import "time"

// Limits are the platform's numbers. A zero field means the documented default;
// a negative count switches that limit off.
type Limits struct {
	// Access tokens: https://developer.work.weixin.qq.com/document/path/91039
	TokenLife        time.Duration // 7200 s
	TokenFailures    int           // wrong secrets an hour before gettoken is closed for an hour; 2000
	TokenConcurrency int           // gettoken calls at once before 45033; off by default, since the platform names no number

	// Frequencies: https://developer.work.weixin.qq.com/document/path/90312
	CorpMinute   int // calls of one API by the company a minute; 10 000
	CorpHour     int // 150 000
	IPMinute     int // 20 000
	IPHour       int // 600 000
	MemberMinute int // messages of one app to one member; 30, the excess is dropped silently
	MemberHour   int // 1000
	AppDay       int // person-times of one app a day; account limit × 200

	// Group robots: https://developer.work.weixin.qq.com/document/path/99110
	RobotMinute int // 20

	// App chats: https://developer.work.weixin.qq.com/document/path/90248
	ChatCreateDay     int // 1000
	ChatUpdateHour    int // 1000
	ChatPersonsMinute int // 20 000 person-times
	ChatMemberMinute  int // 200, dropped silently
	ChatMemberDay     int // 10 000, dropped silently

	// Callbacks: https://developer.work.weixin.qq.com/document/path/90238
	CallbackTimeout time.Duration // 5 s
	CallbackTries   int           // 3 in total
	CallbackPause   time.Duration // between two tries; 1 s (the platform publishes no number)
	CheckTimeout    time.Duration // URL check: 1 s

	// Smart bots: https://developer.work.weixin.qq.com/document/path/100719 and …/101138
	BotInFlight  int           // exchanges of one member with one bot; 3
	StreamPoll   time.Duration // about 1 s
	StreamLife   time.Duration // 6 min from the member's message
	ResponseLife time.Duration // response_url: 1 h
	FileLife     time.Duration // media URLs of a bot message: 5 min

	// Long connections: https://developer.work.weixin.qq.com/document/path/101463
	LiveGreeting        time.Duration // to subscribe in; 10 s (the platform publishes no number)
	LiveSilence         time.Duration // without a frame, such as the ping every 30 s; 90 s (no number either)
	LiveSubscribeMinute int           // subscriptions of one bot; 20 (no number either)
	LiveReplyLife       time.Duration // to answer a message in; 24 h
	LiveTalkMinute      int           // messages to one conversation; 30
	LiveTalkHour        int           // 1000
	LiveUploadMinute    int           // 30
	LiveUploadHour      int           // 1000
	LiveUploadLife      time.Duration // 30 min

	// Cards: https://developer.work.weixin.qq.com/document/path/94888
	CardCodeLife time.Duration // 72 h
	RecallLife   time.Duration // 24 h
	MediaLife    time.Duration // 3 days
	OAuthLife    time.Duration // 5 min
}

func (l *Limits) fill(accounts int) {
	counts := []struct {
		field *int
		def   int
	}{
		{&l.TokenFailures, 2000}, {&l.TokenConcurrency, -1},
		{&l.CorpMinute, 10_000}, {&l.CorpHour, 150_000}, {&l.IPMinute, 20_000}, {&l.IPHour, 600_000},
		{&l.MemberMinute, 30}, {&l.MemberHour, 1000}, {&l.AppDay, accounts * 200},
		{&l.RobotMinute, 20},
		{&l.ChatCreateDay, 1000}, {&l.ChatUpdateHour, 1000}, {&l.ChatPersonsMinute, 20_000},
		{&l.ChatMemberMinute, 200}, {&l.ChatMemberDay, 10_000},
		{&l.CallbackTries, 3}, {&l.BotInFlight, 3},
		{&l.LiveSubscribeMinute, 20}, {&l.LiveTalkMinute, 30}, {&l.LiveTalkHour, 1000}, {&l.LiveUploadMinute, 30}, {&l.LiveUploadHour, 1000},
	}
	for _, c := range counts {
		if *c.field == 0 {
			*c.field = c.def
		}
	}
	times := []struct {
		field *time.Duration
		def   time.Duration
	}{
		{&l.TokenLife, 7200 * time.Second},
		{&l.CallbackTimeout, 5 * time.Second}, {&l.CallbackPause, time.Second}, {&l.CheckTimeout, time.Second},
		{&l.StreamPoll, time.Second}, {&l.StreamLife, 6 * time.Minute},
		{&l.ResponseLife, time.Hour}, {&l.FileLife, 5 * time.Minute},
		{&l.CardCodeLife, 72 * time.Hour}, {&l.RecallLife, 24 * time.Hour},
		{&l.MediaLife, 72 * time.Hour}, {&l.OAuthLife, 5 * time.Minute},
		{&l.LiveGreeting, 10 * time.Second}, {&l.LiveSilence, 90 * time.Second}, {&l.LiveReplyLife, 24 * time.Hour}, {&l.LiveUploadLife, 30 * time.Minute},
	}
	for _, t := range times {
		if *t.field == 0 {
			*t.field = t.def
		}
	}
}

// window counts what happened inside the last span: a sliding window.
type window struct {
	at []time.Time
}

// room tells whether fewer than max things happened within span before now.
func (w *window) room(now time.Time, span time.Duration, max int) bool {
	if max < 0 {
		return true
	}
	n := 0
	for i := len(w.at) - 1; i >= 0 && now.Sub(w.at[i]) < span; i-- {
		n++
	}
	return n < max
}

// add records one thing and forgets what is older than keep.
func (w *window) add(now time.Time, keep time.Duration) {
	i := 0
	for i < len(w.at) && now.Sub(w.at[i]) >= keep {
		i++
	}
	if i > 0 {
		w.at = append(w.at[:0], w.at[i:]...)
	}
	w.at = append(w.at, now)
}

// meter counts inside fixed periods and, once past the limit, stays closed for
// a whole period: the platform's penalty (doc 90312: a minute's limit closes for
// 60 s, an hour's for 60 min, a day's until the day ends).
type meter struct {
	start  time.Time
	n      int
	closed time.Time
}

func (m *meter) allow(now time.Time, period time.Duration, max, weight int) bool {
	if max < 0 {
		return true
	}
	if now.Before(m.closed) {
		return false
	}
	if now.Sub(m.start) >= period || now.Before(m.start) {
		m.start, m.n = now.Truncate(period), 0
		if period >= 24*time.Hour {
			y, mo, d := now.Date()
			m.start = time.Date(y, mo, d, 0, 0, 0, 0, now.Location())
		}
	}
	if m.n+weight > max {
		m.closed = now.Add(period)
		if period >= 24*time.Hour {
			m.closed = m.start.Add(period)
		}
		return false
	}
	m.n += weight
	return true
}
