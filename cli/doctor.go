package cli

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"syscall"
	"time"

	"frontline/bot"
	"frontline/config"
	"frontline/handlers/monitor"
	"frontline/store"
	"frontline/web"
)

// finding is one check of the doctor; the console shows the same ones. The
// words are for the operator who reads them, in their language.
type finding = web.Finding

const doctorTime = 8 * time.Second

func runDoctor(ctx context.Context, env Env, args []string) error {
	var file string
	var asJSON bool
	rest, err := flags(env, "doctor", args, func(fs *flag.FlagSet) {
		fs.StringVar(&file, "config", "", "configuration file")
		fs.BoolVar(&asJSON, "json", false, "print the findings as JSON")
	})
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return usagef("doctor takes no arguments")
	}
	cfg, err := env.load(file)
	if err != nil {
		return err
	}
	list := examine(ctx, env, cfg, file)
	if asJSON {
		enc := json.NewEncoder(env.Stdout)
		enc.SetIndent("", "  ")
		if err := enc.Encode(list); err != nil {
			return err
		}
	} else {
		printFindings(env.Stdout, tongue(cfg.Lang), list)
	}
	for _, f := range list {
		if f.State == "fail" {
			return errors.New("the doctor found something that does not work")
		}
	}
	return nil
}

func printFindings(w io.Writer, l tongue, list []finding) {
	mark := map[string]string{"ok": l.t("正常"), "warn": l.t("注意"), "fail": l.t("不行"), "skip": l.t("未设")}
	for _, f := range list {
		fmt.Fprintf(w, "[%s] %s%s%s\n", mark[f.State], f.Check, l.t("："), f.Found)
		if f.Advice != "" {
			fmt.Fprintf(w, "       → %s\n", f.Advice)
		}
	}
}

func examine(ctx context.Context, env Env, cfg *config.Config, file string) []finding {
	l := tongue(cfg.Lang)
	database, groups := checkDatabase(ctx, env, l, file)
	list := append([]finding{checkSettings(cfg, l, file, groups)}, database...)
	return append(append(list, checkOutside(ctx, cfg, l)...), checkLink(ctx, cfg, l)...)
}

// checkOutside is everything but settings and database.
func checkOutside(ctx context.Context, cfg *config.Config, l tongue) []finding {
	list := append([]finding{checkRedis(ctx, cfg, l), checkDisk(cfg, l)}, checkPlatform(ctx, cfg, l)...)
	return append(list, checkMail(ctx, cfg, l), checkModel(ctx, cfg, l), checkCallback(ctx, cfg, l))
}

// checkLink finds out whether the address of the long connection answers. It
// does not subscribe: that would throw out the program that runs.
func checkLink(ctx context.Context, cfg *config.Config, l tongue) []finding {
	if cfg.WeCom.Bot.ID == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, doctorTime)
	defer cancel()
	if err := bot.ProbeLink(ctx, cfg.WeCom.Bot.WSURL); err != nil {
		return []finding{{Check: l.t("长连接"), State: "fail", Found: err.Error(), Advice: l.t("检查到 wecom.bot.ws_url 的出站网络和代理（要放行 WebSocket）")}}
	}
	return []finding{ok(l.t("长连接"), l.t("地址能连上；BotID 和 Secret 由运行中的程序验证，见控制台的体检"))}
}

// linkFinding is how the long connection of the running program is.
func linkFinding(s bot.LinkState, now time.Time, l tongue) finding {
	f := finding{Check: l.t("长连接"), State: "fail"}
	var api *bot.APIError
	switch {
	case s.Up:
		return ok(f.Check, l.t("已连上 %s", now.Sub(s.Since).Round(time.Second)))
	case !s.Mine:
		return ok(f.Check, l.t("由另一个进程持有"))
	case s.Kicked:
		f.Found, f.Advice = l.t("被别处的连接顶掉了"), l.t("另一个程序在用同一个智能机器人：停掉它，或给它另建一个机器人")
	case errors.As(s.Problem, &api):
		f.Found, f.Advice = s.Problem.Error(), l.t(bot.Advice(api.Code))
	case s.Problem != nil:
		f.Found, f.Advice = s.Problem.Error(), l.t("检查到 wecom.bot.ws_url 的出站网络和代理（要放行 WebSocket）")
	default:
		f.State, f.Found = "warn", l.t("正在连接")
	}
	return f
}

