package import EventModel

extension Malformed {
    /// What is wrong with a line, where the line is named already.
    package var inLine: String { field == "line" ? why : message }
}

/// Turns lines into events of one kind.
package struct EventLines: Sendable {
    package struct Event: Sendable {
        package var key: Bytes
        package var value: Bytes
        /// Nil where the line does not say it.
        package var time: Timestamp?
    }

    package let found: Catalogue.Found
    private let timeField: String?

    /// - Parameter timeField: The field of a line that is its time; nil is `@time`, where a line has it.
    package init(found: Catalogue.Found, timeField: String?) { (self.found, self.timeField) = (found, timeField) }

    /// The event of a line, nil for an empty one.
    package func read(_ line: InputLine) throws(Malformed) -> Event? {
        do {
            return try read(line, by: nil)
        } catch let error as Malformed {
            throw error
        } catch {
            throw Malformed("event", String(describing: error))
        }
    }

    /// The event of a line, nil for an empty one.
    ///
    /// - Parameter acting: Who sends it; nil where that is not asked.
    /// - Throws: ``Malformed``, and ``ActsForAnother``.
    package func read(_ line: InputLine, by acting: Acting?) throws -> Event? {
        if line.tooLong { throw Malformed("line", "is over \(Limits.lineBytes) bytes") }
        if line.bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return nil }
        if String(validating: line.bytes, as: UTF8.self) == nil { throw Malformed("line", "is not UTF-8") }
        let (json, time) = try split(line.bytes)
        if let time, time > now() + maximumClockSkew {
            throw Malformed("time", "\(time.rfc3339) is over \(maximumClockSkew.short) ahead of this machine's clock")
        }
        var value = try found.schema.encode(found.kind, json: Bytes(json))
        if let acting { value = try acting.applied(to: value, of: found) }
        return Event(key: try found.key(value), value: value, time: time)
    }

    /// The event's own JSON, and its time where the line says it. What is no object is left to the schema to refuse.
    private func split(_ bytes: ArraySlice<UInt8>) throws(Malformed) -> (ArraySlice<UInt8>, Timestamp?) {
        guard let line = TopLevel(bytes) else { return (bytes, nil) }
        if let event = line["event"], event.isObject, let type = line["type"]?.text {
            try JSONMembers.checkOnce(bytes)
            if type != found.kind.name { throw Malformed("type", "is \(type), not \(found.kind.name)") }
            guard let time = line["timestamp"]?.text.flatMap({ Timestamp(rfc3339: $0) }) else {
                throw Malformed("timestamp", "is not RFC 3339")
            }
            return (event.value, time)
        }
        let field = timeField ?? "@time"
        guard let said = line[field] else {
            if timeField == nil { return (bytes, nil) }
            throw Malformed(field, "is missing, and --time-field names it")
        }
        guard let time = Self.time(said) else {
            throw Malformed(field, "must be RFC 3339, or seconds or milliseconds since 1970")
        }
        let isOwn = found.kind.fields.contains { $0.name == field }
        return (isOwn ? bytes : line.without([said]), time)
    }

    /// The moment that a member tells.
    package static func time(_ said: TopLevel.Member) -> Timestamp? {
        if let text = said.text { return Timestamp(rfc3339: text) ?? DecimalText(text).flatMap(number) }
        return said.number.flatMap(number)
    }

    /// Seconds, or milliseconds where as seconds it would lie beyond the year 5000. What is finer is cut off.
    private static func number(_ value: DecimalText) -> Timestamp? {
        guard let whole = value.scaled(by: 0), whole.magnitude < 1_000_000_000_000_000 else { return nil }
        return value.scaled(by: whole.magnitude < 100_000_000_000 ? 3 : 0).map { Timestamp($0) }
    }
}
