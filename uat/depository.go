package uat

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"time"
)

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

// do runs one operation of the depository with its faults.
func (s *Server) do(w http.ResponseWriter, r *http.Request, op string, fn func(tx *sql.Tx) (int, any, error)) {
	f := s.arrive(r.Context(), op)
	if s.failed(w, f) {
		return
	}
	if f != nil && f.Kind == "code" {
		reply(w, http.StatusConflict, map[string]string{"code": f.Code, "msg": "业务受限"})
		return
	}
	tx, err := s.db.Begin()
	if err == nil {
		defer tx.Rollback()
		var status int
		var v any
		if status, v, err = fn(tx); err == nil {
			if err = tx.Commit(); err == nil {
				if f != nil && f.Kind == "lose" {
					drop(w)
					return
				}
				reply(w, status, v)
				return
			}
		}
	}
	reply(w, http.StatusInternalServerError, map[string]string{"code": "9999", "msg": err.Error()})
}

func no(code, msg string) (int, any, error) {
	return http.StatusConflict, map[string]string{"code": code, "msg": msg}, nil
}

// sign makes an agreement and, at the bank, the account of the card.
func (s *Server) sign(w http.ResponseWriter, r *http.Request) {
	var in struct{ FundAccount, BankCode, CardNo, IDNo, Name string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.FundAccount == "" || in.CardNo == "" {
		reply(w, http.StatusBadRequest, map[string]string{"code": "2000", "msg": "缺字段"})
		return
	}
	key := r.Header.Get("Idempotency-Key")
	s.do(w, r, "POST /agreements", func(tx *sql.Tx) (int, any, error) {
		var id string
		err := tx.QueryRow("select id from agreement where req_no = ? and req_no <> ''", key).Scan(&id)
		if err == nil {
			return http.StatusOK, map[string]string{"id": id, "state": "PENDING", "msg": ""}, nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return 0, nil, err
		}
		n, err := next(tx, "agreement")
		if err != nil {
			return 0, nil, err
		}
		id = fmt.Sprintf("AG%06d", n)
		if _, err := tx.Exec("insert into agreement values (?,?,?,?,?,?,?,?,'SIGNED')", id, key, in.FundAccount, in.BankCode, in.CardNo, in.IDNo, in.Name, time.Now().UnixMilli()); err != nil {
			return 0, nil, err
		}
		_, err = tx.Exec("insert into bank_account values (?,?,?,'50000000.00','NORMAL') on conflict (card_no) do nothing", in.CardNo, in.Name, in.IDNo)
		return http.StatusCreated, map[string]string{"id": id, "state": "PENDING", "msg": ""}, err
	})
}

func (s *Server) agreement(w http.ResponseWriter, r *http.Request) {
	s.do(w, r, "GET /agreements", func(tx *sql.Tx) (int, any, error) {
		var state string
		var opened int64
		err := tx.QueryRow("select state, opened from agreement where id = ?", r.PathValue("id")).Scan(&state, &opened)
		if errors.Is(err, sql.ErrNoRows) {
			return http.StatusNotFound, map[string]string{"code": "2404", "msg": "没有这个协议"}, nil
		}
		if time.Since(time.UnixMilli(opened)) < s.opt.Slow {
			state = "PENDING"
		}
		return http.StatusOK, map[string]string{"id": r.PathValue("id"), "state": state}, err
	})
}

func (s *Server) unsign(w http.ResponseWriter, r *http.Request) {
	s.do(w, r, "DELETE /agreements", func(tx *sql.Tx) (int, any, error) {
		var card string
		err := tx.QueryRow("select card_no from agreement where id = ?", r.PathValue("id")).Scan(&card)
		if errors.Is(err, sql.ErrNoRows) {
			return http.StatusNotFound, map[string]string{"code": "2404", "msg": "没有这个协议"}, nil
		}
		if err == nil {
			_, err = tx.Exec("delete from agreement where id = ?", r.PathValue("id"))
		}
		if err == nil {
			_, err = tx.Exec("delete from bank_account where card_no = ?", card)
		}
		return http.StatusOK, map[string]string{"code": "0"}, err
	})
}

// cents reads an amount without a float.
func cents(text string) (int64, bool) {
	r, ok := new(big.Rat).SetString(text)
	if !ok || r.Sign() <= 0 {
		return 0, false
	}
	r.Mul(r, big.NewRat(100, 1))
	return r.Num().Int64(), r.IsInt() && r.Num().IsInt64()
}

// transfer moves money between bank and fund account; the same request number
// moves it once. It refuses what does not fit the account, as the real one does.
func (s *Server) transfer(w http.ResponseWriter, r *http.Request) {
	var in struct{ FundAccount, Direction, Amount, RequestNo string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		reply(w, http.StatusBadRequest, map[string]string{"code": "2000", "msg": "缺字段"})
		return
	}
	s.do(w, r, "POST /transfers", func(tx *sql.Tx) (int, any, error) {
		n, ok := cents(in.Amount)
		if !ok {
			return no("2003", "金额不对")
		}
		var done int
		if err := tx.QueryRow("select count(*) from transfer where req_no = ?", in.RequestNo).Scan(&done); err != nil {
			return 0, nil, err
		}
		if done > 0 {
			return http.StatusOK, map[string]string{"code": "0"}, nil
		}
		var name, id, card, bankName, bankID, status string
		var balance string
		err := tx.QueryRow(`select g.name, g.id_no, g.card_no, b.acct_name, b.id_no, b.balance, b.status from agreement g join bank_account b on b.card_no = g.card_no where g.fund_no = ?`, in.FundAccount).Scan(&name, &id, &card, &bankName, &bankID, &balance, &status)
		if errors.Is(err, sql.ErrNoRows) {
			return no("2404", "没有签约")
		}
		if err != nil {
			return 0, nil, err
		}
		have, round := cents(balance)
		var moved int64
		if err := tx.QueryRow("select coalesce(sum(case direction when 'IN' then cents else -cents end), 0) from transfer where fund_no = ?", in.FundAccount).Scan(&moved); err != nil {
			return 0, nil, err
		}
		switch {
		case name != bankName:
			return no("2101", "户名与银行不一致")
		case id != bankID:
			return no("2102", "证件号与银行不一致")
		case status != "NORMAL":
			return no("2104", "银行账户已销户")
		case !round || have+moved != 5_000_000_000:
			return no("2103", "银行余额与账户信息不符")
		}
		sign := n
		if in.Direction == "OUT" {
			sign = -n
		}
		var after int64
		if err := tx.QueryRow("update fund_account set balance = balance + ? where fund_no = ? returning balance", sign, in.FundAccount).Scan(&after); err != nil {
			return 0, nil, err
		}
		if after < 0 {
			return 0, nil, errors.New("余额不足")
		}
		if _, err := tx.Exec("update bank_account set balance = ? where card_no = ?", money(have-sign), card); err != nil {
			return 0, nil, err
		}
		_, err = tx.Exec("insert into transfer values (?,?,?,?)", in.RequestNo, in.FundAccount, in.Direction, n)
		return http.StatusOK, map[string]string{"code": "0"}, err
	})
}
