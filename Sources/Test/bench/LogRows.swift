internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Foundation
internal import LocalLog
internal import TestSupport

extension Bench {
    static let topic = Topic("bench", partitions: 4, key: "", schema: "", owner: "")
    /// 100 bytes of key and value.
    static let record = NewRecord(key: "key-0123456789", value: Bytes(repeating: 7, count: 86), timestamp: now())

    func logRows() async throws -> [Row] {
        let place = try fresh("log")
        defer { remove(place) }
        let log = try await LocalLog.open(directory: place)
        try await log.create([Self.topic])
        var rows: [Row] = []
        for (batch, commits, goal) in [(10_000, 60, 1_200_000), (100, 1500, 300_000)] {
            var (ours, bare): ([Double], [Double]) = ([], [])
            for _ in 0..<rounds {
                ours.append(try await Self.appends(log, batch: batch, commits: commits))
                bare.append(try Self.syncs(place, bytes: batch * 110, count: commits) * Double(batch))
            }
            rows.append(
                Row("append, batches of \(batch)", .perSecond, ours, .atLeast(Double(goal)))
                    .held(against: "write and fdatasync the bytes", bare))
        }
        var (single, many, bare): ([Double], [Double], [Double]) = ([], [], [])
        for _ in 0..<rounds {
            single.append(try await Self.appends(log, batch: 1, commits: 2000))
            bare.append(try Self.syncs(place, bytes: 4096, count: 2000))
            many.append(try await Self.manyWriters(log, 64, appends: 300))
        }
        rows.append(
            Row("append one at a time", .perSecond, single, .timesAtLeast(0.9))
                .held(against: "write and fdatasync 4 KiB", bare))
        rows.append(
            Row("append one at a time, 64 writers at once", .perSecond, many, .atLeast(30_000))
                .held(against: "write and fdatasync 4 KiB", bare))
        await log.close()
        return rows + (try await processRows())
    }

    static func appends(_ log: any EventLog, batch: Int, commits: Int) async throws -> Double {
        let records = [NewRecord](repeating: record, count: batch)
        let watch = Stopwatch()
        for i in 0..<commits { _ = try await log.append([Append(TopicPartition("bench", Partition(i % 4)), records)]) }
        return Double(commits * batch) / watch.seconds
    }

    private static func manyWriters(_ log: any EventLog, _ writers: Int, appends: Int) async throws -> Double {
        let watch = Stopwatch()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<writers {
                group.addTask {
                    let target = TopicPartition("bench", Partition(writer % 4))
                    for _ in 0..<appends { _ = try await log.append([Append(target, [record])]) }
                }
            }
            try await group.waitForAll()
        }
        return Double(writers * appends) / watch.seconds
    }

    /// Writes and syncs so many bytes again and again, on and on as a log does; how many times a second.
    static func syncs(_ folder: String, bytes: Int, count: Int) throws -> Double {
        let path = folder + "/bare"
        let file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        if file < 0 { throw Overdue(description: "\(path) cannot be written: \(String(cString: strerror(errno)))") }
        defer {
            close(file)
            unlink(path)
        }
        let data = [UInt8](repeating: 1, count: bytes)
        let watch = Stopwatch()
        for _ in 0..<count {
            let written = data.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            if written != bytes || fdatasync(file) != 0 {
                throw Overdue(description: "\(path) cannot be written: \(String(cString: strerror(errno)))")
            }
        }
        return Double(count) / watch.seconds
    }

    /// Two processes on one log, beside one alone.
    private func processRows() async throws -> [Row] {
        let place = try fresh("processes")
        defer { remove(place) }
        let log = try await LocalLog.open(directory: place)
        try await log.create([Self.topic])
        await log.close()
        var (alone, together, slowest): ([Double], [Double], [Double]) = ([], [], [])
        for _ in 0..<rounds {
            alone.append(try await writers(1, on: place).rate)
            let both = try await writers(2, on: place)
            together.append(both.rate)
            slowest.append(both.slowest)
        }
        return [
            Row("append 100 at a time, two processes", .perSecond, together, .timesAtLeast(0.67))
                .held(against: "one process", alone),
            Row("  the slowest commit of both", .milliseconds, slowest, .atMost(100)),
        ]
    }

    private func writers(_ count: Int, on place: String) async throws -> (rate: Double, slowest: Double) {
        let program = URL(fileURLWithPath: program).deletingLastPathComponent().path + "/bench"
        let running = try (0..<count).map { _ in
            try Running(program, ["write-alone", "--log", place], cwd: folder, scratch: folder)
        }
        var all: [WriteAlone.Report] = []
        for one in running {
            let ended = try await one.end(within: .seconds(120))
            all.append(try JSONDecoder().decode(WriteAlone.Report.self, from: Data(ended.out.utf8)))
        }
        return (all.reduce(0) { $0 + $1.rate }, all.reduce(0) { max($0, $1.slowest) })
    }
}

/// A process that only appends, for rows of several.
struct WriteAlone: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Append for a while, and say how fast.", shouldDisplay: false)
    @Option var log: String
    @Option var seconds = 2.0

    struct Report: Codable {
        /// Events a second.
        var rate: Double
        /// Of the slowest commit, milliseconds.
        var slowest: Double
    }

    func run() async throws {
        let log = try await LocalLog.open(directory: log)
        let records = [NewRecord](repeating: Bench.record, count: 100)
        var (made, slowest) = (0, 0.0)
        let watch = Stopwatch()
        while watch.seconds < seconds {
            let commit = Stopwatch()
            _ = try await log.append([Append(TopicPartition("bench", Partition(made % 4)), records)])
            slowest = max(slowest, commit.seconds * 1000)
            made += 1
        }
        let report = Report(rate: Double(made * 100) / watch.seconds, slowest: slowest)
        await log.close()
        print(String(decoding: try JSONEncoder().encode(report), as: UTF8.self))
    }
}