// doctor is the same examination by the running program, on its own database.
func (e *engine) doctor(ctx context.Context, lang string) []finding {
	l := tongue(lang)
	list := []finding{checkSettings(e.cfg, l, "", groupNames(ctx, e.store)), checkQueues(ctx, e.store, l), checkAlive(ctx, e.cfg, e.store, l)}
	list = append(list, checkOutside(ctx, e.cfg, l)...)
	if e.link != nil {
		list = append(list, linkFinding(e.link.State(), e.now(), l))
	}
	return list
}

func ok(check, found string) finding { return finding{Check: check, State: "ok", Found: found} }

func checkSettings(cfg *config.Config, l tongue, file string, groups []string) finding {
	if err := cfg.NeedWeCom(); err != nil {
		return finding{Check: l.t("设置"), State: "fail", Found: err.Error(), Advice: l.t("补全 wecom 部分；想先试用请运行 frontline demo")}
	}
	if w := cfg.Warnings(file, groups...); len(w) > 0 {
		return finding{Check: l.t("设置"), State: "warn", Found: w[0]}
	}
	return ok(l.t("设置"), l.t("没有问题"))
}

// checkDatabase also returns the groups that were added in the console.
func checkDatabase(ctx context.Context, env Env, l tongue, file string) (list []finding, groups []string) {
	ctx, cancel := context.WithTimeout(ctx, doctorTime)
	defer cancel()
	s, cfg, err := env.openStore(ctx, file)
	switch {
	case errors.Is(err, store.ErrNewerSchema):
		return []finding{{Check: l.t("数据库"), State: "fail", Found: l.t("数据库由更新版本的程序升级过"), Advice: l.t("安装新版本，或恢复备份")}}, nil
	case errors.Is(err, store.ErrDamaged):
		return []finding{damagedFile(l, err)}, nil
	case err != nil:
		return []finding{{Check: l.t("数据库"), State: "fail", Found: err.Error(), Advice: l.t("检查 database.url、网络和账号权限")}}, nil
	}
	defer s.Close()
	list = []finding{checkQueues(ctx, s, l), checkAlive(ctx, cfg, s, l)}
	if err := s.CheckFile(ctx); errors.Is(err, store.ErrDamaged) {
		list = append(list, damagedFile(l, err))
	}
	if err := checkGroups(ctx, cfg, s); err != nil {
		list = append(list, finding{Check: l.t("群"), State: "fail", Found: err.Error(), Advice: l.t("配置文件和控制台里的群不能同名，改掉其中一个；否则 frontline serve 不会启动")})
	}
	return list, groupNames(ctx, s)
}

func damagedFile(l tongue, err error) finding {
	return finding{Check: l.t("数据库"), State: "fail", Found: l.t("数据库文件已损坏：") + err.Error(), Advice: l.t("停止服务，连同 -wal 文件另存一份，用 frontline backup 做的备份替换后再启动；没有备份时可用 sqlite3 的 .recover 抢救")}
}

func checkQueues(ctx context.Context, s *store.Store, l tongue) finding {
	in, err := s.InboxDepth(ctx)
	if err != nil {
		return finding{Check: l.t("数据库"), State: "fail", Found: err.Error()}
	}
	if in.Oldest > 5*time.Minute {
		return finding{Check: l.t("数据库"), State: "warn", Found: l.t("有 %d 条消息在等，最早的等了 %s", in.Waiting, in.Oldest.Round(time.Second)), Advice: l.t("frontline serve 在运行吗？")}
	}
	return ok(l.t("数据库"), s.Kind()+l.t("，表结构是最新的"))
}

