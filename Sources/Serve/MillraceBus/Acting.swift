internal import EventModel

/// Who sends commands and events, where that is known: nobody acts as somebody else.
package struct Acting: Sendable, Hashable {
    package var subject: String
    /// Whether it may name others: a program that sends for many.
    package var isForOthers: Bool

    package init(subject: String, isForOthers: Bool) { (self.subject, self.isForOthers) = (subject, isForOthers) }

    /// Fills the field that names who acts where it is empty, and refuses another's name.
    func applied(to value: Bytes, of found: Catalogue.Found) throws(ActsForAnother) -> Bytes {
        guard let field = found.domain.actor(of: found.kind) else { return value }
        let named = found.schema.text(field, of: found.kind, in: value)
        if named.isEmpty { return found.schema.setting(field, of: found.kind, to: subject, in: value) }
        // Byte by byte: what looks alike is another's.
        if isForOthers || named.utf8.elementsEqual(subject.utf8) { return value }
        throw ActsForAnother(field: field.name, named: named, domain: found.domain.name, subject: subject)
    }
}

/// Somebody sends what only another may.
package struct ActsForAnother: Error, Sendable, Hashable {
    package var field: String
    package var named: String
    package var domain: String
    package var subject: String
}
