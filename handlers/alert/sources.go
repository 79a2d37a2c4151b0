package alert

// Encoding is how a kind writes its requests.
type Encoding int

const (
	InJSON Encoding = iota // a JSON object or array
	InForm                 // application/x-www-form-urlencoded
	InAny                  // JSON, multipart form, or the query of a GET
)

// Kind is one kind of sender that is understood.
type Kind struct {
	Name     string
	Encoding Encoding
	Parse    func(in Input) (Delivery, error)
}

// Kinds is the one list of kinds; each also exists as a source of its own name.
var Kinds = []Kind{
	{"alertmanager", InJSON, parseAlertmanager},
	{"grafana", InJSON, parseGrafana},
	{"zabbix", InJSON, parseZabbix},
	{"nightingale", InJSON, parseNightingale},
	{"gatus", InJSON, parseGatus},
	{"uptimekuma", InAny, parseUptimeKuma},
	{"tencent", InJSON, parseTencent},
	{"aliyun", InForm, parseAliyun},
	{"generic", InJSON, parseGeneric},
}

// FindKind returns a kind by its name.
func FindKind(name string) (Kind, bool) {
	for _, k := range Kinds {
		if k.Name == name {
			return k, true
		}
	}
	return Kind{}, false
}
