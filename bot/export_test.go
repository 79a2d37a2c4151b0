package bot

import (
	"context"

	"frontline/bot/chat"
)

// Deliver makes one attempt, as Run does with each claim.
func (d *Deliverer) Deliver(ctx context.Context, x chat.Delivery) { d.deliver(ctx, x) }

// Upload is what File bodies use.
func (c *Client) Upload(ctx context.Context, to chat.Address, f chat.File, content []byte) (string, error) {
	r := roadApp
	if to.Kind == chat.Robot {
		r = roadRobot
	}
	return c.upload(ctx, to, f, content, r)
}
