import Domains
import EventLog
import EventModel
import Foundation
import Handling
import Projecting
import Quarantining
import SQLiteViews
import ServiceLifecycle
import Snapshots
import SwiftProtobuf
import Synchronization
import Testing

import class GRDB.DatabaseQueue

@testable import TicketsDomain

/// Files that a disk has damaged are told of as such, or read as if nothing were: no worker dies of them, and none waits for
/// ever.
@Suite("Damaged files", .timeLimit(.minutes(10)))
struct DamageTests {
    private static let seed = UInt64.random(in: 0..<1_000_000)

    /// One place with views, checkpoints and snapshots of one log, as they were left in good order.
    private struct Whole {
        let folder: String
        let log = MemoryLog()
        let projections = Domains.all.flatMap(\.projections)
        var snapshots: SnapshotFolder { SnapshotFolder(folder + "/snapshots") }

        init(_ folder: String) async throws {
            self.folder = folder
            try log.create(Domains.all.flatMap(\.topics) + [QuarantineLog.topic])
            let views = try SQLiteViews(directory: folder + "/views")
            let site = Site(log: log, views: WatchedViews(views))
            try await running(site.handler()) {
                try await site.talk { client async throws in
                    _ = try await client.send(
                        (1...60).map { site.command(.open(.named("s", seats: 4), event: "e\($0)"), id: "open-\($0)") },
                        to: .tickets, within: .seconds(300))
                }
            }
            var events = RandomEvents(DamageTests.seed)
            try await events.append(1500, to: log)
            for projection in projections {
                try await refold(projection, into: views)
                try await views.withSnapshot(projection) {
                    _ = try await snapshots.keep($0, of: projection, from: log, limits: SnapshotLimits())
                }
            }
            let tries = ViewCrashRecords(views)
            var careful = CrashRecord()
            careful.begin(at: 0, end: 9, batch: 10)
            try await tries.keep([TopicPartition("hits.events", 0): careful], of: "hits.windows@1")
            await views.close()
            // What is in a write-ahead log would hide the damage of what it covers.
            let files = try FileManager.default.contentsOfDirectory(atPath: folder + "/views")
            for file in files where file.hasSuffix(".sqlite") {
                let queue = try DatabaseQueue(path: "\(folder)/views/\(file)")
                _ = try await queue.writeWithoutTransaction { try $0.checkpoint(.truncate) }
                try queue.close()
            }
        }

        func refold(_ projection: AnyProjection, into views: any ViewStore) async throws {
            let bounds = try await log.bounds(of: log.partitions(of: projection.topics))
            var refold = try await ViewReplay(
                projection, from: log, starts: bounds.mapValues(\.lowerBound), into: views, owner: "test")
            try await refold.fold(to: bounds.mapValues(\.upperBound))
        }

        /// A copy, to be damaged.
        func copy(to place: String) throws {
            try? FileManager.default.removeItem(atPath: place)
            try FileManager.default.copyItem(atPath: folder, toPath: place)
        }
    }

    /// Does something that may find the damage; gives whether it did.
    private static func finds(_ what: String, _ body: () async throws -> Void) async -> Bool {
        do {
            try await body()
            return false
        } catch let error as ViewError where error.kind == .fenced {
            // An epoch that became another valid number cannot be told from another's claim: the worker claims anew, and goes on.
        } catch let error as ViewError {
            #expect(error.kind == .damaged, "\(what): \(error)")
            #expect(error.message.contains("elete"), "\(what) says what to do: \(error)")
        } catch let error as LogError {
            #expect(error.kind == .damaged, "\(what): \(error)")
        } catch is AheadOfLog {
        } catch {
            Issue.record("\(what): \(error)")
        }
        return true
    }

