// Package config is every option of Frontline: its name, its default and what
// it means. The comments of the structs below are the manual; example.yaml is
// made from them.
package config

// Secret is a value that is never printed.
type Secret string

// String hides the value from logs and errors.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "***"
}

// GoString hides the value from %#v too.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides the value from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Config is the whole configuration. Values come from the file, then from
// FRONTLINE_… variables (the path in upper snake case: wecom.app.secret is
// FRONTLINE_WECOM_APP_SECRET), then from the files that FRONTLINE_…_FILE name.
type Config struct {
	// Address to listen on.
	Listen string `yaml:"listen" default:":8080"`
	// Where people reach the web pages, without a trailing slash. Links in messages begin with it.
	PublicURL string `yaml:"public_url" example:"https://desk.example.com"`
	// Time zone of working hours, schedules and times in messages.
	Timezone string `yaml:"timezone" default:"Asia/Shanghai"`
	// Language of chat, pages and help: zh or en. English covers what has been translated.
	Lang string `yaml:"lang" default:"zh"`
	// 32 bytes in base64 that seal messages and personal data (openssl rand -base64 32). Empty on SQLite: made once as
	// frontline.key beside the database. Empty on MySQL: refused. Keep a copy: without it the data cannot be read.
	EncryptionKey Secret `yaml:"encryption_key"`
	// Userids that are always administrators.
	Admins   []string `yaml:"admins" example:"[zhangwei]"`
	Database Database `yaml:"database"`
	Redis    Redis    `yaml:"redis"`
	Files    Files    `yaml:"files"`
	WeCom    WeCom    `yaml:"wecom"`
	LLM      LLM      `yaml:"llm"`
	Hooks    Hooks    `yaml:"hooks"`
	API      API      `yaml:"api"`
	Log      Log      `yaml:"log"`
	// Group chats that are known by name. What stands here is read-only in the console, which has groups of its own; one name in both is refused at start.
	Groups  []Group `yaml:"groups"`
	Tickets Tickets `yaml:"tickets"`
	// Programs that hear of what happens to tickets, signed as standardwebhooks.com says (docs/api.md).
	Webhooks []Webhook `yaml:"webhooks"`
	// Teams that work on tickets and alerts, with who is on duty when.
	ServiceGroups []ServiceGroup `yaml:"service_groups"`
	Alerts        Alerts         `yaml:"alerts"`
	Monitors      Monitors       `yaml:"monitors"`
	Mail          Mail           `yaml:"mail"`
	Heartbeat     Heartbeat      `yaml:"heartbeat"`
	Knowledge     Knowledge      `yaml:"knowledge"`
	Construct     Construct      `yaml:"construct"`
	Retention     Retention      `yaml:"retention"`
}

// Database says where everything is kept.
type Database struct {
	// sqlite:FILE (one replica, nothing else needed) or mysql://user:password@host:3306/name (several replicas; also MariaDB, TiDB).
	URL Secret `yaml:"url" default:"sqlite:frontline.db"`
}

// Redis is optional: replicas share wake-ups, access tokens and common limits through it.
type Redis struct {
	// redis://host:6379/0; empty: everything in the process.
	URL Secret `yaml:"url" example:"redis://127.0.0.1:6379/0"`
}

// Files says where attachments are kept, sealed.
type Files struct {
	// dir:PATH; empty: the folder files beside the SQLite database, or ./files. For replicas: s3://BUCKET/PREFIX?endpoint=https://HOST&region=REGION.
	URL string `yaml:"url" example:"dir:/var/lib/frontline/files"`
	// Keys of an S3-compatible object store.
	AccessKey string `yaml:"access_key"`
	SecretKey Secret `yaml:"secret_key"`
}

// WeCom is the connection to WeChat Work (企业微信).
type WeCom struct {
	// The company's id (企业 ID).
	CorpID string `yaml:"corp_id" example:"ww1234567890abcdef"`
	// Where every call to the platform goes: itself, or a proxy with a trusted address.
	APIBase string `yaml:"api_base" default:"https://qyapi.weixin.qq.com"`
	App     App    `yaml:"app"`
	Bot     Bot    `yaml:"bot"`
}

// App is the self-built app (自建应用): single chat, address list, cards.
type App struct {
	// AgentId of the app.
	AgentID int64 `yaml:"agent_id" example:"1000002"`
	// Secret of the app.
	Secret Secret `yaml:"secret"`
	// Token of its callback (接收消息), as set in the admin console; the callback's address is PUBLIC_URL/wecom/app.
	Token Secret `yaml:"token"`
	// EncodingAESKey of its callback, 43 characters.
	AESKey Secret `yaml:"aes_key"`
}

