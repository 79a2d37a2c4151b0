package gen

import (
	"slices"
	"strings"
)

// Fictional tells whether a value of personal data lies in a range that can
// hit nobody, in a profile. what is identity, phone or card.
func Fictional(p Profile, what, value string) bool {
	switch what {
	case "identity":
		if len(value) != 18 && len(value) != 15 {
			return false
		}
		region := value[:6]
		if strings.HasPrefix(region, "99") {
			return true
		}
		return p == Strict && region[2:] == "0000" && slices.ContainsFunc(provinces[:mainland], func(q province) bool { return q.code == region[:2] })
	case "phone":
		return len(value) == 11 && slices.Contains(unusedSegments, value[:3])
	case "card":
		return strings.HasPrefix(value, cardPrefix)
	}
	return false
}
