package construct

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"frontline/handlers/construct/gen"
	"frontline/handlers/mask"
)

// Guard keeps data construction away from production. Each layer alone stops
// it; none can be switched off from outside.
type Guard struct {
	// Deny wins over everything that an environment allows.
	DenyCIDR  []netip.Prefix
	DenyHosts []string // patterns: *.prod.example.com
	off       map[int]bool
}

// The layers, as construct-monitor numbers them. 1 is in load.go, 2 in
// environment.go, 8 in the databases themselves, 9 in Open.
const (
	layerAllow    = 2
	layerDeny     = 3
	layerDial     = 4
	layerRedirect = 5
	layerIdentity = 6
	layerData     = 7
	layerRights   = 8
)

// Forbidden is a refusal by a layer; nothing was sent.
type Forbidden struct {
	Layer int
	Why   string
}

func (f Forbidden) Error() string {
	return fmt.Sprintf("已拒绝（防线 %d）：%s", f.Layer, f.Why)
}

func (g *Guard) on(layer int) bool { return g == nil || !g.off[layer] }

// Host checks a name before it is resolved.
func (g *Guard) Host(host string) error {
	if g == nil || !g.on(layerDeny) {
		return nil
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	for _, p := range g.DenyHosts {
		if ok, _ := path.Match(strings.ToLower(p), host); ok {
			return Forbidden{layerDeny, "主机在禁止名单里"}
		}
	}
	return nil
}

// Addr checks the address that a connection really goes to, after the name was
// resolved, for every protocol.
func (g *Guard) Addr(t *Target, address string) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return Forbidden{layerDial, "认不出目标地址"}
	}
	ip := ap.Addr().Unmap().WithZone("")
	in := func(list []netip.Prefix) bool {
		return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(ip) })
	}
	if g != nil && g.on(layerDeny) && in(g.DenyCIDR) {
		return Forbidden{layerDeny, "地址在禁止网段里"}
	}
	if g.on(layerDial) && !in(t.CIDR) {
		return Forbidden{layerDial, "地址不在目标 " + t.Name + " 的网段里"}
	}
	return nil
}

// dialer dials for one target only.
func (g *Guard) dialer(t *Target) func(ctx context.Context, network, addr string) (net.Conn, error) {
	d := &net.Dialer{Timeout: 5 * time.Second, Control: func(_, address string, _ syscall.RawConn) error { return g.Addr(t, address) }}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		if err := g.Host(host); err != nil {
			return nil, err
		}
		return d.DialContext(ctx, "tcp", addr)
	}
}

// Data refuses a write that holds somebody's number: everything that looks like
// an identity number, a phone or a card must be from a range that hits nobody.
func (g *Guard) Data(p gen.Profile, request string) error {
	if !g.on(layerData) {
		return nil
	}
	for _, f := range mask.All(request) {
		kind := map[mask.Kind]string{mask.Identity: "identity", mask.Phone: "phone", mask.Card: "card"}[f.Kind]
		if kind != "" && !f.Slip && !gen.Fictional(p, kind, f.Value) {
			what := map[string]string{"identity": "证件号", "phone": "手机号", "card": "卡号"}[kind]
			return Forbidden{layerData, "请求里的" + what + " " + f.Mask() + " 可能是真人的，只能用生成的号码"}
		}
	}
	return nil
}

// Allowed checks both allow-lists and the right on the target.
func (g *Guard) Allowed(e *Environment, r *Recipe, target, right string) (*Target, error) {
	if g.on(layerAllow) {
		if !e.Allows(r) {
			return nil, Forbidden{layerAllow, "环境 " + e.Name + " 不许用配方 " + r.Name}
		}
		if !slices.Contains([]string{"sit", "uat", "perf"}, e.Class) {
			return nil, Forbidden{layerAllow, "环境 " + e.Name + " 不是测试环境"}
		}
	}
	t := e.Targets[target]
	if t == nil {
		return nil, Forbidden{layerAllow, "环境 " + e.Name + " 没有目标 " + target}
	}
	if g.on(layerAllow) && !t.May(right) {
		return nil, Forbidden{layerAllow, "目标 " + target + " 没有给 " + right + " 的权限"}
	}
	return t, nil
}

// checkStatement lets one statement through that reads or changes rows; the
// account has no rights for anything else either (layer 8).
func checkStatement(q string, read bool) error {
	q = strings.TrimSpace(q)
	if strings.Contains(strings.TrimSuffix(q, ";"), ";") {
		return errors.New("一次只能一条 SQL")
	}
	verb, _, _ := strings.Cut(strings.ToLower(q), " ")
	verb = strings.TrimSpace(verb)
	low := strings.ToLower(q)
	switch {
	case strings.Contains(low, "into outfile"), strings.Contains(low, "load_file"), strings.Contains(low, "/*"), strings.Contains(low, "--"):
		return errors.New("SQL 里不能有注释或读写文件")
	case read && verb != "select":
		return errors.New("read: true 的 SQL 只能是 select")
	case !read && !slices.Contains([]string{"insert", "update", "delete", "replace"}, verb):
		return errors.New("SQL 只能是 insert、update、delete；查询要写 read: true")
	case (verb == "update" || verb == "delete") && !strings.Contains(low, " where "):
		return errors.New("update 和 delete 要有 where")
	}
	return nil
}
