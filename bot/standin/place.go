package standin

import (
	"strconv"
	"strings"
)

// Place is where something is said: "app:1000002" and "bot:ID" are a member's
// single chats, "group:CHATID" is a group.
type Place string

// AppPlace is the single chat with an app.
func AppPlace(agentID int) Place { return Place("app:" + strconv.Itoa(agentID)) }

// BotPlace is the single chat with a smart bot.
func BotPlace(id string) Place { return Place("bot:" + id) }

// GroupPlace is a group chat.
func GroupPlace(chatID string) Place { return Place("group:" + chatID) }

func (p Place) split() (kind, id string) {
	kind, id, _ = strings.Cut(string(p), ":")
	return kind, id
}

func (p Place) kind() string {
	kind, _ := p.split()
	return kind
}

// feedKey names the feed that shows what is said at p: the group's own, or the member's.
func (p Place) feedKey(user string) string {
	if p.kind() == "group" {
		return string(p)
	}
	return "user:" + user
}
