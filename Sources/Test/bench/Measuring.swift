internal import EventLog
internal import EventModel
internal import Foundation
internal import Logging
internal import TestSupport

/// What is measured, and where.
struct Bench: Sendable {
    /// Everything that is written lies in it.
    let folder: String
    /// The millrace beside this program.
    let program: String
    let rounds: Int
    /// Events of the rows that go through many.
    let events: Int
    /// Links of the rows that follow many.
    let links: Int
    /// `host:port` of a broker, where there is one.
    let broker: String?
    let logger: Logger

    /// A folder of that name which is not there yet.
    func fresh(_ name: String) throws -> String {
        let path = "\(folder)/\(name)-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }

    /// Starts the program on a local log in a folder.
    func start(_ arguments: [String], on place: String) throws -> Running {
        try Running(
            program, arguments, environment: ["MILLRACE_LOG": "local:\(place)"], cwd: folder, scratch: folder)
    }

    /// Runs the program to its end.
    @discardableResult
    func run(_ arguments: [String], on place: String) async throws -> Ended {
        let ended = try await start(arguments, on: place).end(within: .seconds(1200))
        if ended.exit != 0 { throw Overdue(description: "millrace \(arguments.joined(separator: " ")): \(ended)") }
        return ended
    }

    /// Says how far it has come.
    static func progress(_ words: String) { FileHandle.standardError.write(Data("bench: \(words)\n".utf8)) }
}

func now() -> Timestamp { Timestamp(Int64(Date().timeIntervalSince1970 * 1000)) }

/// Time that has passed, and seconds of processors that this program, or those it started and that have ended, have used.
struct Stopwatch {
    private let start = ContinuousClock.now
    private let own = Self.used(0)
    private let others = Self.used(-1)

    var seconds: Double { max((ContinuousClock.now - start) / .seconds(1), 1e-9) }
    var ownProcessor: Double { max(Self.used(0) - own, 1e-9) }
    var othersProcessor: Double { max(Self.used(-1) - others, 1e-9) }

    /// - Parameter who: 0 is RUSAGE_SELF, -1 RUSAGE_CHILDREN, which systems' headers have in different types.
    private static func used(_ who: Int32) -> Double {
        var usage = rusage()
        getrusage(who, &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
}

/// What a process has in memory, in megabytes.
enum Resident {
    /// Now.
    static func now(_ pid: Int32) -> Double? { read(pid, "VmRSS:") }
    /// The most so far.
    static func most(_ pid: Int32) -> Double? { read(pid, "VmHWM:") }

    private static func read(_ pid: Int32, _ field: String) -> Double? {
        guard let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix(field) }),
            let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Double($0) })
        else { return nil }
        return kilobytes / 1024
    }
}

extension EventLog {
    /// Appends in batches as large as a busy producer's.
    func fill(_ topic: String, _ count: Int, record: (Int) -> NewRecord) async throws {
        let partitions = try await partitionCounts()[topic] ?? 1
        for first in stride(from: 0, to: count, by: 10_000) {
            let records = (first..<min(first + 10_000, count)).map(record)
            _ = try await append(Append.byKey(records, to: topic, among: partitions))
        }
    }
}