// Bot is the smart bot (智能机器人): groups and single chat. It is reached either by its callback (token and aes_key, a public address is needed) or by
// its long connection (id and secret), as chosen in the bot's settings (API 模式).
type Bot struct {
	// What people call the bot after an @.
	Name string `yaml:"name" default:"一线助手"`
	// Token of its callback (HTTP mode); the callback's address is PUBLIC_URL/wecom/bot.
	Token Secret `yaml:"token"`
	// EncodingAESKey of its callback, 43 characters.
	AESKey Secret `yaml:"aes_key"`
	// BotID for the long connection: outbound, so no public address is needed. With several replicas one of them holds it. It also lets the bot
	// speak of its own accord: to members and in groups (groups.chat_id) where somebody has spoken to it once.
	ID string `yaml:"id"`
	// Secret for the long connection.
	Secret Secret `yaml:"secret"`
	// Address of the long connection: the platform's, or a proxy's.
	WSURL string `yaml:"ws_url" default:"wss://openws.work.weixin.qq.com"`
}

// LLM is an optional language model behind any OpenAI-compatible endpoint (docs/knowledge.md). It gets masked text only.
type LLM struct {
	// Empty: off. Everything works without it.
	BaseURL string `yaml:"base_url" example:"https://llm.example.com/v1"`
	APIKey  Secret `yaml:"api_key"`
	// Model for fields, intent, answers and drafts.
	Model string `yaml:"model" example:"qwen-plus"`
	// Model for embeddings, a second way to find entries; empty: words alone. Another name makes all vectors anew.
	EmbeddingModel string `yaml:"embedding_model" example:"bge-m3"`
	// How long a question waits for its embedding before words answer alone; at most 3s.
	EmbeddingWait string `yaml:"embedding_wait" default:"400ms"`
	// The model's part in answers. words: none. choose: where the base is not sure it picks one of the candidates, or none. word: it also
	// puts an answer into words, only from entries, each sentence with its source; what does not pass the checks is not shown.
	Answers string `yaml:"answers" default:"words"`
	// Calls a day, at most; 0: no bound.
	DailyCalls int `yaml:"daily_calls" default:"20000"`
	// Tokens a day, of all and of each person; 0: no bound. What is over it is answered without the model.
	DailyTokens       int `yaml:"daily_tokens" default:"5000000"`
	DailyPersonTokens int `yaml:"daily_person_tokens" default:"100000"`
	// Money a day, in the currency of the prices, such as 50 or 12.5; 0: no bound.
	DailyCost string `yaml:"daily_cost" default:"0"`
	// Prices of a million tokens, for the figures of cost and for daily_cost.
	PromptPrice     string `yaml:"prompt_price" default:"0"`
	CompletionPrice string `yaml:"completion_price" default:"0"`
	EmbeddingPrice  string `yaml:"embedding_price" default:"0"`
}

// Hooks is the intake of alerts.
type Hooks struct {
	// Bearer token of alert senders, at least 8 characters.
	Token Secret `yaml:"token"`
}

// API is /api/v1.
type API struct {
	// Bearer token with admin rights, at least 8 characters.
	Token Secret `yaml:"token"`
}

// Log is how the program logs.
type Log struct {
	// debug, info, warn, error.
	Level string `yaml:"level" default:"info"`
	// text or json.
	Format string `yaml:"format" default:"text"`
}

// Group is one group chat.
type Group struct {
	// Name used in this file: small letters, digits and dashes.
	Name string `yaml:"name" example:"trading-support"`
	// Title people know it by.
	Title string `yaml:"title" example:"交易系统支持群"`
	// Key of the group's robot (群机器人, the part after key=). The whole credential: keep it in the environment if you can.
	RobotKey Secret `yaml:"robot_key"`
	// Chat id of the group for the smart bot.
	ChatID string `yaml:"chat_id"`
	// Userids told when something is wrong with the group.
	Owners []string `yaml:"owners" example:"[liugong]"`
}

// Retention is how long finished things are kept.
type Retention struct {
	// Days that messages and deliveries are kept after they are done. Network logs must be kept six months by law: at least 184.
	MessageDays int `yaml:"message_days" default:"190"`
}

