package web

import "frontline/bot/chat"

// Sets of roles that pages share.
var (
	anybody = chat.RoleSet(nil) // everybody who is signed in
	workers = chat.RoleSet{chat.Responder, chat.Curator, chat.Tester, chat.Leader, chat.Admin}
	admins  = chat.RoleSet{chat.Admin}
	deskers = chat.RoleSet{chat.Responder, chat.Leader, chat.Admin} // work on tickets
	readers = chat.RoleSet{chat.Leader, chat.Admin}                 // of the audit log
)

// routeList is the one list of pages and actions: method, path, who may, and
// what runs. The page of rights and the tests are made from it.
func (s *Server) routeList() []route {
	list := []route{
		{method: "GET", path: "/{$}", roles: anybody, nav: "home", do: s.home},
		{method: "GET", path: "/search", roles: workers, do: s.search},
		{method: "GET", path: "/tickets", roles: deskers, nav: "tickets", do: s.ticketList},
		{method: "GET", path: "/tickets/fresh", roles: deskers, do: s.freshTickets},
		{method: "GET", path: "/tickets/export", roles: deskers, do: s.exportTickets},
		{method: "POST", path: "/tickets/export", roles: deskers, do: s.exportTickets},
		{method: "POST", path: "/tickets/bulk", roles: deskers, nav: "tickets", do: s.bulk},
		{method: "POST", path: "/tickets/views", roles: deskers, do: s.addTicketView},
		{method: "POST", path: "/tickets/views/{id}/delete", roles: deskers, do: s.deleteTicketView},
		{method: "GET", path: "/tickets/new", roles: deskers, nav: "tickets", do: s.newTicket},
		{method: "POST", path: "/tickets/new", roles: deskers, nav: "tickets", photos: true, do: s.sendNewTicket},
		{method: "GET", path: "/m/report", roles: anybody, nav: "report", do: s.report},
		{method: "POST", path: "/m/report", roles: anybody, photos: true, do: s.sendReport},
		{method: "POST", path: "/m/report/draft", roles: anybody, do: s.reportDraft},
		{method: "POST", path: "/m/report/near", roles: anybody, do: s.reportNear},
		{method: "POST", path: "/m/report/photo", roles: anybody, upload: true, do: s.reportPhoto},
		{method: "GET", path: "/m/report/photo/{id}", roles: anybody, do: s.reportPhotoBack},
		{method: "GET", path: "/m/mine", roles: anybody, nav: "mine", do: s.mine},
		{method: "GET", path: "/m/t/{number}", roles: anybody, do: s.mineTicket},
		{method: "POST", path: "/m/t/{number}", roles: anybody, photos: true, do: s.mineAct},
		{method: "GET", path: "/tickets/{number}", roles: deskers, nav: "tickets", do: s.ticket},
		{method: "POST", path: "/tickets/{number}/act", roles: deskers, nav: "tickets", do: s.act},
		{method: "POST", path: "/tickets/{number}/say", roles: deskers, nav: "tickets", photos: true, do: s.say},
		{method: "POST", path: "/tickets/{number}/reveal", roles: deskers, nav: "tickets", do: s.reveal},
		{method: "POST", path: "/tickets/{number}/seen", roles: deskers, do: s.seen},
		{method: "POST", path: "/snippets", roles: deskers, do: s.addSnippet},
		{method: "POST", path: "/snippets/{id}/delete", roles: deskers, do: s.deleteSnippet},
		{method: "GET", path: "/files/{number}/{entry}/{i}", roles: anybody, do: s.file},
		{method: "GET", path: "/login", public: true, do: s.loginPage},
		{method: "GET", path: "/login/wecom", public: true, do: s.loginWeCom},
		{method: "GET", path: "/login/callback", public: true, do: s.loginCallback},
		{method: "POST", path: "/login/demo", public: true, do: s.loginDemo},
		{method: "GET", path: "/deliveries", roles: admins, nav: "deliveries", do: s.deliveries},
		{method: "GET", path: "/deliveries/fresh", roles: admins, do: s.freshDeliveries},
		{method: "GET", path: "/deliveries/in/{id}", roles: admins, nav: "deliveries", do: s.received},
		{method: "GET", path: "/deliveries/out/{id}", roles: admins, nav: "deliveries", do: s.delivered},
		{method: "POST", path: "/deliveries/in/{id}/retry", roles: admins, do: s.retryReceived},
		{method: "POST", path: "/deliveries/out/{id}/retry", roles: admins, do: s.retryDelivered},
		{method: "GET", path: "/groups", roles: admins, nav: "groups", do: s.groups},
		{method: "POST", path: "/groups", roles: admins, nav: "groups", do: s.addGroup},
		{method: "GET", path: "/groups/new", roles: admins, nav: "groups", do: s.newGroup},
		{method: "GET", path: "/groups/{name}/edit", roles: admins, nav: "groups", do: s.editGroup},
		{method: "POST", path: "/groups/{name}", roles: admins, nav: "groups", do: s.changeGroup},
		{method: "POST", path: "/groups/{name}/delete", roles: admins, do: s.deleteGroup},
		{method: "POST", path: "/groups/{name}/test", roles: admins, do: s.testGroup},
		{method: "GET", path: "/webhooks", roles: admins, nav: "webhooks", do: s.webhooks},
		{method: "POST", path: "/webhooks/{name}/test", roles: admins, do: s.testHook},
		{method: "POST", path: "/webhooks/{name}/retry", roles: admins, do: s.retryHook},
		{method: "GET", path: "/audit", roles: readers, nav: "audit", do: s.audit},
		{method: "GET", path: "/settings", roles: admins, nav: "settings", do: s.settings},
		{method: "GET", path: "/settings/doctor", roles: admins, nav: "settings", do: s.doctor},
		{method: "GET", path: "/settings/messages", roles: admins, nav: "settings", do: s.messages},
		{method: "GET", path: "/settings/model", roles: admins, nav: "settings", do: s.model},
		{method: "POST", path: "/settings/messages/try", roles: admins, do: s.tryMessage},
		{method: "GET", path: "/users", roles: admins, nav: "users", do: s.users},
		{method: "POST", path: "/users/sync", roles: admins, do: s.syncMembers},
		{method: "POST", path: "/users/{id}/roles", roles: admins, do: s.setRoles},
		{method: "POST", path: "/users/{id}/disabled", roles: admins, do: s.setDisabled},
		{method: "GET", path: "/rights", roles: workers, nav: "users", do: s.rights},
		{method: "GET", path: "/tokens", roles: anybody, do: s.tokens},
		{method: "POST", path: "/tokens", roles: anybody, do: s.newToken},
		{method: "POST", path: "/tokens/{id}/revoke", roles: anybody, do: s.revokeToken},
		{method: "POST", path: "/logout", roles: anybody, do: s.logout},
		{method: "POST", path: "/profile/theme", public: true, do: s.setTheme},
		{method: "POST", path: "/profile/lang", public: true, do: s.setLang},
	}
	list = append(list, s.kbRoutes()...)
	list = append(list, s.alertRoutes()...)
	list = append(list, s.oncallRoutes()...)
	list = append(list, s.sharingRoutes()...)
	list = append(list, s.calendarRoutes()...)
	list = append(list, s.profileRoutes()...)
	list = append(list, s.analysisRoutes()...)
	list = append(list, s.helpRoutes()...)
	if s.opt.Monitors != nil {
		list = append(list, s.monitorRoutes()...)
		if s.opt.Monitors.Shelf != nil {
			list = append(list, s.monitorEditRoutes()...)
		}
	}
	if s.opt.Desk.Construct != nil {
		list = append(list, s.constructRoutes()...)
		list = append(list, s.constructReportRoutes()...)
		list = append(list, s.recipeEditRoutes()...)
	}
	if s.opt.Platform != nil {
		list = append(list,
			route{method: "GET", path: "/simulator", roles: anybody, nav: "simulator", do: s.simulator},
			route{method: "GET", path: "/simulator/{part}", roles: anybody, do: s.simulatorPart},
			route{method: "POST", path: "/simulator/say", roles: anybody, upload: true, do: s.simulatorSay},
			route{method: "POST", path: "/simulator/act", roles: anybody, do: s.simulatorAct},
			route{method: "POST", path: "/simulator/fault", roles: anybody, do: s.simulatorFault},
			route{method: "POST", path: "/simulator/replay", roles: anybody, do: s.simulatorReplay},
		)
	}
	return list
}
