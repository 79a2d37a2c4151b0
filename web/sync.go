package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/store"
)

// syncTime leaves time to answer before the connection's own end.
const syncTime = 25 * time.Second

// syncMembers makes the members what the address list says, now.
func (s *Server) syncMembers(v *visit) error {
	ctx, cancel := context.WithTimeout(v.r.Context(), syncTime)
	defer cancel()
	done, err := s.opt.Desk.SyncMembers(ctx, v.user.ID)
	var refused chat.Refusal
	switch {
	case errors.As(err, &refused):
		return conflict(v.t(refused.Text))
	case errors.Is(err, store.ErrShortList):
		return conflict(v.t("通讯录里的人不到现有同事的一半，没有做任何改动。请到企业微信管理后台检查应用的可见范围，再同步"))
	case errors.Is(err, handlers.ErrDirectory):
		s.opt.Log.Warn("address list not read", "err", err)
		return problem{http.StatusBadGateway, v.t("读不到企业微信的通讯录，没有做任何改动。请到「设置与体检」看看是哪里不通")}
	case err != nil:
		return err
	}
	v.notice(v.t("通讯录已同步：新增 %d 人，更新 %d 人，离开 %d 人，恢复 %d 人", done.Added, done.Changed, done.Left, done.Back))
	return v.redirect("/users")
}