    @Test func `of views are told of as damaged, or read to their ends`() async throws {
        print("damaged views: seed \(Self.seed)")
        var damage = Damage(Self.seed)
        try await folder { folder in
            let whole = try await Whole(folder + "/whole")
            var found = 0
            for round in 0..<160 {
                let projection = damage.pick(whole.projections)
                let place = "\(folder)/\(round)"
                try whole.copy(to: place)
                let how = try damage.strike("\(place)/views/\(projection.storage).sqlite")
                let what = "seed \(Self.seed), round \(round), \(how)"
                let views = try SQLiteViews(directory: place + "/views")
                var wasFound = await Self.finds(what) {
                    try await views.open(projection)
                    try await views.read(projection) { reader, asOf in
                        _ = asOf.values.reduce(0) { $0 + $1.rawValue }
                        for table in projection.allTables {
                            var rows = 0
                            try reader.everyRow(Scan(table, limit: 7)) { _ in rows += 1 }
                            for index in table.indexes {
                                try reader.everyRow(Scan(table, by: index.name, limit: 50)) { _ in rows += 1 }
                            }
                            #expect(rows < 100_000, "\(what)")
                        }
                    }
                }
                for invariant in Domains.all.flatMap(\.invariants) where invariant.projection == projection.name {
                    wasFound =
                        await Self.finds(what) {
                            _ = try await invariant.verdict(
                                on: whole.log, views, projections: whole.projections)
                        } || wasFound
                }
                wasFound =
                    await Self.finds(what) {
                        let bounds = try await whole.log.bounds(of: whole.log.partitions(of: projection.topics))
                        var refold = try await ViewReplay(
                            projection, from: whole.log, starts: bounds.mapValues(\.lowerBound), into: MemoryViews(),
                            owner: "test")
                        let comparison = try await refold.comparison(with: projection, in: views, leavingOutAlike: true)
                        if !comparison.isEqual { throw ViewError(.damaged, "it differs; delete it") }
                    } || wasFound
                wasFound =
                    await Self.finds(what) {
                        try await whole.refold(projection, into: views)
                        try await views.withSnapshot(projection) {
                            _ = try await whole.snapshots.keep(
                                $0, of: projection, from: whole.log, limits: SnapshotLimits())
                        }
                    } || wasFound
                await views.close()
                if wasFound { found += 1 }
                try FileManager.default.removeItem(atPath: place)
            }
            print("damaged views: \(found) of 160 were found")
            #expect(found > 20, "the damage does something")
        }
    }

    @Test func `of checkpoints end their workers with a word, or change nothing`() async throws {
        print("damaged checkpoints: seed \(Self.seed)")
        var damage = Damage(Self.seed &+ 1)
        try await folder { folder in
            let whole = try await Whole(folder + "/whole")
            var found = 0
            for round in 0..<60 {
                let place = "\(folder)/\(round)"
                try whole.copy(to: place)
                let file = damage.pick([
                    "tickets.handler@\(Tickets.stateVersion)", "tickets.handler@\(Tickets.stateVersion)",
                    "millrace.tries@1",
                ])
                let how = try damage.strike("\(place)/views/\(file).sqlite")
                let what = "seed \(Self.seed), round \(round), \(how)"
                let views = try SQLiteViews(directory: place + "/views")
                let site = Site(log: whole.log, views: WatchedViews(views))
                let wasFound = await Self.finds(what) {
                    if file.hasPrefix("millrace.tries") {
                        _ = try await ViewCrashRecords(views).crashRecords(
                            of: "hits.windows@1", [TopicPartition("hits.events", 0)])
                        return
                    }
                    try await running(site.handler()) {
                        try await site.talk { client async throws in
                            let orders = (1...60).map { number in
                                site.command(
                                    .holdSeats(
                                        .with {
                                            ($0.event, $0.section, $0.holder) = ("e\(number)", "s", "ann")
                                            ($0.hold, $0.seats) = ("h\(round)", ["A-1"])
                                        }), id: "hold-\(round)-\(number)")
                            }
                            _ = try? await client.send(orders, to: .tickets, within: .seconds(2))
                        }
                    }
                }
                if wasFound { found += 1 }
                await views.close()
                try FileManager.default.removeItem(atPath: place)
            }
            print("damaged checkpoints: \(found) of 60 were found")
        }
    }

    @Test func `of snapshots are passed over`() async throws {
        print("damaged snapshots: seed \(Self.seed)")
        var damage = Damage(Self.seed &+ 2)
        try await folder { folder in
            let whole = try await Whole(folder + "/whole")
            for round in 0..<60 {
                let projection = damage.pick(whole.projections)
                let place = "\(folder)/\(round)"
                try whole.copy(to: place)
                let kept = "\(place)/snapshots/\(projection.storage)"
                let files = try FileManager.default.contentsOfDirectory(atPath: kept).filter { !$0.hasPrefix("lock") }
                let how = try damage.strike("\(kept)/\(damage.pick(files.sorted()))")
                let what = "seed \(Self.seed), round \(round), \(how)"
                let ranges = try await whole.log.bounds(of: whole.log.partitions(of: projection.topics))
                let (snapshots, log) = (SnapshotFolder(place + "/snapshots"), whole.log)
                func rows(_ folder: SnapshotFolder?) async throws -> [[Row]] {
                    try await Past(of: projection, on: log, snapshots: folder).read(
                        Extent(at: Timestamp(.max), of: ranges), scratch: "\(place)/\(folder == nil)",
                        complain: { _ in }
                    ) { reader in try projection.tables.map { try reader.rows(Scan($0, limit: .max)) } }.0
                }
                let (shown, right) = (try await rows(snapshots), try await rows(nil))
                #expect(shown == right, "\(what)")
                try FileManager.default.removeItem(atPath: place)
            }
        }
    }
}