// Alerts say who may report and which group hears of what (docs/alerts.md).
type Alerts struct {
	// Group (by name, of this file or of the console) that hears of what no route takes; empty: it is stored and shown, and nobody is told.
	DefaultGroup string `yaml:"default_group" example:"trading-support"`
	// E-mail addresses that hear of it too, each at most 58 characters.
	DefaultMails []string `yaml:"default_mails" example:"[desk@example.com]"`
	// Service group whose person on duty is told when nobody claims; empty: the leaders are.
	Duty string `yaml:"duty" example:"trading"`
	// An unclaimed P1 or P2 alert goes to the person on duty after this long; 0 never.
	Escalate string `yaml:"escalate" default:"5m"`
	// And to the leaders after this long; 0 never.
	EscalateLeader string `yaml:"escalate_leader" default:"10m"`
	// Senders with a name, a token or a mapping of their own. Every kind also is a source of its own name with hooks.token.
	Sources []AlertSource `yaml:"sources"`
	// The first route that matches groups an alert and names who hears of it; what none takes goes to default_group.
	Routes []AlertRoute `yaml:"routes"`
	// What keeps other alerts quiet while it fires.
	Inhibit []AlertInhibit `yaml:"inhibit"`
	// Windows in which alerts are stored and not told.
	Maintenance []AlertMaintenance `yaml:"maintenance"`
}

// AlertSource is one sender.
type AlertSource struct {
	// Name in its address PUBLIC_URL/hooks/NAME: small letters, digits and dashes.
	Name string `yaml:"name" example:"branch-prometheus"`
	// alertmanager, grafana, zabbix, nightingale, gatus, uptimekuma, tencent, aliyun, generic.
	Kind string `yaml:"kind" example:"alertmanager"`
	// Its own bearer token, at least 8 characters; empty: hooks.token.
	Token Secret `yaml:"token"`
	// Severity of alerts whose sender does not say: critical, major, warning, info, none.
	Severity string `yaml:"severity" example:"warning"`
	// Time zone of times without one; empty: the program's.
	Timezone string `yaml:"timezone" example:"Asia/Shanghai"`
	// Userids told when something it sends is not understood; empty: the administrators.
	Owners []string `yaml:"owners" example:"[liugong]"`
	// For kind generic: expressions (expr-lang) over body, item, headers and query. Left out: the usual names.
	Mapping AlertMapping `yaml:"mapping"`
}

// AlertMapping says where an unknown sender keeps what is needed.
type AlertMapping struct {
	// The list of alerts in the body.
	Items string `yaml:"items" example:"body.events"`
	// Which items are alerts.
	When string `yaml:"when" example:"item.type == 'alarm'"`
	// Name of the alert: what is grouped by.
	Name string `yaml:"name" example:"item.rule"`
	// One line for people.
	Title string `yaml:"title" example:"item.host + ' ' + item.rule"`
	// More for people.
	Text string `yaml:"text" example:"item.detail"`
	// resolved, ok or recovered ends the alert; everything else fires.
	State string `yaml:"state" example:"item.status"`
	// critical, major, warning, info, none.
	Severity string `yaml:"severity" example:"item.level"`
	// The measured value.
	Value string `yaml:"value" example:"item.current"`
	// When it began.
	StartedAt string `yaml:"started_at" example:"item.since"`
	// An object of labels.
	Labels string `yaml:"labels" example:"item.tags"`
	// An address to look at.
	URL string `yaml:"url" example:"item.link"`
	// What tells one alert from another; left out: id, fingerprint, else name and labels.
	Identity []string `yaml:"identity" example:"[item.id]"`
}

// AlertRoute sends alerts to groups.
type AlertRoute struct {
	// Name of the route.
	Name string `yaml:"name" example:"banks"`
	// All of these must match: label=value, !=, =~ and !~ with an expression for the whole value. source, kind, name and severity are labels too.
	Match []string `yaml:"match" example:"[system=三方存管]"`
	// Groups (by name) that hear of them.
	Groups []string `yaml:"groups" example:"[trading-support]"`
	// E-mail addresses that hear of them too (mail).
	Mails []string `yaml:"mails" example:"[banks@example.com]"`
	// Labels whose values put alerts together.
	GroupBy []string `yaml:"group_by" example:"[source, name]"`
	// Wait for company before the first message; what is critical does not wait.
	Wait string `yaml:"wait" example:"20s"`
	// Between messages about what is new in a group.
	Interval string `yaml:"interval" example:"2m"`
	// Between reminders of what still fires and nobody claimed.
	Repeat string `yaml:"repeat" example:"1h"`
	// Reminders at most.
	RepeatMost int `yaml:"repeat_most" example:"4"`
	// Service group whose person on duty is told; empty: alerts.duty.
	Duty string `yaml:"duty" example:"banks"`
	// Look at the routes below for more groups that hear of them.
	Continue bool `yaml:"continue" example:"false"`
	// Silences do not apply: its groups keep hearing.
	IgnoresSilences bool `yaml:"ignores_silences" example:"false"`
}

