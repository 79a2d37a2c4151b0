package uat

import (
	"database/sql"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// node is XML of a request, by local names.
type node struct {
	XMLName xml.Name
	Text    string `xml:",chardata"`
	Kids    []node `xml:",any"`
}

func (n node) get(name string) string {
	for _, k := range n.Kids {
		if k.XMLName.Local == name {
			return strings.TrimSpace(k.Text)
		}
	}
	return ""
}

// account answers SOAP 1.1 and 1.2. A caller that accepts GBK gets GBK.
func (s *Server) account(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	var env node
	if err != nil || xml.Unmarshal(raw, &env) != nil || env.XMLName.Local != "Envelope" || len(env.Kids) == 0 {
		s.fault(w, r, http.StatusInternalServerError, "Client", "不是 SOAP")
		return
	}
	body := env.Kids[len(env.Kids)-1]
	if len(body.Kids) != 1 {
		s.fault(w, r, http.StatusInternalServerError, "Client", "Body 里要有一个操作")
		return
	}
	op := body.Kids[0]
	f := s.arrive(r.Context(), op.XMLName.Local)
	switch {
	case f == nil:
	case f.Kind == "error":
		http.Error(w, "内部错误", http.StatusInternalServerError)
		return
	case f.Kind == "fault": // as some servers do: a fault with 200
		s.fault(w, r, http.StatusOK, "Server", "柜台忙")
		return
	case f.Kind == "code":
		s.soap(w, r, op.XMLName.Local, "<code>"+f.Code+"</code><msg>业务受限</msg>")
		return
	case f.Kind == "drop":
		drop(w)
		return
	}
	out, err := s.accountOp(op)
	if err != nil {
		s.fault(w, r, http.StatusInternalServerError, "Server", err.Error())
		return
	}
	if f != nil && f.Kind == "lose" {
		drop(w)
		return
	}
	s.soap(w, r, op.XMLName.Local, out)
}

func (s *Server) accountOp(op node) (string, error) {
	tx, err := s.db.Begin()
	if err != nil {
		return "", err
	}
	defer tx.Rollback()
	var out string
	switch op.XMLName.Local {
	case "openCustomer":
		out, err = s.openCustomer(tx, op)
	case "closeCustomer":
		res, e := tx.Exec("delete from customer where cust_no = ?", op.get("custNo"))
		if err = e; err == nil {
			if n, _ := res.RowsAffected(); n == 0 {
				return answer("1404", "没有这个客户"), nil
			}
			out = answer("0", "")
		}
	case "queryCustomer":
		out, err = s.customers(tx, "cust_no", op.get("custNo"))
	case "queryCustomerByIdNo":
		out, err = s.customers(tx, "id_no", op.get("idNo"))
	default:
		return "", fmt.Errorf("没有操作 %s", op.XMLName.Local)
	}
	if err != nil {
		return "", err
	}
	return out, tx.Commit()
}

func answer(code, msg string) string {
	return "<code>" + code + "</code><msg>" + escape(msg) + "</msg>"
}

func escape(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s))
	return b.String()
}

func (s *Server) openCustomer(tx *sql.Tx, op node) (string, error) {
	for _, need := range []string{"custName", "idNo", "branchNo", "reqNo"} {
		if op.get(need) == "" {
			return answer("1002", "缺 "+need), nil
		}
	}
	var no string
	err := tx.QueryRow("select cust_no from customer where req_no = ?", op.get("reqNo")).Scan(&no)
	if err == nil { // the same request again
		return answer("0", "") + "<custNo>" + no + "</custNo>", nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return "", err
	}
	var taken int
	if err := tx.QueryRow("select count(*) from customer where id_no = ?", op.get("idNo")).Scan(&taken); err != nil {
		return "", err
	}
	if taken > 0 {
		return answer("1001", "证件号已存在"), nil
	}
	n, err := next(tx, "customer")
	if err != nil {
		return "", err
	}
	no = fmt.Sprintf("99%08d", n)
	_, err = tx.Exec("insert into customer values (?,?,?,?,?,?,?,'正常',?)", no, op.get("reqNo"), op.get("custName"), op.get("idNo"), op.get("mobile"), op.get("branchNo"), op.get("riskLevel"), time.Now().UnixMilli())
	return answer("0", "") + "<custNo>" + no + "</custNo>", err
}

func (s *Server) customers(tx *sql.Tx, col, v string) (string, error) {
	rows, err := tx.Query("select cust_no, cust_name, id_no, status, opened from customer where "+col+" = ?", v)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var b strings.Builder
	b.WriteString(answer("0", "") + "<rows>")
	for rows.Next() {
		var no, name, id, status string
		var opened int64
		if err := rows.Scan(&no, &name, &id, &status, &opened); err != nil {
			return "", err
		}
		if time.Since(time.UnixMilli(opened)) < s.opt.Slow {
			status = "待激活"
		}
		fmt.Fprintf(&b, "<row><custNo>%s</custNo><custName>%s</custName><idNo>%s</idNo><status>%s</status></row>", no, escape(name), id, status)
	}
	b.WriteString("</rows>")
	return b.String(), rows.Err()
}

func soapVersion(r *http.Request) (ns, kind string) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/soap+xml") {
		return "http://www.w3.org/2003/05/soap-envelope", "application/soap+xml"
	}
	return "http://schemas.xmlsoap.org/soap/envelope/", "text/xml"
}

func (s *Server) soap(w http.ResponseWriter, r *http.Request, op, inner string) {
	ns, kind := soapVersion(r)
	s.xml(w, r, http.StatusOK, kind, `<soap:Envelope xmlns:soap="`+ns+`"><soap:Body><`+op+`Response xmlns="urn:example:account">`+inner+`</`+op+`Response></soap:Body></soap:Envelope>`)
}

func (s *Server) fault(w http.ResponseWriter, r *http.Request, status int, code, why string) {
	ns, kind := soapVersion(r)
	inner := `<faultcode>soap:` + code + `</faultcode><faultstring>` + escape(why) + `</faultstring>`
	if kind == "application/soap+xml" {
		inner = `<soap:Code><soap:Value>soap:` + code + `</soap:Value></soap:Code><soap:Reason><soap:Text>` + escape(why) + `</soap:Text></soap:Reason>`
	}
	s.xml(w, r, status, kind, `<soap:Envelope xmlns:soap="`+ns+`"><soap:Body><soap:Fault>`+inner+`</soap:Fault></soap:Body></soap:Envelope>`)
}

// xml writes GBK, as the old account system does.
func (s *Server) xml(w http.ResponseWriter, _ *http.Request, status int, kind, text string) {
	raw, err := simplifiedchinese.GB18030.NewEncoder().String(`<?xml version="1.0" encoding="GBK"?>` + text)
	if err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", kind+"; charset=GBK")
	w.WriteHeader(status)
	io.WriteString(w, raw)
}
