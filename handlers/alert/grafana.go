package alert

// parseGrafana reads Grafana's webhook: Alertmanager's, with more fields. Its
// fingerprint covers labels that are not sent, so it is trusted, not made anew.
func parseGrafana(in Input) (Delivery, error) { return parseAlertmanager(in) }
