import EventLog
import EventModel
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import LocalLog

/// How those who share a local log hear of one another, and wait for one another.
@Suite("A local log among processes", .timeLimit(.minutes(10)))
struct LocalSharingTests {
    private let site = LocalSite()
    private let events = TopicPartition("events", 0)

    @Test func `who cannot watch the doorbell hears of others' commits all the same`() async throws {
        defer { site.clear() }
        let writer = try await site.open()
        try await writer.create([Topic("events", 1)])
        let deaf = try await site.open { $0.watches = false }
        let reader = try await deaf.reader(from: [events: 0])
        #expect(try await reader.next(max: 10, wait: .zero).isEmpty)
        var waits: [Duration] = []
        for round in 0..<10 {
            async let came = reader.next(max: 10, wait: patience)
            // It waits for long enough to look seldom.
            while deaf.changed.waiting == 0 { await Task.yield() }
            _ = try await writer.append([Append(events, [NewRecord("a", "\(round)")])])
            let written = ContinuousClock.now
            #expect(try await came.flatMap(\.records).map(\.value.text) == ["\(round)"])
            waits.append(.now - written)
        }
        // It looks every 20 ms at least.
        #expect(waits.sorted()[5] < .seconds(1), "\(waits)")
        await reader.close()
        await deaf.close()
        await writer.close()
    }

    @Test func `members who cannot watch the doorbell share a group`() async throws {
        defer { site.clear() }
        let logs = [try await site.open { $0.watches = false }, try await site.open { $0.watches = false }]
        try await logs[0].create([Topic("events", 2)])
        let one = try await Worker { try await logs[0].join("group", topics: ["events"]) }
        try await drive(one, until: "both partitions") { one.owned.count == 2 }
        let two = try await Worker { try await logs[1].join("group", topics: ["events"]) }
        try await drive(one, two, until: "a partition each") { one.owned.count == 1 && two.owned.count == 1 }
        await one.member.leave()
        try await drive(two, until: "both partitions") { two.owned.count == 2 }
        await two.member.leave()
        for log in logs { await log.close() }
    }

    @Test func `a member's wait ends when it is woken, and nothing is lost by it`() async throws {
        defer { site.clear() }
        try await site.withLog { log in
            try await log.create([Topic("events", 1)])
            let worker = try await Worker { try await log.join("group", topics: ["events"]) }
            try await drive(worker, until: "the partition") { worker.owned.count == 1 }
            let begun = ContinuousClock.now
            let member = worker.member
            async let delivery = member.next(max: 10, wait: patience)
            while log.changed.waiting == 0 { await Task.yield() }
            member.wake()
            guard case .idle = try await delivery else { throw Overdue(description: "it was not woken") }
            // One that does not wait is woken when it does.
            worker.member.wake()
            guard case .idle = try await worker.member.next(max: 10, wait: patience) else {
                throw Overdue(description: "it was not woken later")
            }
            #expect(ContinuousClock.now - begun < patience)
            _ = try await log.append([Append(events, [NewRecord("a", "1")])])
            try await drive(worker, until: "a record") { worker.haul.count == 1 }
            await worker.member.leave()
        }
    }

    /// Holds a file's lock in a process of its own.
    private func hold(_ name: String) throws -> Running {
        let process = try Running(
            "/usr/bin/flock", ["--no-fork", "\(site.folder)/\(name)", "sleep", "60"], cwd: site.folder,
            scratch: NSTemporaryDirectory())
        defer { for file in [process.outFile, process.errFile] { unlink(file) } }
        let file = open("\(site.folder)/\(name)", O_RDONLY)
        defer { close(file) }
        let deadline = Deadline()
        while flock(file, LOCK_EX | LOCK_NB) == 0 {
            _ = try deadline.left(for: "\(name) to be held")
            flock(file, LOCK_UN)
            usleep(1000)
        }
        return process
    }

    @Test(
        .enabled(if: access("/usr/bin/flock", X_OK) == 0, "there is no flock program here"),
        arguments: ["lock.turn", "lock.queue"])
    func `a lock that another keeps is told of, and not waited for without end`(name: String) async throws {
        defer { site.clear() }
        let limits = FairLock.Limits(patience: .milliseconds(50), limit: .milliseconds(400))
        try await site.withLog {
            $0.lock = limits
        } _: { log in
            try await log.create([Topic("events", 1)])
            let holder = try hold(name)
            let begun = ContinuousClock.now
            let error = await #expect(throws: LogError.self) {
                try await log.append([Append(events, [NewRecord("a", "1")])])
            }
            let took = ContinuousClock.now - begun
            #expect(error?.kind == .busy && took >= limits.limit && took < patience, "\(took)")
            // The kernel's list of locks loses lines while others come and go, as in these tests: then it is another process.
            let said = ["\(name) is held by process", "lock.turn is held by another process"].map {
                "\(site.folder)/\($0)"
            }
            #expect(said.contains { error?.message.hasPrefix($0) == true }, "\(error?.message ?? "")")
            #expect(site.complaints.count == 1, "\(site.complaints)")
            #expect(said.contains { site.complaints.first?.hasPrefix($0) == true }, "\(site.complaints)")
            try await holder.crash()
        }
    }

    @Test func `a lock that is let go in time is waited for, and nothing is said`() async throws {
        defer { site.clear() }
        try await site.withLog { log in
            try await log.create([Topic("events", 1)])
            let file = open("\(site.folder)/lock.turn", O_RDWR)
            #expect(flock(file, LOCK_EX) == 0)
            async let offsets = log.append([Append(events, [NewRecord("a", "1")])])
            try await Task.sleep(for: .milliseconds(50))
            flock(file, LOCK_UN)
            #expect(try await offsets == [[0]])
            close(file)
        }
        #expect(site.complaints.isEmpty)
    }

    private func mode(_ path: String) -> String {
        var status = stat()
        return stat(path, &status) == 0 ? String(status.st_mode & 0o777, radix: 8) : "missing"
    }

    @Test func `what is made is its owner's alone`() async throws {
        defer { site.clear() }
        let log = try await site.open()
        try await log.create([Topic("events", 1)])
        let worker = try await Worker { try await log.join("group", topics: ["events"]) }
        try await drive(worker, until: "the partition") { worker.owned.count == 1 }
        var seen = 0
        for case let name as String in try #require(FileManager.default.enumerator(atPath: site.folder)) {
            let path = "\(site.folder)/\(name)"
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            #expect(mode(path) == (isFolder.boolValue ? "700" : "600"), "\(name)")
            seen += 1
        }
        #expect(seen >= 8 && mode(site.folder) == "700")
        await worker.member.leave()
        await log.close()
    }

    @Test func `a wider mode that somebody chose stays`() async throws {
        defer { site.clear() }
        try await site.withLog { try await $0.create([Topic("events", 1)]) }
        chmod(site.folder, 0o750)
        for name in ["log.sqlite", "log.sqlite-wal", "log.sqlite-shm"] { chmod("\(site.folder)/\(name)", 0o640) }
        try await site.withLog { _ = try await $0.append([Append(events, [NewRecord("a", "1")])]) }
        #expect(mode(site.folder) == "750" && mode(site.folder + "/log.sqlite") == "640")
        #expect(["640", "missing"].contains(mode(site.folder + "/log.sqlite-wal")))
    }
}
