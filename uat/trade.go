package uat

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
)

type row map[string]string

// trade is the middleware: a function code with named text fields.
func (s *Server) trade(fn string, in map[string]string) (code, msg string, rows []row, err error) {
	tx, err := s.db.Begin()
	if err != nil {
		return "", "", nil, err
	}
	defer tx.Rollback()
	code = "0"
	change := func(q string, args ...any) error {
		res, err := tx.Exec(q, args...)
		if err != nil {
			return err
		}
		if n, _ := res.RowsAffected(); n == 0 {
			code, msg = "2404", "没有这个账户"
		}
		return nil
	}
	switch fn {
	case "ENV":
		return "0", s.opt.Name, nil, nil
	case "OPEN_FUND_ACCOUNT":
		code, msg, rows, err = s.openFund(tx, in)
	case "CLOSE_FUND_ACCOUNT":
		if err = change("delete from fund_account where fund_no = ?", in["FUND_ACCOUNT"]); err == nil && code == "2404" {
			code = "0"
		}
	case "QUERY_FUND":
		var cents int64
		var status string
		err = tx.QueryRow("select balance, status from fund_account where fund_no = ?", in["FUND_ACCOUNT"]).Scan(&cents, &status)
		if errors.Is(err, sql.ErrNoRows) {
			return "2404", "没有这个账户", nil, nil
		}
		rows = []row{{"FUND_ACCOUNT": in["FUND_ACCOUNT"], "AVAILABLE": money(cents), "STATUS": status}}
	case "DESIGNATE":
		err = change("update fund_account set designated = ? where sh_acct = ?", in["SEAT"], in["SH_ACCT"])
	case "UNDESIGNATE":
		err = change("update fund_account set designated = '' where sh_acct = ?", in["SH_ACCT"])
	case "PERMIT":
		err = change("update fund_account set gem = '1' where fund_no = ?", in["FUND_ACCOUNT"])
	case "REVOKE":
		err = change("update fund_account set gem = '' where fund_no = ?", in["FUND_ACCOUNT"])
	default:
		return "9001", "没有功能 " + fn, nil, nil
	}
	if err != nil {
		return "", "", nil, err
	}
	return code, msg, rows, tx.Commit()
}

func (s *Server) openFund(tx *sql.Tx, in map[string]string) (string, string, []row, error) {
	var fund, sh, sz string
	err := tx.QueryRow("select fund_no, sh_acct, sz_acct from fund_account where req_no = ?", in["REQ_NO"]).Scan(&fund, &sh, &sz)
	if errors.Is(err, sql.ErrNoRows) || in["REQ_NO"] == "" {
		var have int
		if err := tx.QueryRow("select count(*) from customer where cust_no = ?", in["CUST_CODE"]).Scan(&have); err != nil {
			return "", "", nil, err
		}
		if have == 0 {
			return "2001", "没有这个客户", nil, nil
		}
		n, err := next(tx, "fund")
		if err != nil {
			return "", "", nil, err
		}
		fund, sh, sz = fmt.Sprintf("%s%08d", in["BRANCH"], n), fmt.Sprintf("A9999%05d", n), fmt.Sprintf("0099%06d", n)
		var req any
		if in["REQ_NO"] != "" {
			req = in["REQ_NO"]
		}
		_, err = tx.Exec("insert into fund_account values (?,?,?,?,?,?,0,'正常','','')", fund, req, in["CUST_CODE"], in["BRANCH"], sh, sz)
		if err != nil {
			return "", "", nil, err
		}
	} else if err != nil {
		return "", "", nil, err
	}
	return "0", "", []row{{"FUND_ACCOUNT": fund, "SH_ACCT": sh, "SZ_ACCT": sz}}, nil
}

func money(cents int64) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }

func (s *Server) callHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Func   string            `json:"func"`
		Fields map[string]string `json:"fields"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, "要 {func, fields}", http.StatusBadRequest)
		return
	}
	f := s.arrive(r.Context(), in.Func)
	if s.failed(w, f) {
		return
	}
	code, msg, rows, err := s.trade(in.Func, in.Fields)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if f != nil && f.Kind == "lose" {
		drop(w)
		return
	}
	if f != nil && f.Kind == "code" {
		code, msg, rows = f.Code, "业务受限", nil
	}
	if rows == nil {
		rows = []row{}
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"code": code, "level": level(code), "msg": msg, "sets": [][]row{rows}})
}

func level(code string) string {
	if code == "0" {
		return "0"
	}
	return "1"
}

// failed answers for a fault before anything was done.
func (s *Server) failed(w http.ResponseWriter, f *Fault) bool {
	switch {
	case f == nil:
		return false
	case f.Kind == "error":
		http.Error(w, "内部错误", http.StatusInternalServerError)
		return true
	case f.Kind == "drop":
		drop(w)
		return true
	}
	return false
}

// serveTCP speaks the same over TCP: four bytes of length, then GBK text.
func (s *Server) serveTCP() {
	for {
		c, err := s.tcp.Accept()
		if err != nil {
			return
		}
		s.done.Go(func() {
			defer c.Close()
			c.SetDeadline(time.Now().Add(30 * time.Second))
			s.frame(c)
		})
	}
}

func (s *Server) frame(c net.Conn) {
	var head [4]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > 1<<20 {
		return
	}
	raw := make([]byte, n)
	if _, err := io.ReadFull(c, raw); err != nil {
		return
	}
	text, err := simplifiedchinese.GB18030.NewDecoder().Bytes(raw)
	if err != nil {
		return
	}
	parts := fields(string(text), '|')
	in := map[string]string{}
	for _, p := range parts[1:] {
		if kv := fields(p, '='); len(kv) == 2 {
			in[unescape(kv[0])] = unescape(kv[1])
		}
	}
	fn := unescape(parts[0])
	f := s.arrive(context.Background(), fn)
	if f != nil && f.Kind == "drop" {
		return
	}
	code, msg, rows, err := s.trade(fn, in)
	if err != nil {
		code, msg = "9999", err.Error()
	}
	if f != nil && f.Kind == "lose" {
		return
	}
	if f != nil && f.Kind == "code" {
		code, msg, rows = f.Code, "业务受限", nil
	}
	out := guard(code) + "|" + level(code) + "|" + guard(msg)
	for _, r := range rows {
		var cells []string
		for k, v := range r {
			cells = append(cells, guard(k)+"="+guard(v))
		}
		out += "\n" + strings.Join(cells, "|")
	}
	b, err := simplifiedchinese.GB18030.NewEncoder().String(out)
	if err != nil {
		return
	}
	c.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...))
}

func fields(s string, at byte) (out []string) {
	from := 0
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			i++
		} else if s[i] == at {
			out, from = append(out, s[from:i]), i+1
		}
	}
	return append(out, s[from:])
}

func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
			if s[i] == 'n' {
				b.WriteByte('\n')
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

var guards = strings.NewReplacer(`\`, `\\`, "|", `\|`, "=", `\=`, "\n", `\n`)

func guard(s string) string { return guards.Replace(s) }
