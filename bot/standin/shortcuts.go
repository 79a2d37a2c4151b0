package standin

import "context"

// The actions by name, for tests that read like what people do.

// EnterApp opens the chat with an app.
func (s *Server) EnterApp(ctx context.Context, user string, agentID int) (Receipt, error) {
	return s.Act(ctx, Action{Do: "enter", User: user, To: AppPlace(agentID), Wait: true})
}

// EnterBot opens the chat with a smart bot.
func (s *Server) EnterBot(ctx context.Context, user, botID string) (Receipt, error) {
	return s.Act(ctx, Action{Do: "enter", User: user, To: BotPlace(botID), Wait: true})
}

// Menu clicks a menu entry of an app, by key or name.
func (s *Server) Menu(ctx context.Context, user string, agentID int, key string) (Receipt, error) {
	return s.Act(ctx, Action{Do: "menu", User: user, To: AppPlace(agentID), Key: key, Wait: true})
}

// Click presses a button of a card.
func (s *Server) Click(ctx context.Context, user string, at Place, taskID, key string) (Receipt, error) {
	return s.Act(ctx, Action{Do: "click", User: user, To: at, TaskID: taskID, Key: key, Wait: true})
}

// Submit sends a vote or selection: question_key → option ids.
func (s *Server) Submit(ctx context.Context, user string, at Place, taskID string, selected map[string][]string) (Receipt, error) {
	return s.Act(ctx, Action{Do: "submit", User: user, To: at, TaskID: taskID, Selected: selected, Wait: true})
}

// Feedback judges a smart bot's answer: 1 good, 2 bad, 3 withdrawn.
func (s *Server) Feedback(ctx context.Context, user string, at Place, entry int64, kind int, content string) (Receipt, error) {
	return s.Act(ctx, Action{Do: "feedback", User: user, To: at, Entry: entry, Type: kind, Content: content, Wait: true})
}
