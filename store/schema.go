package store

import (
	"fmt"
	"strings"
)

// shardCount is how many shards the queues are cut into. More replicas than
// this would idle; changing it needs a migration that re-numbers waiting rows.
const shardCount = 64

// migrations is the history of the schema, oldest first.
var migrations = []migration{
	{name: "foundation", oldest: 1, steps: []string{
		"CREATE TABLE replica (slot BIGINT PRIMARY KEY, owner $key(64) NOT NULL, until BIGINT NOT NULL)$end",
		numbered("INSERT INTO replica (slot, owner, until) VALUES ", "(%d,'',0)", slots),
		"CREATE TABLE shard (id BIGINT PRIMARY KEY, owner $key(64) NOT NULL, epoch BIGINT NOT NULL, until BIGINT NOT NULL)$end",
		numbered("INSERT INTO shard (id, owner, epoch, until) VALUES ", "(%d,'',0,0)", shardCount),
		"CREATE TABLE counter (kind $key(16) PRIMARY KEY, next BIGINT NOT NULL)$end",
		"INSERT INTO counter (kind, next) VALUES ('ticket',1),('entry',1),('run',1),('alert',1),('session',1),('change',1)",
		`CREATE TABLE inbox (id BIGINT PRIMARY KEY, message_id $key(24) NOT NULL, via $key(8) NOT NULL, kind $key(16) NOT NULL,
			sender $key(64) NOT NULL, thread_key $key(24) NOT NULL, shard BIGINT NOT NULL, state BIGINT NOT NULL, epoch BIGINT NOT NULL,
			attempt BIGINT NOT NULL, due_at BIGINT NOT NULL, received_at BIGINT NOT NULL, done_at BIGINT NOT NULL, body $blob NOT NULL,
			command $key(32) NOT NULL, decision $text, err $text, reply_spent_at BIGINT NOT NULL)$end`,
		"CREATE UNIQUE INDEX inbox_message ON inbox (message_id)",
		"CREATE INDEX inbox_thread ON inbox (state, thread_key, id)",
		`CREATE TABLE outbox (id BIGINT PRIMARY KEY, send_key $key(191) NOT NULL, target $key(191) NOT NULL, target_key $key(24) NOT NULL,
			reply_to $key(24) NOT NULL, shard BIGINT NOT NULL, state BIGINT NOT NULL, epoch BIGINT NOT NULL, attempt BIGINT NOT NULL,
			due_at BIGINT NOT NULL, urgent BIGINT NOT NULL, sent_parts BIGINT NOT NULL, unsure BIGINT NOT NULL, body $blob NOT NULL, parts $blob,
			road $key(16) NOT NULL, receipt $text, reason $text, sent_at BIGINT NOT NULL)$end`,
		"CREATE UNIQUE INDEX outbox_key ON outbox (send_key)",
		"CREATE INDEX outbox_target ON outbox (state, target_key, id)",
		"CREATE INDEX outbox_reply ON outbox (reply_to)",
		"CREATE INDEX outbox_recent ON outbox (target_key, sent_at)",
		"CREATE TABLE card_code (id BIGINT PRIMARY KEY, task_id $key(128) NOT NULL, user_id $key(64) NOT NULL, code_key $key(24) NOT NULL, code $blob NOT NULL, got_at BIGINT NOT NULL, spent_at BIGINT NOT NULL)$end",
		"CREATE INDEX card_code_task ON card_code (task_id, user_id)",
		"CREATE UNIQUE INDEX card_code_code ON card_code (code_key)",
		"CREATE TABLE conversation (thread_key $key(24) PRIMARY KEY, command $key(32) NOT NULL, step $key(32) NOT NULL, draft $blob, expires_at BIGINT NOT NULL, list $blob, list_until BIGINT NOT NULL, topic $blob, topic_until BIGINT NOT NULL, updated_at BIGINT NOT NULL)$end",
		"CREATE TABLE member (id $key(64) PRIMARY KEY, name $key(128) NOT NULL, department $key(128) NOT NULL, roles $key(128) NOT NULL, disabled BIGINT NOT NULL, created_at BIGINT NOT NULL, seen_at BIGINT NOT NULL, version BIGINT NOT NULL)$end",
		"CREATE TABLE audit (id BIGINT PRIMARY KEY, at BIGINT NOT NULL, actor $key(64) NOT NULL, action $key(64) NOT NULL, object $key(128) NOT NULL, detail $text)$end",
		"CREATE INDEX audit_object ON audit (object, id)",
		`CREATE TABLE ticket (id BIGINT PRIMARY KEY, number BIGINT NOT NULL, state $key(16) NOT NULL, priority $key(8) NOT NULL, class $key(32) NOT NULL,
			title $key(400) NOT NULL, reporter $key(64) NOT NULL, assignee $key(64) NOT NULL, via $key(8) NOT NULL, place $text NOT NULL,
			app_version $key(64) NOT NULL, app_system $key(64) NOT NULL, urgency $key(32) NOT NULL, customer $blob, phone $blob, identity $blob, customer_mask $key(64) NOT NULL, phone_mask $key(64) NOT NULL, identity_mask $key(64) NOT NULL,
			customer_key $key(24) NOT NULL, phone_key $key(24) NOT NULL, identity_key $key(24) NOT NULL,
			created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, resolved_at BIGINT NOT NULL, closed_at BIGINT NOT NULL, nudges BIGINT NOT NULL, nudged_at BIGINT NOT NULL, source_message $key(24) NOT NULL, version BIGINT NOT NULL)$end`,
		"CREATE UNIQUE INDEX ticket_number ON ticket (number)",
		"CREATE UNIQUE INDEX ticket_source ON ticket (source_message)",
		"CREATE INDEX ticket_reporter ON ticket (reporter, state, id)",
		"CREATE INDEX ticket_state ON ticket (state, id)",
		"CREATE INDEX ticket_customer ON ticket (customer_key)",
		"CREATE INDEX ticket_phone ON ticket (phone_key)",
		"CREATE INDEX ticket_identity ON ticket (identity_key)",
		"CREATE TABLE ticket_entry (id BIGINT PRIMARY KEY, ticket_id BIGINT NOT NULL, at BIGINT NOT NULL, kind $key(16) NOT NULL, author $key(64) NOT NULL, body $text NOT NULL, original $blob, media $blob, message_id $key(24) NOT NULL)$end",
		"CREATE INDEX ticket_entry_ticket ON ticket_entry (ticket_id, id)",
		`CREATE TABLE entry (number BIGINT PRIMARY KEY, question $text NOT NULL, question_key $key(24) NOT NULL, similar_list $text, negative $text, short_title $key(128) NOT NULL, answer $text NOT NULL,
			answer_text $text, steps $text, exceptions $text, state $key(16) NOT NULL, service_group $key(64) NOT NULL, category $key(64) NOT NULL, tags $text, owner $key(64) NOT NULL,
			valid_until $key(10) NOT NULL, review_at $key(10) NOT NULL, version BIGINT NOT NULL, changed BIGINT NOT NULL, updated_at BIGINT NOT NULL, updated_by $key(64) NOT NULL)$end`,
		"CREATE INDEX entry_changed ON entry (changed)",
		"CREATE INDEX entry_question ON entry (question_key)",
		`CREATE TABLE question (id BIGINT PRIMARY KEY, message_id $key(24) NOT NULL, asker $key(64) NOT NULL, place $text NOT NULL, body $text NOT NULL, band $key(16) NOT NULL,
			entry BIGINT NOT NULL, score DOUBLE NOT NULL, feedback $key(16) NOT NULL, ticket BIGINT NOT NULL, asked_at BIGINT NOT NULL)$end`,
		"CREATE UNIQUE INDEX question_message ON question (message_id)",
		"CREATE INDEX question_band ON question (band, id)",
		"CREATE TABLE job (name $key(64) PRIMARY KEY, next_at BIGINT NOT NULL, ran_at BIGINT NOT NULL, err $text)$end",
	}},
	{name: "console", oldest: 1, steps: []string{
		"CREATE TABLE session (id_key $key(24) PRIMARY KEY, member $key(64) NOT NULL, created_at BIGINT NOT NULL, seen_at BIGINT NOT NULL, agent $key(128) NOT NULL)$end",
		"CREATE INDEX session_member ON session (member)",
		"CREATE TABLE login_state (id_key $key(24) PRIMARY KEY, next_path $key(255) NOT NULL, until BIGINT NOT NULL)$end",
		"CREATE TABLE api_token (id_key $key(24) PRIMARY KEY, id BIGINT NOT NULL, name $key(64) NOT NULL, member $key(64) NOT NULL, scope $key(16) NOT NULL, last_four $key(4) NOT NULL, created_at BIGINT NOT NULL, until BIGINT NOT NULL, used_at BIGINT NOT NULL)$end",
		"CREATE TABLE audit_chain (chain BIGINT PRIMARY KEY, seq BIGINT NOT NULL, hash $key(44) NOT NULL)$end",
		numbered("INSERT INTO audit_chain (chain, seq, hash) VALUES ", "(%d,0,'')", auditChains),
		"ALTER TABLE audit ADD COLUMN chain BIGINT NOT NULL DEFAULT 0",
		"ALTER TABLE audit ADD COLUMN seq BIGINT NOT NULL DEFAULT 0",
		"ALTER TABLE audit ADD COLUMN hash $key(44) NOT NULL DEFAULT ''",
		"CREATE INDEX audit_chain_seq ON audit (chain, seq)",
		"CREATE INDEX audit_action ON audit (action, id)",
		"CREATE INDEX ticket_assignee ON ticket (assignee, state, id)",
	}},
	{name: "turn order", oldest: 3, steps: []string{
		"ALTER TABLE inbox ADD COLUMN turn_order BIGINT NOT NULL DEFAULT 0",
		"UPDATE inbox SET turn_order=id WHERE turn_order=0",
		// Beside message_id the only index, and new rows go to its end: each page
		// that a row touches is written once for its acknowledgement.
		"CREATE INDEX inbox_waiting ON inbox (state, turn_order)",
		"DROP INDEX inbox_thread $on(inbox)",
	}},
	{name: "groups", oldest: 3, steps: []string{
		"CREATE TABLE service_chat (name $key(64) PRIMARY KEY, title $key(200) NOT NULL, robot_key $blob, robot_last4 $key(8) NOT NULL, chat_id $key(128) NOT NULL, owners $text NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, version BIGINT NOT NULL)$end",
	}},
	{name: "ticket life", oldest: 3, steps: []string{
		"ALTER TABLE ticket ADD COLUMN subclass $key(32) NOT NULL DEFAULT ''",
		"ALTER TABLE ticket ADD COLUMN service_group $key(64) NOT NULL DEFAULT ''",
		"ALTER TABLE ticket ADD COLUMN master BIGINT NOT NULL DEFAULT 0",
		"ALTER TABLE ticket ADD COLUMN joined BIGINT NOT NULL DEFAULT 0",
		"ALTER TABLE ticket ADD COLUMN respond_due BIGINT NOT NULL DEFAULT 0",
		"ALTER TABLE ticket ADD COLUMN resolve_due BIGINT NOT NULL DEFAULT 0",
		"ALTER TABLE ticket ADD COLUMN responded_at BIGINT NOT NULL DEFAULT 0",
		"ALTER TABLE ticket ADD COLUMN paused_at BIGINT NOT NULL DEFAULT 0",
		"ALTER TABLE ticket ADD COLUMN wait_for $key(16) NOT NULL DEFAULT ''",
		"ALTER TABLE ticket ADD COLUMN wait_until BIGINT NOT NULL DEFAULT 0",
		"ALTER TABLE ticket ADD COLUMN warned BIGINT NOT NULL DEFAULT 0",
		"ALTER TABLE ticket ADD COLUMN look_at BIGINT NOT NULL DEFAULT 0",
		"ALTER TABLE ticket ADD COLUMN reason $key(1000) NOT NULL DEFAULT ''",
		"ALTER TABLE ticket ADD COLUMN method $key(1000) NOT NULL DEFAULT ''",
		"ALTER TABLE ticket ADD COLUMN outcome $key(16) NOT NULL DEFAULT ''",
		"ALTER TABLE ticket ADD COLUMN handler $key(64) NOT NULL DEFAULT ''",
		"ALTER TABLE ticket ADD COLUMN cycle BIGINT NOT NULL DEFAULT 0",
		"ALTER TABLE ticket ADD COLUMN rating BIGINT NOT NULL DEFAULT 0",
		"ALTER TABLE ticket ADD COLUMN rating_why $key(400) NOT NULL DEFAULT ''",
		"ALTER TABLE ticket ADD COLUMN asked_at BIGINT NOT NULL DEFAULT 0",
		"ALTER TABLE ticket ADD COLUMN told_at BIGINT NOT NULL DEFAULT 0",
		"CREATE INDEX ticket_text ON ticket (id, title)",
		"CREATE INDEX ticket_look ON ticket (look_at)",
		"CREATE INDEX ticket_queue ON ticket (state, priority, resolve_due)",
		"CREATE INDEX ticket_group ON ticket (service_group, state, id)",
		"CREATE INDEX ticket_master ON ticket (master)",
		"CREATE TABLE ticket_person (ticket BIGINT NOT NULL, member $key(64) NOT NULL, follows_as $key(16) NOT NULL, customer_mask $key(64) NOT NULL, created_at BIGINT NOT NULL, PRIMARY KEY (ticket, member, follows_as))$end",
		"CREATE INDEX ticket_person_member ON ticket_person (member)",
		"CREATE TABLE ticket_link (ticket BIGINT NOT NULL, kind $key(16) NOT NULL, number BIGINT NOT NULL, created_at BIGINT NOT NULL, PRIMARY KEY (ticket, kind, number))$end",
		"CREATE INDEX ticket_link_thing ON ticket_link (kind, number)",
		"CREATE TABLE notice (id BIGINT PRIMARY KEY, ticket BIGINT NOT NULL, member $key(64) NOT NULL, body $text NOT NULL, due_at BIGINT NOT NULL)$end",
		"CREATE INDEX notice_due ON notice (due_at)",
		"CREATE TABLE survey (member $key(64) PRIMARY KEY, asked_at BIGINT NOT NULL)$end",
		"CREATE TABLE duty_shift (id BIGINT PRIMARY KEY, service_group $key(64) NOT NULL, member $key(64) NOT NULL, starts_at BIGINT NOT NULL, ends_at BIGINT NOT NULL, stands_for $key(64) NOT NULL)$end",
		"CREATE INDEX duty_shift_time ON duty_shift (ends_at, starts_at)",
	}},
	{name: "ticket pages", oldest: 3, steps: []string{
		"CREATE INDEX ticket_respond ON ticket (responded_at, respond_due)",
		"CREATE INDEX ticket_rating ON ticket (rating, id)",
		"CREATE TABLE ticket_view (id BIGINT PRIMARY KEY, owner $key(64) NOT NULL, title $key(40) NOT NULL, query_text $text NOT NULL, shared BIGINT NOT NULL)$end",
		"CREATE INDEX ticket_view_owner ON ticket_view (owner)",
		"CREATE TABLE ticket_viewer (ticket BIGINT NOT NULL, member $key(64) NOT NULL, seen_at BIGINT NOT NULL, writing BIGINT NOT NULL, PRIMARY KEY (ticket, member))$end",
		"CREATE TABLE ticket_form (ticket_id BIGINT PRIMARY KEY, body $blob NOT NULL)$end",
		"CREATE TABLE snippet (id BIGINT PRIMARY KEY, owner $key(64) NOT NULL, title $key(40) NOT NULL, body $text NOT NULL, shared BIGINT NOT NULL)$end",
		"CREATE TABLE prefill (id_key $key(24) PRIMARY KEY, member $key(64) NOT NULL, body $blob NOT NULL, until BIGINT NOT NULL)$end",
		"CREATE TABLE report_draft (member $key(64) PRIMARY KEY, body $blob NOT NULL, updated_at BIGINT NOT NULL)$end",
	}},
}

func numbered(head, row string, n int) string {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = fmt.Sprintf(row, i)
	}
	return head + strings.Join(rows, ",")
}
