package web

import "frontline/bot/chat"

// keepers write knowledge, curators publish it.
var (
	keepers  = chat.RoleSet{chat.Responder, chat.Curator, chat.Leader, chat.Admin}
	curators = chat.RoleSet{chat.Curator, chat.Leader, chat.Admin}
)

func (s *Server) kbRoutes() []route {
	return []route{
		{method: "GET", path: "/kb", roles: workers, nav: "kb", do: s.knowledge},
		{method: "GET", path: "/kb/new", roles: keepers, nav: "kb", do: s.newEntry},
		{method: "POST", path: "/kb/new", roles: keepers, nav: "kb", do: s.addEntry},
		{method: "GET", path: "/kb/gaps", roles: curators, nav: "kb", do: s.gaps},
		{method: "POST", path: "/kb/gaps", roles: curators, nav: "kb", do: s.settleGap},
		{method: "GET", path: "/kb/health", roles: curators, nav: "kb", do: s.health},
		{method: "POST", path: "/kb/health", roles: curators, nav: "kb", do: s.tapHealth},
		{method: "GET", path: "/kb/synonyms", roles: curators, nav: "kb", do: s.synonyms},
		{method: "POST", path: "/kb/synonyms", roles: curators, nav: "kb", do: s.keepSynonyms},
		{method: "POST", path: "/kb/synonyms/try", roles: curators, do: s.trySynonyms},
		{method: "GET", path: "/kb/import", roles: curators, nav: "kb", do: s.imports},
		{method: "POST", path: "/kb/import", roles: curators, nav: "kb", file: true, do: s.takeImport},
		{method: "POST", path: "/kb/import/act", roles: curators, nav: "kb", do: s.actOnImport},
		{method: "GET", path: "/kb/import/faults", roles: curators, do: s.importFaults},
		{method: "POST", path: "/kb/bulk", roles: curators, nav: "kb", do: s.lookAtBulk},
		{method: "POST", path: "/kb/bulk/apply", roles: curators, nav: "kb", do: s.applyBulk},
		{method: "GET", path: "/kb/export", roles: curators, do: s.exportKnowledge},
		{method: "GET", path: "/kb/{number}", roles: workers, nav: "kb", do: s.entry},
		{method: "POST", path: "/kb/{number}", roles: keepers, nav: "kb", do: s.editEntry},
		{method: "POST", path: "/kb/{number}/move", roles: keepers, nav: "kb", do: s.moveEntry},
		{method: "POST", path: "/kb/{number}/try", roles: workers, do: s.tryEntry},
		{method: "POST", path: "/kb/{number}/replay", roles: workers, do: s.replayEntry},
		{method: "POST", path: "/kb/{number}/must", roles: curators, do: s.keepMust},
		{method: "GET", path: "/kb/{number}/versions", roles: workers, nav: "kb", do: s.versions},
		{method: "POST", path: "/kb/{number}/restore", roles: curators, nav: "kb", do: s.restoreEntry},
	}
}
