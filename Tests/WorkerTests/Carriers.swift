import EventLog
import Foundation
import LocalLog
import PostgresServer
import PostgresViews
import Projecting
import SQLiteViews
import Testing

/// A log and a view store that the workers run on, and how they are opened, and opened again.
struct Carrier: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// What is written outlives the one who opened it.
    var isKept = true
    let log: @Sendable (_ folder: String) async throws -> any EventLog
    let views: @Sendable (_ folder: String) throws -> any ViewStore
    /// Whether handlers and reactors keep checkpoints in the views.
    var keeps = true

    static let memory = Carrier(
        testDescription: "memory", isKept: false, log: { _ in MemoryLog() }, views: { _ in MemoryViews() },
        keeps: false)
    static let kept = Carrier(
        testDescription: "memory with checkpoints", isKept: false, log: { _ in MemoryLog() },
        views: { _ in MemoryViews() })
    static let local = Carrier(
        testDescription: "local", log: { try await LocalLog.open(directory: $0 + "/log") },
        views: { try SQLiteViews(directory: $0 + "/views") })
    static let all = [memory, kept, local]

    /// The views in a database of the test's own.
    static let postgres = Carrier(
        testDescription: "postgres", log: { try await LocalLog.open(directory: $0 + "/log") },
        views: { try PostgresViews(url: try PostgresServer.shared().url(for: $0)) })
    /// For what is about views; where no server can be started, without PostgreSQL.
    static let stores = all + (PostgresServer.isHere ? [postgres] : [])
    /// For what is about checkpoints.
    static let keeping = [kept, local] + (PostgresServer.isHere ? [postgres] : [])
}

/// A folder of one test, removed whatever comes of it.
func folder<R>(_ body: (String) async throws -> R) async throws -> R {
    let folder = NSTemporaryDirectory() + "millrace-workers-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
}
