// Package standin is a stand-in for WeChat Work (企业微信): the platform's API,
// its callbacks, and the members who talk, click and vote. It is used by the
// demo, by the terminal chat, by the simulator page and by whole-process tests.
//
// It is "the outside world": it imports nothing of this module and holds its
// own implementation of the callback encryption, so that a fault of the client
// under test cannot hide behind shared code. Everything is kept in memory.
//
// A [Server] is one http.Handler. Mount it for these prefixes:
//
//	/cgi-bin/        the platform's API, as documented by the platform
//	/standin/files/  pictures and files by unguessable URL (no bearer token)
//	/standin/v1/     the control API: "Authorization: Bearer <ControlToken>"
//	/standin/ws      the long connection of smart bots (the platform's is wss://openws.work.weixin.qq.com)
//
// # Control API
//
// Places are written "app:1000002", "bot:BOTID", "group:CHATID". Bodies and
// answers are JSON; a refused request is answered with a 4xx status and
// {"error": "…"}. The types named here are the exported ones of this package.
//
//	GET    /standin/v1/state?user=U         State; with user also that member's conversations
//	POST   /standin/v1/say                  SayRequest → Receipt
//	POST   /standin/v1/upload               multipart: user, to, type, text, transcript, wait and file "media" → Receipt
//	POST   /standin/v1/act                  Action → Receipt
//	GET    /standin/v1/feed?user=U&after=N&wait=30s       FeedPage of a member's single chats
//	GET    /standin/v1/feed?group=G&as=U&after=N&wait=30s FeedPage of a group, as member U sees it
//	DELETE /standin/v1/feeds                empties all feeds (conversations), keeps counters
//	GET    /standin/v1/trace?after=N&wait=30s&limit=N     TracePage: callback tries and API calls with payloads
//	GET    /standin/v1/callback?id=C&wait=30s             Outcome of one callback
//	GET    /standin/v1/faults               the faults that are set
//	POST   /standin/v1/fault                Fault → {"id": "…"}
//	DELETE /standin/v1/faults               removes all faults; ?id= removes one
//	POST   /standin/v1/redeliver            RedeliverRequest → {"results": [Injected…]}
//	POST   /standin/v1/inject               InjectRequest → Injected
//	POST   /standin/v1/check                {"target": "app:1000002"} → {"ok": true} or {"ok": false, "reason": "…"}
//	POST   /standin/v1/oauth                {"user": "…", "scope": "snsapi_base"} → {"code": "…"}
//	POST   /standin/v1/revoke               {"agent_id": 0} voids the access tokens of an app (0: of all)
//	GET    /standin/v1/ledger?api=A&after=N LedgerPage: every platform call, compact
//	GET    /standin/v1/counters             Counters
//
// In the multipart upload "type" is image, voice, video or file; without it a
// jpg or png is a picture and anything else a file.
//
// A feed entry keeps its id; seq grows whenever the entry changes (a card is
// replaced, a stream grows, a message is recalled), and a feed after N lists
// what changed after N. Long polls answer an empty page after wait (≤ 30 s).
//
// # Where the platform's documents are silent
//
// A failed callback is tried again after one second. A message swallowed by the
// duplicate check answers with the first one's msgid and without a
// response_code; the check compares the bytes of the request. A response_code
// or response_url that is spent answers 60140; a refused call spends nothing. A
// task_id that was used before, a msgid that cannot be recalled and an app
// markdown that is too long answer 40058. Refused robot messages do not count
// against the twenty. A reply to a repeated callback is not shown twice.
//
// On the long connection a message counts as handed over when it was written;
// one that comes while nobody is connected is lost. A stream that was finished
// answers 846608 like one whose six minutes are over, a welcome or an update
// after five seconds 846605 like an unknown req_id, a conversation over its
// limit 45009, a chat in which nobody has spoken to the bot 60011, one that the
// bot is not in 93006. Refreshes of a stream do not count as messages.
package standin
