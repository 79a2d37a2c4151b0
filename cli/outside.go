package cli

import (
	"context"
	"net/http"
	"strings"

	"frontline/bot"
	"frontline/bot/chat"
	"frontline/store"
)

// What the desk asks of the platform, fitted to what the platform's client has.

// maxAttachment is the largest attachment that is kept (the smart bot's files
// may be 100 MB; a support desk needs screenshots and logs).
const maxAttachment = 32 << 20

// attachments fetches by either door and keeps the bytes sealed.
type attachments struct {
	client *bot.Client
	bot    *bot.MediaFetcher
	keys   []*bot.Keys
	files  *store.Files
}

func (a *attachments) Fetch(ctx context.Context, m chat.Media) (chat.Media, error) {
	var name, kind string
	var content []byte
	var err error
	if m.URL != "" {
		var f bot.MediaFile
		if f, err = a.bot.Fetch(ctx, m, a.keys); err == nil {
			name, kind, content = f.Name, f.Type, f.Body
		}
	} else {
		name, content, err = a.client.MediaByID(ctx, m.ID, maxAttachment)
		kind = http.DetectContentType(content)
	}
	if err != nil {
		return m, err
	}
	if m.File, err = a.files.Put(ctx, content); err != nil {
		return m, err
	}
	if m.Name == "" {
		m.Name = strings.TrimSpace(name)
	}
	m.Size, m.Type, m.URL, m.Key = int64(len(content)), kind, "", ""
	return m, nil
}

// directory fits the platform's address list to what the desk asks of one.
type directory struct{ *bot.Client }

func (d directory) Everybody(ctx context.Context) ([]store.Listed, error) {
	all, err := d.Members(ctx)
	out := make([]store.Listed, len(all))
	for i, m := range all {
		out[i] = store.Listed(m)
	}
	return out, err
}