// AlertInhibit keeps targets quiet while a source fires.
type AlertInhibit struct {
	// Matchers of what is known to be the cause.
	Source []string `yaml:"source" example:"[name=行情网关不可达]"`
	// Matchers of what then is quiet.
	Target []string `yaml:"target" example:"[severity=warning]"`
	// Labels that must have the same value on both sides; one that is missing is not the same.
	Equal []string `yaml:"equal" example:"[system]"`
}

// AlertMaintenance is a window in which alerts are not told.
type AlertMaintenance struct {
	// Name of the window.
	Name string `yaml:"name" example:"周五升级"`
	// When it begins: cron with five fields, or one instant as 2006-01-02 15:04.
	When string `yaml:"when" example:"0 20 * * 5"`
	// How long it lasts, at most 72h.
	For string `yaml:"for" example:"3h"`
	// What it applies to; none: everything.
	Match []string `yaml:"match" example:"[system=集中交易]"`
}

// Monitors check business data by the clock (docs/monitors.md). Their alerts take the routes of alerts, with source=monitor and the labels
// monitor, rule, system and owner.
type Monitors struct {
	// Folder of items (*.yaml), read again when a file changes; empty: none.
	Dir string `yaml:"dir" example:"/etc/frontline/monitors"`
	// Folder of programs that items of kind command may run; empty: none. Whoever may write there runs code here.
	Commands string `yaml:"commands" example:"/etc/frontline/monitor-commands"`
	// Systems that items ask, by name.
	Sources []MonitorSource `yaml:"sources"`
}

// MonitorSource is one system that monitors may ask. Give it an account that can only read.
type MonitorSource struct {
	// Name that items use.
	Name string `yaml:"name" example:"trade.ro"`
	// mysql://user:password@host:3306/name, postgres://user:password@host/name, sqlite:FILE, or https://host for answers in JSON.
	URL Secret `yaml:"url" example:"mysql://reader:password@db.example.com:3306/trade"`
	// Bearer token, of https.
	Token Secret `yaml:"token"`
}

// Mail is a second way for alerts, beside the group chats: routes name who gets it (alerts.routes mails, alerts.default_mails).
// It waits in the same outbox as every other word and shows among the deliveries.
type Mail struct {
	// Server as host:port; empty: no mail.
	Server string `yaml:"server" example:"smtp.example.com:587"`
	// starttls (usual with 587; refused where the server has none), tls (usual with 465), or none (only inside a network that is safe).
	TLS string `yaml:"tls" default:"starttls"`
	// PEM file of further authorities that the server's certificate may come from; empty: the system's only.
	CAFile   string `yaml:"ca_file" example:"/etc/frontline/ca.pem"`
	Username string `yaml:"username" example:"alert@example.com"`
	Password Secret `yaml:"password"`
	// Sender, with a name if wanted.
	From string `yaml:"from" example:"'证券Alert邮件 <alert@example.com>'"`
}

// Heartbeat is the program's own sign of life: it calls somebody else regularly, who notices when it does not. What calls in
// here are items of kind heartbeat (docs/monitors.md).
type Heartbeat struct {
	// Address that gets a POST, by one replica and only while the database can be written; empty: off. Another Frontline's
	// heartbeat, or any service that expects calls.
	URL Secret `yaml:"url" example:"https://watch.example.com/beat/TOKEN"`
	// How often, at least 10s.
	Every string `yaml:"every" default:"1m"`
}

// Knowledge is how the knowledge base is kept.
type Knowledge struct {
	// Whether what is published must have been written by somebody else: who wrote the words last cannot publish them.
	SecondPerson bool `yaml:"second_person" default:"false"`
}

// Construct is the making of test data (docs/construct.md). It is off unless said otherwise, and never starts in production.
type Construct struct {
	// Whether recipes may run.
	Enabled bool `yaml:"enabled" default:"false"`
	// The network zone of this installation. With prod the program refuses to start data construction.
	Zone string `yaml:"zone" default:"office"`
	// Folder of recipes (*.yaml); empty: the three that are built in.
	Recipes string `yaml:"recipes" example:"/etc/frontline/recipes"`
	// Folder of environments (*.yaml), each an allow-list of targets; "frontline uat -environment" writes one to start from.
	Environments string `yaml:"environments" example:"/etc/frontline/environments"`
	// Networks that nothing may reach, whatever an environment allows. Production belongs here.
	DenyCIDRs []string `yaml:"deny_cidrs" example:"[10.8.0.0/16]"`
	// Host names that nothing may reach; * stands for anything.
	DenyHosts []string `yaml:"deny_hosts" example:"['*.prod.example.com']"`
}
