package web

import (
	"errors"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/store"
)

// What senders of alerts sent and nobody understood: kept, seen, and read again
// once the source or its mapping is mended.

const (
	unreadShown = 50
	unreadBody  = 4000 // characters of one
)

type unreadRow struct {
	ID           int64
	At           time.Time
	Source, Kind string
	Fault, Body  string // masked
}

type unreadPage struct{ Rows []unreadRow }

func (s *Server) unreadAlerts(v *visit) error {
	list, err := s.opt.Store.ListAlertDeliveries(v.r.Context(), store.DeliveryDead, unreadShown)
	if err != nil {
		return err
	}
	var p unreadPage
	for _, d := range list {
		p.Rows = append(p.Rows, unreadRow{ID: d.ID, At: d.At, Source: d.Source, Kind: d.Kind, Fault: mask.Text(d.Fault), Body: mask.Text(chat.Cut(string(d.Body), unreadBody))})
	}
	return v.show("alerts_unread", p)
}

func (s *Server) retryUnread(v *visit) error {
	err := s.opt.Desk.Alerts.Retry(v.r.Context(), v.user.ID, number(v.r.PathValue("id")))
	switch {
	case errors.Is(err, store.ErrStale):
		v.notice(v.t("已经重读过了"))
	case err != nil:
		return err
	default:
		v.notice(v.t("已重新排队；还是看不懂的话会回到这里"))
	}
	return v.redirect("/alerts/unread")
}
