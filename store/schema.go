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
	{name: "alerts", oldest: 3, steps: []string{
		// Where an alert stands now: one row for each thing that a sender can report.
		`CREATE TABLE alert (id BIGINT PRIMARY KEY, fp $key(16) NOT NULL, source $key(64) NOT NULL, kind $key(16) NOT NULL, upstream_id $key(191) NOT NULL, name $key(200) NOT NULL,
			severity $key(8) NOT NULL, state $key(8) NOT NULL, title $key(400) NOT NULL, body $text NOT NULL, value $key(128) NOT NULL, labels $text NOT NULL, annotations $text NOT NULL, links $text NOT NULL,
			no_data BIGINT NOT NULL, started_at BIGINT NOT NULL, ended_at BIGINT NOT NULL, opened_at BIGINT NOT NULL, last_at BIGINT NOT NULL, seen BIGINT NOT NULL, opens BIGINT NOT NULL,
			group_id BIGINT NOT NULL, told BIGINT NOT NULL, hush $key(16) NOT NULL)$end`,
		"CREATE UNIQUE INDEX alert_fp ON alert (fp)",
		"CREATE INDEX alert_source ON alert (source, state)",
		"CREATE INDEX alert_in_group ON alert (group_id, state, told)",
		"CREATE INDEX alert_state ON alert (state, id)",
		// open_key is the group's key while it is open, so that there is one at a time.
		`CREATE TABLE alert_group (id BIGINT PRIMARY KEY, number BIGINT NOT NULL, route $key(64) NOT NULL, group_key $key(24) NOT NULL, open_key $key(24) NOT NULL, title $key(400) NOT NULL, source $key(64) NOT NULL,
			labels $text NOT NULL, receivers $text NOT NULL, severity $key(8) NOT NULL, state $key(8) NOT NULL, firing BIGINT NOT NULL, opened BIGINT NOT NULL, resolved BIGINT NOT NULL, told_opened BIGINT NOT NULL, told_resolved BIGINT NOT NULL,
			not_listed BIGINT NOT NULL, opened_at BIGINT NOT NULL, closed_at BIGINT NOT NULL, changed_at BIGINT NOT NULL, due_at BIGINT NOT NULL, told_at BIGINT NOT NULL, sends BIGINT NOT NULL, flaps BIGINT NOT NULL, flapping BIGINT NOT NULL,
			hush $key(16) NOT NULL, claimed_by $key(64) NOT NULL, claimed_at BIGINT NOT NULL, noted_at BIGINT NOT NULL, reminded BIGINT NOT NULL, ticket BIGINT NOT NULL, step BIGINT NOT NULL, step_at BIGINT NOT NULL,
			outcome $key(16) NOT NULL, solution $key(400) NOT NULL, version BIGINT NOT NULL)$end`,
		"CREATE UNIQUE INDEX alert_group_number ON alert_group (number)",
		"CREATE UNIQUE INDEX alert_group_open ON alert_group (open_key)",
		"CREATE INDEX alert_group_key ON alert_group (group_key, id)",
		"CREATE INDEX alert_group_due ON alert_group (due_at)",
		"CREATE INDEX alert_group_step ON alert_group (step_at)",
		"CREATE INDEX alert_group_state ON alert_group (state, id)",
		"CREATE INDEX alert_group_recent ON alert_group (route, opened_at)",
		"CREATE TABLE alert_event (id BIGINT PRIMARY KEY, group_id BIGINT NOT NULL, alert_id BIGINT NOT NULL, at BIGINT NOT NULL, kind $key(16) NOT NULL, actor $key(64) NOT NULL, body $text NOT NULL)$end",
		"CREATE INDEX alert_event_group ON alert_event (group_id, id)",
		"CREATE INDEX alert_event_alert ON alert_event (alert_id, id)",
		"CREATE TABLE alert_tally (source $key(64) NOT NULL, slot BIGINT NOT NULL, opened BIGINT NOT NULL, repeated BIGINT NOT NULL, resolved BIGINT NOT NULL, resolved_again BIGINT NOT NULL, resolved_without_open BIGINT NOT NULL, not_listed BIGINT NOT NULL, PRIMARY KEY (source, slot))$end",
		"CREATE TABLE alert_delivery (id BIGINT PRIMARY KEY, source $key(64) NOT NULL, kind $key(16) NOT NULL, state $key(8) NOT NULL, alerts BIGINT NOT NULL, fault $text NOT NULL, body $blob)$end",
		"CREATE INDEX alert_delivery_state ON alert_delivery (state, id)",
		"CREATE TABLE alert_silence (id BIGINT PRIMARY KEY, matchers $text NOT NULL, group_number BIGINT NOT NULL, starts_at BIGINT NOT NULL, ends_at BIGINT NOT NULL, author $key(64) NOT NULL, reason $key(400) NOT NULL, ended_by $key(64) NOT NULL, told BIGINT NOT NULL)$end",
		"CREATE INDEX alert_silence_end ON alert_silence (ends_at)",
		"CREATE TABLE alert_fold (id BIGINT PRIMARY KEY, receiver $key(64) NOT NULL, number BIGINT NOT NULL, severity $key(8) NOT NULL, title $key(400) NOT NULL, opened BIGINT NOT NULL, resolved BIGINT NOT NULL)$end",
		"CREATE INDEX alert_fold_receiver ON alert_fold (receiver, id)",
		"CREATE TABLE alert_storm (receiver $key(64) PRIMARY KEY, began_at BIGINT NOT NULL, folded_at BIGINT NOT NULL, said_at BIGINT NOT NULL, opened BIGINT NOT NULL, resolved BIGINT NOT NULL, messages BIGINT NOT NULL)$end",
	}},
	{name: "weekly roster", oldest: 3, steps: []string{
		"ALTER TABLE duty_shift ADD COLUMN weekly BIGINT NOT NULL DEFAULT 0",
	}},
	{name: "data construction", oldest: 3, steps: []string{
		`CREATE TABLE construct_run (id BIGINT PRIMARY KEY, number BIGINT NOT NULL, recipe $key(64) NOT NULL, recipe_version BIGINT NOT NULL, sha $key(64) NOT NULL, title $key(200) NOT NULL, environment $key(64) NOT NULL,
			state $key(16) NOT NULL, requester $key(64) NOT NULL, place $text NOT NULL, reply_to $key(24) NOT NULL, source_key $key(64) NOT NULL, seed $key(20) NOT NULL, wanted BIGINT NOT NULL, params $blob, ticket BIGINT NOT NULL,
			approver $key(64) NOT NULL, approve_hash $key(64) NOT NULL, approve_until BIGINT NOT NULL, owner $key(64) NOT NULL, epoch BIGINT NOT NULL, lease_until BIGINT NOT NULL, good BIGINT NOT NULL, bad BIGINT NOT NULL,
			created_at BIGINT NOT NULL, started_at BIGINT NOT NULL, ended_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, warned BIGINT NOT NULL, why $text NOT NULL, version BIGINT NOT NULL)$end`,
		"CREATE UNIQUE INDEX construct_run_number ON construct_run (number)",
		"CREATE UNIQUE INDEX construct_run_source ON construct_run (source_key)",
		"CREATE INDEX construct_run_state ON construct_run (state, id)",
		"CREATE INDEX construct_run_requester ON construct_run (requester, id)",
		"CREATE INDEX construct_run_recipe ON construct_run (recipe, id)",
		"CREATE INDEX construct_run_expiry ON construct_run (expires_at)",
		`CREATE TABLE construct_item (id BIGINT PRIMARY KEY, run_id BIGINT NOT NULL, pos BIGINT NOT NULL, state $key(16) NOT NULL, data $blob, outputs $blob, card $text NOT NULL,
			fault $text NOT NULL, fault_step $key(191) NOT NULL, step_title $key(200) NOT NULL, steps_done BIGINT NOT NULL, started_at BIGINT NOT NULL, ended_at BIGINT NOT NULL)$end`,
		"CREATE UNIQUE INDEX construct_item_pos ON construct_item (run_id, pos)",
		`CREATE TABLE construct_step (id BIGINT PRIMARY KEY, item_id BIGINT NOT NULL, path $key(191) NOT NULL, title $key(200) NOT NULL, target $key(128) NOT NULL, state $key(16) NOT NULL, attempt BIGINT NOT NULL,
			request $blob, result $blob, take_back $blob, answer $blob, fault $text NOT NULL, began_at BIGINT NOT NULL, ended_at BIGINT NOT NULL)$end`,
		"CREATE UNIQUE INDEX construct_step_path ON construct_step (item_id, path)",
	}},
	{name: "knowledge care", oldest: 3, steps: []string{
		"CREATE TABLE entry_revision (entry BIGINT NOT NULL, version BIGINT NOT NULL, body $text NOT NULL, author $key(64) NOT NULL, reason $key(400) NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (entry, version))$end",
		"CREATE INDEX entry_state ON entry (state, number)",
		"CREATE INDEX entry_review ON entry (review_at, number)",
		// What became of a question that had no answer: '' while it is open.
		"ALTER TABLE question ADD COLUMN outcome $key(16) NOT NULL DEFAULT ''",
		"CREATE INDEX question_asked ON question (asked_at)",
		"CREATE INDEX question_entry ON question (entry, id)",
		"CREATE TABLE question_watch (id BIGINT PRIMARY KEY, member $key(64) NOT NULL, message_id $key(24) NOT NULL, body $text NOT NULL, looked_at BIGINT NOT NULL)$end",
		"CREATE UNIQUE INDEX question_watch_once ON question_watch (member, message_id)",
		"CREATE INDEX question_watch_look ON question_watch (looked_at)",
		"CREATE TABLE synonym (id BIGINT PRIMARY KEY, words $text NOT NULL, author $key(64) NOT NULL, at BIGINT NOT NULL)$end",
	}},
	{name: "knowledge desk", oldest: 3, steps: []string{
		// Who wrote the present words, whoever moved the entry since: a second person is somebody else.
		"ALTER TABLE entry ADD COLUMN edited_by $key(64) NOT NULL DEFAULT ''",
		"UPDATE entry SET edited_by = updated_by",
		// A change of a published entry that is not published itself: one for each entry.
		"CREATE TABLE entry_proposal (entry BIGINT PRIMARY KEY, base BIGINT NOT NULL, body $text NOT NULL, state $key(16) NOT NULL, author $key(64) NOT NULL, note $key(400) NOT NULL, at BIGINT NOT NULL, version BIGINT NOT NULL)$end",
		"CREATE INDEX entry_proposal_state ON entry_proposal (state, entry)",
		"CREATE INDEX entry_group ON entry (service_group, number)",
		"CREATE INDEX entry_category ON entry (category, number)",
		"CREATE INDEX entry_owner ON entry (owner, number)",
	}},
	{name: "figures", oldest: 12, steps: []string{
		// What a ticket counts for, kept with it: the reporter's branch at that time, and the first answer, which a
		// reopened ticket's clocks do not move. counted is the count of figures that has the row, 0 for none.
		"ALTER TABLE ticket ADD COLUMN branch $key(128) NOT NULL DEFAULT ''",
		"ALTER TABLE ticket ADD COLUMN answered_at BIGINT NOT NULL DEFAULT 0",
		"ALTER TABLE ticket ADD COLUMN answered_late BIGINT NOT NULL DEFAULT 0",
		"ALTER TABLE ticket ADD COLUMN counted BIGINT NOT NULL DEFAULT 0",
		"UPDATE ticket SET branch=COALESCE((SELECT department FROM member WHERE member.id=ticket.reporter),'')",
		"UPDATE ticket SET answered_at=responded_at, answered_late=CASE WHEN respond_due>0 AND responded_at>respond_due THEN 1 ELSE 0 END WHERE responded_at>0 AND cycle=0",
		"CREATE INDEX ticket_branch ON ticket (branch, id)",
		"ALTER TABLE question ADD COLUMN branch $key(128) NOT NULL DEFAULT ''",
		// Why an answer solved nothing after all: again, ticket.
		"ALTER TABLE question ADD COLUMN undone $key(16) NOT NULL DEFAULT ''",
		"ALTER TABLE question ADD COLUMN counted BIGINT NOT NULL DEFAULT 0",
		"UPDATE question SET branch=COALESCE((SELECT department FROM member WHERE member.id=question.asker),'')",
		"CREATE INDEX question_asker ON question (asker, asked_at)",
		`CREATE TABLE ticket_figure (kind $key(16) NOT NULL, day_key BIGINT NOT NULL, a $key(128) NOT NULL, b $key(64) NOT NULL, reported BIGINT NOT NULL, withdrawn BIGINT NOT NULL, merged BIGINT NOT NULL, still_open BIGINT NOT NULL,
			solved BIGINT NOT NULL, answered BIGINT NOT NULL, answer_time BIGINT NOT NULL, answer_late BIGINT NOT NULL, solve_time BIGINT NOT NULL, solve_late BIGINT NOT NULL, reopened BIGINT NOT NULL,
			rated BIGINT NOT NULL, stars BIGINT NOT NULL, good BIGINT NOT NULL, bad BIGINT NOT NULL, PRIMARY KEY (kind, day_key, a, b))$end`,
		"CREATE TABLE time_figure (kind $key(16) NOT NULL, day_key BIGINT NOT NULL, class $key(32) NOT NULL, service_group $key(64) NOT NULL, seconds BIGINT NOT NULL, tickets BIGINT NOT NULL, PRIMARY KEY (kind, day_key, class, service_group, seconds))$end",
		`CREATE TABLE question_figure (kind $key(16) NOT NULL, day_key BIGINT NOT NULL, a $key(128) NOT NULL, asked BIGINT NOT NULL, answered BIGINT NOT NULL, offered BIGINT NOT NULL, refused BIGINT NOT NULL,
			useful BIGINT NOT NULL, useless BIGINT NOT NULL, handed BIGINT NOT NULL, ticketed BIGINT NOT NULL, raw_solved BIGINT NOT NULL, solved BIGINT NOT NULL, PRIMARY KEY (kind, day_key, a))$end`,
		"CREATE TABLE figure_state (name $key(16) PRIMARY KEY, zone $key(64) NOT NULL, count_no BIGINT NOT NULL, ticket_id BIGINT NOT NULL, ticket_top BIGINT NOT NULL, question_id BIGINT NOT NULL, question_top BIGINT NOT NULL)$end",
	}},
	{name: "monitors", oldest: 3, steps: []string{
		"CREATE TABLE monitor_state (item $key(48) PRIMARY KEY, state $text NOT NULL, version BIGINT NOT NULL, updated_at BIGINT NOT NULL)$end",
		"CREATE TABLE monitor_result (id BIGINT PRIMARY KEY, item $key(48) NOT NULL, at BIGINT NOT NULL, state $key(8) NOT NULL, took BIGINT NOT NULL, found $text NOT NULL, verdicts $text NOT NULL, fault $key(400) NOT NULL, alarming BIGINT NOT NULL)$end",
		"CREATE INDEX monitor_result_item ON monitor_result (item, at)",
	}},
	{name: "knowledge imports", oldest: 12, steps: []string{
		`CREATE TABLE entry_import (id BIGINT PRIMARY KEY, name $key(200) NOT NULL, author $key(64) NOT NULL, mode $key(16) NOT NULL, state $key(16) NOT NULL, faulty BIGINT NOT NULL, row_count BIGINT NOT NULL, bad BIGINT NOT NULL,
			pos BIGINT NOT NULL, created BIGINT NOT NULL, changed BIGINT NOT NULL, same BIGINT NOT NULL, skipped BIGINT NOT NULL, kept BIGINT NOT NULL, at BIGINT NOT NULL, ended_at BIGINT NOT NULL)$end`,
		"CREATE INDEX entry_import_state ON entry_import (state, id)",
		"CREATE TABLE entry_import_part (import_id BIGINT NOT NULL, part BIGINT NOT NULL, body $blob, PRIMARY KEY (import_id, part))$end",
		// Which version each entry had before an import and after: how the whole of it is taken back.
		"CREATE TABLE entry_import_row (import_id BIGINT NOT NULL, entry BIGINT NOT NULL, before_version BIGINT NOT NULL, after_version BIGINT NOT NULL, change_version BIGINT NOT NULL, PRIMARY KEY (import_id, entry))$end",
	}},
	{name: "recipes of the console", oldest: 12, steps: []string{
		"CREATE TABLE recipe_text (id BIGINT PRIMARY KEY, name $key(64) NOT NULL, edition BIGINT NOT NULL, sha $key(64) NOT NULL, body $text NOT NULL, author $key(64) NOT NULL, note $key(400) NOT NULL, at BIGINT NOT NULL)$end",
		"CREATE UNIQUE INDEX recipe_text_edition ON recipe_text (name, edition)",
		"CREATE INDEX recipe_text_sha ON recipe_text (sha)",
	}},
	{name: "subscriptions", oldest: 12, steps: []string{
		"CREATE TABLE subscription (place $key(191) NOT NULL, kind $key(16) NOT NULL, address $text NOT NULL, wanted INTEGER NOT NULL, author $key(64) NOT NULL, changed_at BIGINT NOT NULL, PRIMARY KEY (place, kind))$end",
	}},
	{name: "paused monitors", oldest: 12, steps: []string{
		"CREATE TABLE monitor_hold (item $key(48) PRIMARY KEY, author $key(64) NOT NULL, note $key(200) NOT NULL, at BIGINT NOT NULL)$end",
	}},
	{name: "questions that must find", oldest: 12, steps: []string{
		"CREATE TABLE entry_must (entry BIGINT NOT NULL, question_key $key(24) NOT NULL, question $text NOT NULL, author $key(64) NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (entry, question_key))$end",
	}},
	{name: "synonyms of the house", oldest: 12, steps: []string{
		"INSERT INTO counter (kind, next) VALUES ('synonym',1)", // goes up with every change
	}},
	{name: "alerts that wait for their turn", oldest: 12, steps: []string{
		"ALTER TABLE alert_delivery ADD COLUMN request $blob",
		"CREATE TABLE alert_waiting (delivery BIGINT PRIMARY KEY)$end",
	}},
	{name: "monitors of the console, their objects and hours", oldest: 12, steps: []string{
		"CREATE TABLE monitor_text (id BIGINT PRIMARY KEY, name $key(64) NOT NULL, edition BIGINT NOT NULL, sha $key(64) NOT NULL, body $text NOT NULL, author $key(64) NOT NULL, note $key(400) NOT NULL, at BIGINT NOT NULL)$end",
		"CREATE UNIQUE INDEX monitor_text_edition ON monitor_text (name, edition)",
		// What was in the abnormal status on a day (20260105): a blind index of its key, never the key.
		"CREATE TABLE monitor_object (item $key(48) NOT NULL, day BIGINT NOT NULL, object $key(64) NOT NULL, first_at BIGINT NOT NULL, last_at BIGINT NOT NULL, left_at BIGINT NOT NULL, PRIMARY KEY (item, day, object))$end",
		"CREATE INDEX monitor_object_day ON monitor_object (day)",
		// Results by the hour, kept when the single ones are gone. found: per key the most and the sum.
		"CREATE TABLE monitor_hour (item $key(48) NOT NULL, hour BIGINT NOT NULL, checks BIGINT NOT NULL, failed BIGINT NOT NULL, alarming BIGINT NOT NULL, found $text NOT NULL, PRIMARY KEY (item, hour))$end",
		"CREATE INDEX monitor_hour_hour ON monitor_hour (hour)",
	}},
	{name: "publishing at a time", oldest: 12, steps: []string{
		"CREATE TABLE entry_schedule (entry BIGINT PRIMARY KEY, at BIGINT NOT NULL, author $key(64) NOT NULL, version BIGINT NOT NULL, change_version BIGINT NOT NULL)$end",
		"CREATE INDEX entry_schedule_at ON entry_schedule (at)",
	}},
	{name: "calls of models", oldest: 12, steps: []string{
		`CREATE TABLE model_call (id BIGINT PRIMARY KEY, at BIGINT NOT NULL, purpose $key(32) NOT NULL, version $key(16) NOT NULL, model $key(128) NOT NULL, person $key(24) NOT NULL,
			prompt_tokens BIGINT NOT NULL, completion_tokens BIGINT NOT NULL, cost BIGINT NOT NULL, outcome $key(32) NOT NULL, took BIGINT NOT NULL)$end`,
		"CREATE INDEX model_call_at ON model_call (at)",
		// What a day has spent, of the house ('') and of each person: looked at before every call, so it is kept, not summed.
		"CREATE TABLE model_spent (id BIGINT PRIMARY KEY, day_key BIGINT NOT NULL, person $key(24) NOT NULL, calls BIGINT NOT NULL, tokens BIGINT NOT NULL, cost BIGINT NOT NULL)$end",
		"CREATE UNIQUE INDEX model_spent_day ON model_spent (day_key, person)",
	}},
	{name: "vectors of questions", oldest: 12, steps: []string{
		"CREATE TABLE entry_vector (model $key(128) NOT NULL, text_hash $key(24) NOT NULL, entry BIGINT NOT NULL, dim BIGINT NOT NULL, scale DOUBLE NOT NULL, bits $blob, changed BIGINT NOT NULL, PRIMARY KEY (model, text_hash))$end",
		"CREATE INDEX entry_vector_changed ON entry_vector (model, changed)",
		"INSERT INTO counter (kind, next) VALUES ('vector',1)", // goes up with every vector, in the order of commits
	}},
	{name: "sharing sessions", oldest: 12, steps: []string{
		`CREATE TABLE sharing (id BIGINT PRIMARY KEY, number BIGINT NOT NULL, state $key(16) NOT NULL, title $key(400) NOT NULL, words $text NOT NULL, speaker $key(64) NOT NULL, speaker_name $key(128) NOT NULL, organiser $key(64) NOT NULL,
			starts_at BIGINT NOT NULL, ends_at BIGINT NOT NULL, link $text NOT NULL, recording $text NOT NULL, note $text NOT NULL, group_list $text NOT NULL, gaps $text NOT NULL, entries $text NOT NULL,
			announced_at BIGINT NOT NULL, reminded_at BIGINT NOT NULL, began_at BIGINT NOT NULL, ended_at BIGINT NOT NULL, asked BIGINT NOT NULL, viewers BIGINT NOT NULL, minutes BIGINT NOT NULL,
			before_count BIGINT NOT NULL, after_count BIGINT NOT NULL, counted_at BIGINT NOT NULL, reason $key(400) NOT NULL, look_at BIGINT NOT NULL, edition BIGINT NOT NULL, changed_at BIGINT NOT NULL, version_no BIGINT NOT NULL)$end`,
		"CREATE UNIQUE INDEX sharing_number ON sharing (number)",
		"CREATE INDEX sharing_start ON sharing (state, starts_at)",
		"CREATE INDEX sharing_look ON sharing (look_at)",
		"CREATE TABLE sharing_person (sharing BIGINT NOT NULL, member $key(64) NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (sharing, member))$end",
		`CREATE TABLE sharing_question (id BIGINT PRIMARY KEY, sharing BIGINT NOT NULL, place BIGINT NOT NULL, message_id $key(24) NOT NULL, asker $key(64) NOT NULL, body $text NOT NULL, state $key(16) NOT NULL, answer $text NOT NULL,
			entry BIGINT NOT NULL, handled_by $key(64) NOT NULL, at BIGINT NOT NULL)$end`,
		"CREATE UNIQUE INDEX sharing_question_message ON sharing_question (message_id)",
		"CREATE UNIQUE INDEX sharing_question_place ON sharing_question (sharing, place)",
		"CREATE TABLE sharing_vote (question BIGINT NOT NULL, member $key(64) NOT NULL, PRIMARY KEY (question, member))$end",
		"CREATE TABLE sharing_material (id BIGINT PRIMARY KEY, sharing BIGINT NOT NULL, title $key(200) NOT NULL, link $text NOT NULL, file $key(64) NOT NULL, size BIGINT NOT NULL, author $key(64) NOT NULL, at BIGINT NOT NULL)$end",
		"CREATE INDEX sharing_material_of ON sharing_material (sharing, id)",
		// Topics that nobody wants a session about now.
		"CREATE TABLE sharing_pause (topic $key(128) PRIMARY KEY, author $key(64) NOT NULL, until BIGINT NOT NULL)$end",
	}},
	{name: "quiet hours", oldest: 12, steps: []string{
		// Minutes since midnight; hours that end before they begin go past midnight.
		"CREATE TABLE quiet_hours (place $key(191) PRIMARY KEY, starts BIGINT NOT NULL, ends BIGINT NOT NULL, author $key(64) NOT NULL, changed_at BIGINT NOT NULL)$end",
	}},
	{name: "calendar feeds", oldest: 12, steps: []string{
		"CREATE TABLE calendar_token (member $key(64) PRIMARY KEY, id_key $key(24) NOT NULL, last_four $key(8) NOT NULL, created_at BIGINT NOT NULL, used_at BIGINT NOT NULL)$end",
		"CREATE UNIQUE INDEX calendar_token_key ON calendar_token (id_key)",
	}},
	{name: "gaps told to subscribers", oldest: 12, steps: []string{
		"CREATE TABLE gap (id BIGINT PRIMARY KEY, lead_message $key(24) NOT NULL, question $text NOT NULL, people BIGINT NOT NULL, asked BIGINT NOT NULL, closed_at BIGINT NOT NULL, why $key(16) NOT NULL, entry BIGINT NOT NULL)$end",
		"CREATE INDEX gap_open ON gap (closed_at, lead_message)",
	}},
	{name: "figures of alerts, runs and people", oldest: 12, steps: []string{
		// Sums by handler are new: a zone that is none makes the next serving process count anew.
		"UPDATE figure_state SET zone=''",
		"CREATE INDEX ticket_link_time ON ticket_link (kind, created_at)",
		// What a monitor saw on a day: the highest count of its abnormal status and what is left of it; abnormal and
		// handled are what the daily table says of these, or of objects.
		"CREATE TABLE monitor_day (item $key(48) NOT NULL, day_key BIGINT NOT NULL, status $key(191) NOT NULL, checks BIGINT NOT NULL, failed BIGINT NOT NULL, highest DOUBLE NOT NULL, left_over DOUBLE NOT NULL, total DOUBLE NOT NULL, abnormal DOUBLE NOT NULL, handled DOUBLE NOT NULL, PRIMARY KEY (day_key, item))$end",
	}},
	{name: "why an answer was no use", oldest: 12, steps: []string{
		"ALTER TABLE question ADD COLUMN reason $key(16) NOT NULL DEFAULT ''",
	}},
	{name: "answers of the self-service page", oldest: 12, steps: []string{
		"CREATE TABLE page_answer (id BIGINT PRIMARY KEY, message_id $key(24) NOT NULL, asker $key(64) NOT NULL, body $text NOT NULL, at BIGINT NOT NULL)$end",
		"CREATE UNIQUE INDEX page_answer_message ON page_answer (message_id)",
		"CREATE INDEX page_answer_asker ON page_answer (asker, id)",
	}},
	{name: "which candidate was chosen", oldest: 12, steps: []string{
		"ALTER TABLE question ADD COLUMN picked BIGINT NOT NULL DEFAULT 0",
	}},
}

func numbered(head, row string, n int) string {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = fmt.Sprintf(row, i)
	}
	return head + strings.Join(rows, ",")
}
