import EventLog
import EventModel
import Foundation
import Synchronization
import Testing

@testable import LocalLog

/// Whose time the records of a topic have that goes by the log's clock.
@Suite("The local log's clock", .timeLimit(.minutes(10)))
struct LocalClockTests {
    private let site = LocalSite()
    private let commands = TopicPartition("commands", 0)
    private static let days400 = Duration.seconds(400 * 86_400)

    private static func real() -> Timestamp { Timestamp(Int64(Date().timeIntervalSince1970 * 1000)) }

    /// Appends a record to the topic of commands; gives the time it was given.
    private func stamp(_ log: LocalLog, on partition: TopicPartition? = nil) async throws -> Timestamp {
        let partition = partition ?? commands
        try await log.create([Topic("commands", 2, clock: .log)])
        let offset = try await log.append([Append(partition, [NewRecord("a", "1")])])[0][0]
        return try #require(try await log.record(at: offset, in: partition)).timestamp
    }

    private func isNow(_ time: Timestamp) -> Bool {
        time > Self.real() - .seconds(30) && time < Self.real() + .seconds(30)
    }

    @Test(arguments: [400 * 86_400, -400 * 86_400, 70, -20])
    func `a process whose clock is wrong does not have a say in it`(seconds: Int) async throws {
        defer { site.clear() }
        let ahead = Duration.seconds(seconds)
        let first = try await site.withLog { try await stamp($0) }
        let (wrong, correction) = try await site.withLog {
            $0.clock = { Self.real() + ahead }
        } _: { log in
            (try await stamp(log), log.clockCorrection)
        }
        #expect(isNow(first) && isNow(wrong) && wrong >= first)
        #expect(abs((correction + ahead).milliseconds) < 1000, "what else goes by a clock is told of it too")
        #expect(site.complaints.count == 1 && site.complaints[0].contains("the clock of process"), "\(site.complaints)")
        let after = try await site.withLog { try await stamp($0) }
        #expect(isNow(after) && after >= wrong)
    }

    @Test func `a clock that is right is gone by to the millisecond, and nothing is said of it`() async throws {
        defer { site.clear() }
        try await site.withLog { log in
            let before = Self.real()
            let time = try await stamp(log)
            #expect(time >= before && time <= Self.real())
            #expect(log.clockCorrection == .zero)
        }
        #expect(site.complaints.isEmpty)
    }

    /// The machine's own clock was wrong, and files with it.
    @Test func `after the machine's clock was wrong a partition goes on with the right time`() async throws {
        defer { site.clear() }
        let poisoned = try await site.withLog {
            $0.clock = { Self.real() + Self.days400 }
            $0.machineClock = { Self.real() + Self.days400 }
        } _: { log in
            try await stamp(log)
        }
        #expect(poisoned > Self.real() + .seconds(399 * 86_400))
        try await site.withLog { log in
            var times: [Timestamp] = []
            for _ in 0..<3 { times.append(try await stamp(log)) }
            #expect(times.allSatisfy(isNow) && times == times.sorted(), "\(times)")
            let other = try await stamp(log, on: TopicPartition("commands", 1))
            #expect(isNow(other))
        }
        #expect(site.complaints.count == 1 && site.complaints[0].contains("commands/0"), "\(site.complaints)")
        // Once more, by another process: it is not behind the one before, and nothing is said.
        try await site.withLog { log in
            let before = try #require(try await log.record(at: 3, in: commands)).timestamp
            let time = try await stamp(log)
            #expect(isNow(time) && time >= before)
        }
        #expect(site.complaints.count == 1)
    }

    @Test func `a clock that is set back by less than the skew allowed lets no time go back`() async throws {
        defer { site.clear() }
        let ahead = Mutex(Duration.seconds(40))
        let clock: @Sendable () -> Timestamp = { Self.real() + ahead.withLock { $0 } }
        try await site.withLog {
            $0.clock = clock
            $0.machineClock = clock
        } _: { log in
            let first = try await stamp(log)
            ahead.withLock { $0 = .zero }
            #expect(try await stamp(log) == first)
            // Further back than that, it was wrong.
            ahead.withLock { $0 = .zero - .seconds(30) }
            #expect(try await stamp(log) < first)
        }
    }

    @Test func `a member whose process has another time is not taken for dead, and takes nobody for dead`() async throws
    {
        defer { site.clear() }
        let (right, wrong) = (try await site.open(), try await site.open { $0.clock = { Self.real() + Self.days400 } })
        try await right.create([Topic("events", 2)])
        let one = try await Worker { try await right.join("group", topics: ["events"]) }
        try await drive(one, until: "both partitions") { one.owned.count == 2 }
        let two = try await Worker { try await wrong.join("group", topics: ["events"]) }
        try await drive(one, two, until: "a partition each") { one.owned.count == 1 && two.owned.count == 1 }
        for _ in 0..<10 {
            try await one.step()
            try await two.step()
        }
        #expect(one.owned.count == 1 && two.owned.count == 1)
        await one.member.leave()
        await two.member.leave()
        await right.close()
        await wrong.close()
    }
}