// checkAlive tells how the program's last own beat went.
func checkAlive(ctx context.Context, cfg *config.Config, s *store.Store, l tongue) finding {
	check := l.t("对外心跳")
	if cfg.Heartbeat.URL == "" {
		return finding{Check: check, State: "skip", Found: l.t("没有设置 heartbeat.url，程序停了没有人会知道")}
	}
	jobs, err := s.ListJobs(ctx)
	if err != nil {
		return finding{Check: check, State: "fail", Found: err.Error()}
	}
	last, sent := jobs[monitor.AliveJob]
	switch {
	case !sent:
		return finding{Check: check, State: "warn", Found: l.t("还没有发过"), Advice: l.t("frontline serve 在运行吗？")}
	case last.Err != "":
		return finding{Check: check, State: "fail", Found: l.t("没有发出去：") + last.Err, Advice: l.t("检查 heartbeat.url 和出网；对方收不到就会以为程序停了")}
	case s.Now().Sub(last.Next) > 5*time.Minute:
		return finding{Check: check, State: "warn", Found: l.t("上次是 %s", last.Ran.In(cfg.Location()).Format(time.DateTime)), Advice: l.t("frontline serve 在运行吗？")}
	}
	return ok(check, l.t("上次是 %s", last.Ran.In(cfg.Location()).Format(time.DateTime)))
}

func checkRedis(ctx context.Context, cfg *config.Config, l tongue) finding {
	if cfg.Redis.URL == "" {
		return finding{Check: "Redis", State: "skip", Found: l.t("没有设置，单个进程不需要")}
	}
	r, err := store.OpenRedis(string(cfg.Redis.URL))
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, doctorTime)
		defer cancel()
		defer r.Close()
		err = r.Ping(ctx)
	}
	if err != nil {
		return finding{Check: "Redis", State: "warn", Found: l.t("连不上"), Advice: l.t("没有 Redis 也能运行，但多个进程之间唤醒会慢一点；检查 redis.url")}
	}
	return ok("Redis", l.t("有应答"))
}

// lowDisk is where the doctor warns.
const lowDisk = 1 << 30

func checkDisk(cfg *config.Config, l tongue) finding {
	dir, isFile := sqliteDir(cfg)
	if !isFile {
		dir = "."
	}
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return finding{Check: l.t("磁盘"), State: "warn", Found: l.t("看不到 ") + filepath.Clean(dir) + l.t(" 的剩余空间")}
	}
	free := st.Bavail * uint64(st.Bsize)
	if free < lowDisk {
		return finding{Check: l.t("磁盘"), State: "warn", Found: l.t("只剩 %d MB", free>>20), Advice: l.t("清理磁盘；写不下时消息不会被确认，企业微信会重发")}
	}
	return ok(l.t("磁盘"), l.t("剩余 %d GB", free>>30))
}

// checkPlatform tries the token, which also tells whether our address is
// trusted, and compares the clocks.
func checkPlatform(ctx context.Context, cfg *config.Config, l tongue) []finding {
	if cfg.WeCom.App.AgentID == 0 || cfg.WeCom.CorpID == "" {
		return []finding{{Check: l.t("企业微信应用"), State: "skip", Found: l.t("没有设置自建应用")}}
	}
	ctx, cancel := context.WithTimeout(ctx, doctorTime)
	defer cancel()
	c, err := bot.NewClient(bot.ClientOptions{CorpID: cfg.WeCom.CorpID, AgentID: cfg.WeCom.App.AgentID, Secret: string(cfg.WeCom.App.Secret), APIBase: cfg.WeCom.APIBase})
	if err != nil {
		return []finding{{Check: l.t("企业微信应用"), State: "fail", Found: err.Error()}}
	}
	defer c.Close()
	var list []finding
	if err := c.Token(ctx); err != nil {
		list = append(list, platformFault(l, "access_token", err))
	} else {
		list = append(list, ok("access_token", l.t("取到了")))
		if ips, err := c.CallbackIPs(ctx); err != nil {
			list = append(list, platformFault(l, l.t("出口 IP"), err))
		} else {
			list = append(list, ok(l.t("出口 IP"), l.t("可信；企业微信的回调来自 %d 个地址", len(ips))))
		}
	}
	return append(list, checkClock(ctx, cfg, l))
}

func platformFault(l tongue, check string, err error) finding {
	var api *bot.APIError
	if errors.As(err, &api) {
		return finding{Check: check, State: "fail", Found: err.Error(), Advice: l.t(bot.Advice(api.Code))}
	}
	return finding{Check: check, State: "fail", Found: err.Error(), Advice: l.t("检查到企业微信的网络，或 wecom.api_base")}
}

