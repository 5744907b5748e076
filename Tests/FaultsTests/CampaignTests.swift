import Domains
import EventLog
import EventModel
import Foundation
import GRDB
import TestSupport
import Testing

@testable import faults

/// Real processes, killed, frozen and without room, for some seconds; then the same log with something taken away or put
/// there twice.
@Suite("A short fault campaign", .serialized, .timeLimit(.minutes(10)))
struct CampaignTests {
    @Test func `loses nothing, and what is then lost or doubled on purpose is noticed`() async throws {
        let seed = ProcessInfo.processInfo.environment["MILLRACE_SEED"].flatMap { UInt64($0) } ?? 20
        print("fault campaign: seed \(seed)")
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("millrace-\(UUID().uuidString)").path
        let time = Duration.seconds(20)
        let site = try Site(
            .sqlite, folder: folder, program: Faults.folder + "/millrace", broker: nil, brokerRestart: nil, time: time)
        var isRight = false
        defer { site.close(keeping: !isRight) }
        let tag = Faults.tag()
        let report = try await Campaign(site: site, seed: seed, time: time, tag: tag).run()
        print(Report.table([report]))
        try #require(report.discrepancies.isEmpty, "\(report.discrepancies.prefix(5)), see \(folder)")
        #expect(report.injected.count >= 6 && report.commands > 100 && report.facts > 100)
        #expect(!report.recoveries { $0.answered }.isEmpty && !report.recoveries { $0.shown }.isEmpty)
        try await spoil(site, report, tag)
        isRight = true
    }

    /// What is found after the log has been changed behind everybody's back.
    private func spoil(_ site: Site, _ report: Report, _ tag: String) async throws {
        let accounting = try #require(report.accounting)
        let (id, answer) = try #require(
            accounting.ledger.commands.compactMap { id, command in
                command.answer.flatMap { $0.events.isEmpty ? nil : (id, $0) }
            }.min { $0.0 < $1.0 })
        let event = answer.events[0]
        func look() async throws -> [Discrepancy] {
            let log = try await site.openLog()
            let contents = try await Contents(of: log, from: report.starts, domains: Domains.all, tag: tag)
            await log.close()
            return Accounting(ledger: accounting.ledger, contents: contents).discrepancies
        }
        #expect(try await look().isEmpty)

        // The event's record once more, at the end.
        let log = try await site.openLog()
        var copy: NewRecord?
        try await log.scan(event.place, from: event.offset, to: event.offset + 1) { batch in
            copy = batch.records.first.map {
                NewRecord(key: $0.key, value: $0.value, timestamp: $0.timestamp, headers: $0.headers)
            }
        }
        _ = try await log.append([Append(event.place, [try #require(copy)])])
        await log.close()
        let doubled = try await look()
        #expect(doubled.map(\.kind) == [.twice] && doubled[0].words.contains(id), "\(doubled)")
        let verified = try await site.start(["verify", "--invariants", "--at-rest"], label: "verify").end()
        #expect(verified.exit == 75 || verified.exit == 65, "\(verified)")

        // Batches of telemetry, and those with an outcome, are taken away.
        let database = try DatabaseQueue(path: site.log.dropFirst("local:".count) + "/log.sqlite")
        func remove(from topic: String) throws {
            try database.write { db in
                try db.execute(
                    sql: """
                        DELETE FROM batches WHERE id = (SELECT b.id FROM batches b JOIN partitions p ON b.id >> 40 = p.id
                        WHERE p.topic = ? ORDER BY b.id LIMIT 1)
                        """, arguments: [topic])
                #expect(db.changesCount == 1)
            }
        }
        try remove(from: "hits.events")
        let lost = try await look()
        #expect(lost.contains { $0.kind == .lost && $0.words.contains("acknowledged") }, "\(lost.prefix(3))")
        try remove(from: "orders.outcomes")
        #expect(try await look().contains { $0.kind == .lost && $0.words.contains("outcome is not on the log") })
    }
}
