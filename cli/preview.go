package cli

import (
	"frontline/bot"
	"frontline/bot/chat"
	"frontline/web"
)

// previews fits the code that sends to the page that shows what would be sent.
func previews(b chat.Body) ([]web.MessageView, error) {
	list, err := bot.Previews(b)
	out := make([]web.MessageView, len(list))
	for i, p := range list {
		out[i].Place = string(p.Place)
		for _, x := range p.Parts {
			part := web.MessagePart{Kind: x.Kind, Text: x.Text, Card: x.Card}
			for _, m := range x.Meters {
				unit := "characters"
				if m.Bytes {
					unit = "bytes"
				}
				part.Meters = append(part.Meters, web.SimMeter{Field: m.Field, Used: m.Used, Limit: m.Limit, Unit: unit, Hard: m.Bytes})
			}
			out[i].Parts = append(out[i].Parts, part)
		}
	}
	return out, err
}
