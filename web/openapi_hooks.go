package web

import (
	"reflect"
	"strings"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/handlers/alert"
	"frontline/handlers/construct"
)

// eventAbout says of each event when it is sent; of what type its data is goes
// by its kind.
var eventAbout = map[string]string{
	chat.TicketCreated:   "a ticket was made",
	chat.TicketChanged:   "a ticket changed: state, assignee, class, priority, merge",
	chat.TicketResolved:  "a ticket was resolved",
	chat.TicketCommented: "something was said in the thread, which is entry; notes are not told",
	chat.AlertOpened:     "a group of alerts began",
	chat.AlertReopened:   "it began again within ten minutes after its end",
	chat.AlertRaised:     "one of its alerts is graver than all before",
	chat.AlertClaimed:    "somebody took it",
	chat.AlertReleased:   "it was given back, or taken back after two hours without a word",
	chat.AlertSilenced:   "it was silenced, or whatever matches silence.matchers was (then alert is null)",
	chat.AlertUnsilenced: "a silence was ended early",
	chat.AlertEscalated:  "who is on duty, or the leaders, were told; text says whom",
	chat.AlertCommented:  "a line for its timeline, which is text",
	chat.AlertFalse:      "it was called a false alarm",
	chat.AlertTicketed:   "a ticket was made of it",
	chat.AlertResolved:   "nothing of it fires any more",
	chat.EntryPublished:  "an entry answers from now on, or answers with other words",
	chat.EntryRolledBack: "an older version of an entry answers again",
	chat.EntryRetired:    "an entry answers no more",
	chat.GapOpened:       "three people or more asked something that nothing answers; looked for every ten minutes",
	chat.GapClosed:       "an entry was written for it, it was ignored, or it is none any more (why)",
	chat.RunStarted:      "a run of data construction was taken up for the first time",
	chat.RunFinished:     "a run made everything, or some of it (state done or partly)",
	chat.RunFailed:       "a run made nothing, or needs somebody to look at it (state failed or attention)",
	chat.RunUndone:       "what a run made was taken back, all of it or not (state undone or residue)",
	chat.RunRejected:     "nobody, or somebody, said no to a run that needs a second person",
	chat.HookTest:        "the console tries the subscriber; it means nothing",
}

// eventData is the type of an event's data.
func eventData(event string) reflect.Type {
	switch kind, _, _ := strings.Cut(event, "."); kind {
	case "ticket":
		return reflect.TypeFor[handlers.TicketEvent]()
	case "alert":
		return reflect.TypeFor[alert.GroupEvent]()
	case "entry":
		return reflect.TypeFor[handlers.EntryEvent]()
	case "gap":
		return reflect.TypeFor[handlers.GapEvent]()
	case "run":
		return reflect.TypeFor[construct.RunEvent]()
	}
	return reflect.TypeFor[hookTest]()
}

// hooks describes what subscribers are sent, as x-webhooks: OpenAPI 3.0 has no
// webhooks of its own, and tools read them there. Each body is a schema with a
// name, ticket.created being TicketCreated.
func (d describer) hooks() object {
	header := func(name, about string) object {
		return object{"name": name, "in": "header", "required": true, "description": about, "schema": object{"type": "string"}}
	}
	headers := []any{header("webhook-id", "the same when an event is sent again"), header("webhook-timestamp", "of this try, in seconds"), header("webhook-signature", "v1, and the base64 of HMAC-SHA256 over id.timestamp.body")}
	out := object{}
	for _, e := range append([]string{chat.HookTest}, chat.EventTypes...) {
		name := eventSchema(e)
		d.schemas[name] = object{"type": "object", "additionalProperties": false, "required": []string{"id", "type", "timestamp", "data"}, "properties": object{
			"id": object{"type": "string"}, "type": object{"type": "string", "enum": []string{e}}, "timestamp": object{"type": "string", "format": "date-time"}, "data": d.schema(eventData(e))}}
		out[e] = object{"post": object{"operationId": "on_" + strings.ReplaceAll(e, ".", "_"), "summary": eventAbout[e], "parameters": headers,
			"requestBody": object{"required": true, "content": object{"application/json": object{"schema": object{"$ref": "#/components/schemas/" + name}}}},
			"responses":   object{"2XX": object{"description": "taken"}, "410": object{"description": "no more of this event, please"}, "default": object{"description": "sent again, for at most a day"}}}}
	}
	return out
}

// eventSchema is the name of the schema of an event's body.
func eventSchema(event string) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(event, func(r rune) bool { return r == '.' || r == '_' }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}
