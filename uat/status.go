package uat

import (
	"encoding/json"
	"net/http"
	"strings"
)

// Shanghai A accounts by trading status on an ordinary day: what monitors look
// at. First-day designation is there on some days only.
var ordinary = []struct {
	status string
	n      int
}{{"状态异常", 33}, {"已指定", 9300}, {"未指定", 13}}

// seedStatus fills the accounts once.
func (s *Server) seedStatus() error {
	var n int
	if err := s.db.QueryRow("select count(*) from stock_account").Scan(&n); err != nil || n > 0 {
		return err
	}
	for _, o := range ordinary {
		if _, err := s.db.Exec(`with recursive n(i) as (select 1 union all select i + 1 from n where i < ?)
			insert into stock_account select printf('A999%06d', i + (select count(*) from stock_account)), 'SH', ?, '2024-01-02' from n`, o.n, o.status); err != nil {
			return err
		}
	}
	return nil
}

// changeStatus moves n accounts from one status to another, so that a monitor
// has something to find.
func (s *Server) changeStatus(w http.ResponseWriter, r *http.Request) {
	var c struct {
		From, To string
		N        int
	}
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil || strings.TrimSpace(c.From) == "" || strings.TrimSpace(c.To) == "" || c.N < 1 {
		http.Error(w, "a change is {from, to, n}", http.StatusBadRequest)
		return
	}
	if _, err := s.db.ExecContext(r.Context(), "update stock_account set status = ? where account in (select account from stock_account where status = ? order by account limit ?)", c.To, c.From, c.N); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
