package consent

// ContactKind is the kind of contact point that a channel reaches, "" if none.
func (c Channel) ContactKind() string {
	switch c {
	case "email":
		return "email"
	case "phone", "sms":
		return "phone"
	}
	return ""
}

// Spread appends an event to dst as the ledger of an identity has it. What was
// said at a record, without naming a contact point, is about those of the
// record: all that its channel reaches; on any channel, all of them and whatever
// has none. contacts are the contact points of the record that the event stands
// at. Every other event is taken as it is.
func Spread(dst []Event, e Event, contacts []Contact) []Event {
	kind := e.Channel.ContactKind()
	if e.Anchor.Kind != RecordAnchor || !e.Contact.IsZero() || kind == "" && e.Channel != AnyChannel {
		return append(dst, e)
	}
	before := len(dst)
	for _, c := range contacts {
		if kind == "" || c.Kind == kind {
			at := e
			at.Contact = c
			dst = append(dst, at)
		}
	}
	if kind == "" || len(dst) == before {
		dst = append(dst, e)
	}
	return dst
}
