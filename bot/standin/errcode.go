package standin

import "fmt"

// apiError is an errcode with the reason that errmsg gives. The platform answers
// it with HTTP 200: https://developer.work.weixin.qq.com/document/path/90313.
type apiError struct {
	code int
	msg  string
}

func (e *apiError) Error() string { return fmt.Sprintf("errcode %d: %s", e.code, e.msg) }

func refuse(code int, format string, args ...any) *apiError {
	return &apiError{code: code, msg: fmt.Sprintf(format, args...)}
}

// The codes that the stand-in answers by itself; any other can be injected.
const (
	codeSystemBusy       = -1
	codeBadSecret        = 40001
	codeBadMediaType     = 40004
	codeBadMediaID       = 40007
	codeBadMsgType       = 40008
	codeBadCorpID        = 40013
	codeBadToken         = 40014
	codeBadUserListSize  = 40032
	codeBadOAuthCode     = 40029
	codeNoSuchChat       = 40050
	codeBadAgentID       = 40056
	codeBadParameter     = 40058
	codeNoToken          = 41001
	codeNoAgentID        = 41011
	codeTokenExpired     = 42001
	codeOAuthExpired     = 42003
	codeNeedGet          = 43001
	codeNeedPost         = 43002
	codeNoCallbackURL    = 43012
	codeEmptyMedia       = 44001
	codeEmptyText        = 44004
	codeMediaTooBig      = 45001
	codeTooLong          = 45002
	codeVoiceTooLong     = 45007
	codeBadArticleCount  = 45008
	codeTooFrequent      = 45009
	codeTooManyAtOnce    = 45033
	codeBadJSON          = 47001
	codeNoPermission     = 48002
	codeUntrustedIP      = 60020
	codeNoSuchUser       = 60111
	codeCardCodeSpent    = 60140
	codeNoSuchDepartment = 60003
	codeBadReceivers     = 81013
	codeNoReceiver       = 82001
	codeBadChatID        = 86001
	codeBadChatName      = 86003
	codeBadMemberCount   = 86006
	codeForeignChat      = 86008
	codeChatExists       = 86215
	codeBadChatMember    = 86216
	codeOwnerNotMember   = 86217
	codeNoRight          = 60011
	codeBadRobotKey      = 93000
	codeBadRobotChat     = 93006
	codeForeignAgent     = 301002
	codeBadImageMD5      = 301019
	codeNeedRange        = 830002
	codeBadReqID         = 846605
	codeStreamOver       = 846608
	codeNotSubscribed    = 846609
	codeBadBotSecret     = 853000
)
