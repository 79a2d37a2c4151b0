package bot

import (
	"context"
	"time"

	"frontline/bot/chat"
)

// Inbox is where a callback puts what it received. Package store has it.
type Inbox interface {
	// Accept stores m before it returns nil; fresh is false when a message with
	// the same ID is there already. After an error nothing may be acknowledged.
	Accept(ctx context.Context, m chat.Message) (fresh bool, err error)
	// Seen tells whether a message with this ID was ever accepted.
	Seen(ctx context.Context, id string) (bool, error)
}

// Replies hands the words of a turn to the smart bot's callback, whose answer
// they ride on. Package store has it.
type Replies interface {
	// Inline returns what the turn of message id says, in order, as soon as the
	// turn has committed or ctx is over. It takes only what fits accepts; the
	// rest goes by another road. done tells that the turn will say nothing
	// more. What it returns is taken: it will not be sent by another road, and
	// asking again returns it again (a stream poll may come several times).
	// fits may be asked twice about the same words, and then says the same.
	Inline(ctx context.Context, id string, fits func(chat.Outgoing) bool) (say []chat.Outgoing, done bool, err error)
}

// Spool keeps what the platform sends only once (smart bot clicks) while the
// database is away. Append returns after the bytes are on the disk.
type Spool interface {
	Append(m chat.Message) error
}

// Outbox is the queue of things to say. Package store has it. What writes
// about a delivery that this process no longer holds returns an error that
// wraps chat.ErrFenced; any other error is tried again.
type Outbox interface {
	// Claim takes up to n due deliveries of the shards this process holds,
	// oldest first, at most one per place at a time.
	Claim(ctx context.Context, n int) ([]chat.Delivery, error)
	// Freeze fixes the bytes of d and marks it as being sent, before the call.
	Freeze(ctx context.Context, d chat.Delivery, parts []chat.Part) error
	// Sent records that the next part of d arrived; after the last one d is sent.
	Sent(ctx context.Context, d chat.Delivery, r chat.Receipt) error
	// Again makes d due at the given time; unknown tells that it may have arrived.
	Again(ctx context.Context, d chat.Delivery, at time.Time, unknown bool, cause error) error
	// Never ends d with its reason, which people see.
	Never(ctx context.Context, d chat.Delivery, cause error) error
	// Recent counts the messages sent to a place since a time, so that limits survive a restart.
	Recent(ctx context.Context, to chat.Address, since time.Time) ([]time.Time, error)
	// Card returns the newest unused response code of a card's copy, or "".
	Card(ctx context.Context, taskID, user string) (code string, err error)
	// SpendCard marks a response code as used.
	SpendCard(ctx context.Context, code string) error
	// ReplyURL returns the unused response_url of message id, or "" (used, older than an hour, none).
	ReplyURL(ctx context.Context, id string) (string, error)
	// SpendReplyURL marks it as used.
	SpendReplyURL(ctx context.Context, id string) error
	// Wait blocks until something may be due, or ctx is over.
	Wait(ctx context.Context) error
}
