internal import EventModel

extension Outcome {
    /// How a decision is another than this one, nil where it is the same.
    func difference(from decision: Decision) -> String? {
        switch decision {
        case .accepted(let made):
            if !accepted { return "was refused as \(reason), but is accepted when decided again" }
            if made.map(\.type) != events.map(\.type) {
                let (then, now) = (events.map(\.type), made.map(\.type))
                return "made \(Self.list(then)), but \(Self.list(now)) when decided again"
            }
        case .refused(let no):
            if accepted { return "was accepted, but is refused as \(no.reason) when decided again: \(no.message)" }
            if no.reason != reason || no.message != message {
                return "was refused as \(reason) (\(message)), but as \(no.reason) (\(no.message)) when decided again"
            }
        }
        return nil
    }

    private static func list(_ types: [String]) -> String {
        types.isEmpty ? "no event" : types.joined(separator: ", ")
    }
}

extension Record {
    func difference(from made: EncodedEvent, at time: Timestamp, _ schema: Schema) -> String? {
        if key != made.key { return "its key is \(key.text), but should be \(made.key.text)" }
        // What was written before its event changed is lifted first.
        if value != made.value, schema.lifted(value) != made.value {
            return "its value is another than the command makes when decided again"
        }
        if timestamp != time { return "its time is \(timestamp.rfc3339), but should be \(time.rfc3339)" }
        return nil
    }
}
