internal import EventModel

/// What this library refuses, or cannot do. Errors of the log and of views (`LogError`, `ViewError`) go through as they are.
public struct BusError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What sort of mistake it was, for who chooses what to do.
    public enum Kind: Sendable, Hashable {
        /// A name, a value, or a place that was given is not one.
        case usage
        /// The environment or a file sets something that cannot be.
        case configuration
        /// A file that was named cannot be read.
        case noInput
        /// Its time is over, or the state of another process is in the way: it may go well later.
        case tryAgain
        /// What it needs is not to be had: an address that another process listens on.
        case unavailable
    }
    /// What sort of mistake it was.
    public var kind: Kind
    /// What is wrong and, where there is something, what to do.
    public var message: String
    /// The parameter that is at fault, where it is one.
    package var field: String?

    /// An error with a message for people: what was wrong, where, and what to do.
    public init(_ kind: Kind, _ message: String) { (self.kind, self.message) = (kind, message) }
    package init(_ kind: Kind, _ message: String, field: String) {
        (self.kind, self.message, self.field) = (kind, message, field)
    }

    public var description: String { message }

    /// Reads a parameter. What is wrong with it names it.
    static func naming<Value>(_ field: String, _ read: () throws -> Value) throws -> Value {
        do {
            return try read()
        } catch var error as BusError {
            error.field = error.field ?? field
            throw error
        }
    }
}

/// A name that nothing has.
public struct UnknownName: Error, Sendable, Hashable, CustomStringConvertible {
    /// What it should have been the name of: `query`, `command`, `worker, kind or domain`.
    public var what: String
    /// The name that is not known, as it was given.
    public var name: String
    /// The names there are.
    public var known: [String]

    /// A name that is not among those that are known.
    public init(_ what: String, _ name: String, among known: [String]) {
        (self.what, self.name, self.known) = (what, name, known)
    }

    public var description: String { message(shownBy: nil) }

    /// What is said of it: which name it may have been, then all of them.
    ///
    /// - Parameter place: A command line that shows all of them, where they are too many to be named.
    package func message(shownBy place: String?) -> String {
        "there is no \(what) \(name); \(Self.advice(name, among: known, shownBy: place))"
    }

    package static func advice(_ name: String, among known: [String], shownBy place: String?) -> String {
        let question = Nearest.question(to: name, among: known)
        let all = place.map { "all are shown by: \($0)" } ?? "there are \(known.joined(separator: ", "))"
        return question.map { "\($0) \(all.prefix(1).uppercased())\(all.dropFirst())" } ?? all
    }
}
