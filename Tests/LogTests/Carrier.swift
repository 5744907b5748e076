import EventLog
import Testing

/// A log under test: what it declares, and where a fresh one of it is found.
struct Carrier: Sendable, CustomTestStringConvertible {
    let name: String
    let promises: Promises
    /// Whether it is ``Maintained``.
    let maintained: Bool
    /// Makes room for an empty log. One that lives on a shared broker need not be empty: each test has its own names.
    let home: @Sendable () async throws -> Home

    var testDescription: String { name }

    /// The carriers that declare all of these.
    static func promising(_ promises: Promises) -> [Carrier] { all.filter { $0.promises.isSuperset(of: promises) } }
    static var maintained: [Carrier] { all.filter(\.maintained) }
}

/// The place of one log.
struct Home: Sendable {
    /// Opens the log; after it was closed, opens it again.
    let open: @Sendable () async throws -> any EventLog
    /// Removes what is left of it when it is closed for good.
    let clear: @Sendable () async -> Void

    init(
        open: @escaping @Sendable () async throws -> any EventLog,
        clear: @escaping @Sendable () async -> Void = {}
    ) {
        self.open = open
        self.clear = clear
    }
}