// skewWarn is well inside the five minutes after which callbacks are refused.
const skewWarn = 60 * time.Second

func checkClock(ctx context.Context, cfg *config.Config, l tongue) finding {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, cfg.WeCom.APIBase, nil)
	if err != nil {
		return finding{Check: l.t("时钟"), State: "warn", Found: l.t("无法比较")}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return finding{Check: l.t("时钟"), State: "warn", Found: l.t("企业微信没有应答，无法比较")}
	}
	resp.Body.Close()
	theirs, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return finding{Check: l.t("时钟"), State: "warn", Found: l.t("企业微信的应答没有时间，无法比较")}
	}
	if d := time.Since(theirs).Abs(); d > skewWarn {
		return finding{Check: l.t("时钟"), State: "fail", Found: l.t("与企业微信差 %s", d.Round(time.Second)), Advice: l.t("打开服务器的时间同步；差到五分钟时回调会被拒绝")}
	}
	return ok(l.t("时钟"), l.t("与企业微信一致"))
}

// checkMail connects to the mail server and signs in; nothing is sent.
func checkMail(ctx context.Context, cfg *config.Config, l tongue) finding {
	if cfg.Mail.Server == "" {
		return finding{Check: l.t("邮件"), State: "skip", Found: l.t("没有设置 mail.server，告警只到群里")}
	}
	ctx, cancel := context.WithTimeout(ctx, doctorTime)
	defer cancel()
	if err := mailAnswers(ctx, cfg); err != nil {
		return finding{Check: l.t("邮件"), State: "fail", Found: err.Error(), Advice: l.t("检查 mail.server、mail.tls、账号和密码；要发的邮件都留着，修好后会补发")}
	}
	return ok(l.t("邮件"), cfg.Mail.Server+l.t(" 能登录"))
}

func checkModel(ctx context.Context, cfg *config.Config, l tongue) finding {
	if cfg.LLM.BaseURL == "" {
		return finding{Check: l.t("大模型"), State: "skip", Found: l.t("没有设置，不影响使用")}
	}
	u, err := url.Parse(cfg.LLM.BaseURL)
	if err != nil {
		return finding{Check: l.t("大模型"), State: "warn", Found: l.t("llm.base_url 不是地址")}
	}
	host := u.Host
	if u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	}
	d := net.Dialer{Timeout: doctorTime}
	conn, err := d.DialContext(ctx, "tcp", host)
	if err != nil {
		return finding{Check: l.t("大模型"), State: "warn", Found: l.t("连不上 ") + u.Host, Advice: l.t("没有它照常回答，只是少了它的帮忙；检查网络")}
	}
	conn.Close()
	return ok(l.t("大模型"), u.Host+l.t(" 可达"))
}

// checkCallback calls our own callback address as anybody could: an unsigned
// request must be refused by Frontline itself, not by a proxy before it.
func checkCallback(ctx context.Context, cfg *config.Config, l tongue) finding {
	if cfg.PublicURL == "" {
		return finding{Check: l.t("回调地址"), State: "warn", Found: l.t("没有设置 public_url，无法自测"), Advice: l.t("设置 public_url，并在企业微信后台填 public_url/wecom/app 与 /wecom/bot")}
	}
	ctx, cancel := context.WithTimeout(ctx, doctorTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, cfg.PublicURL+"/wecom/app", nil)
	if err != nil {
		return finding{Check: l.t("回调地址"), State: "fail", Found: l.t("public_url 不能用")}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return finding{Check: l.t("回调地址"), State: "fail", Found: l.t("访问不到 ") + cfg.PublicURL + "/wecom/app", Advice: l.t("frontline serve 在运行吗？代理和域名解析对吗？")}
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		return finding{Check: l.t("回调地址"), State: "warn", Found: l.t("应答 %d，本应是 401", resp.StatusCode), Advice: l.t("请求可能没有到达 Frontline：检查代理的转发规则")}
	}
	return ok(l.t("回调地址"), l.t("能访问，未签名的请求被拒绝"))
}
