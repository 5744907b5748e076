import Foundation
import TestSupport
import Testing

/// A folder that an earlier version wrote: `Logs/version-1.tar.gz`, the log, views and checkpoints of `up` at revision 808d47d,
/// with a fan-out limit of 3, after commands to every domain. Its batches have no checksum over their place, its views and
/// states are of earlier shapes, and one hold is left to expire.
@Suite("A log of an earlier version", .timeLimit(.minutes(10)))
struct FormerLogTests {
    private let limit = ["MILLRACE_SOCIAL_FAN_OUT_LIMIT": "3"]

    private func onFormerLog(_ test: (Bus) async throws -> Void) async throws {
        try await onBus { bus in
            try FileManager.default.createDirectory(atPath: bus.log, withIntermediateDirectories: true)
            let archive = Bus.package + "/Tests/MillraceTests/Logs/version-1.tar.gz"
            let unpacked = try await bus.sh("tar -xzf '\(archive)' -C '\(bus.log)' && chmod -R go= '\(bus.log)'")
            try #require(unpacked.exit == 0, "\(unpacked)")
            try await test(bus)
        }
    }
    private func work(_ bus: Bus) async throws -> Running {
        let worker = try bus.start("work", environment: limit)
        try await eventually("the workers to work: \(worker.err)") { worker.err.contains("working:") ? true : nil }
        return worker
    }

    /// A hold of the balcony was left to run out. Until it has, something is left to do.
    private func expire(_ bus: Bus) async throws {
        try await eventually("the hold to expire") {
            let held = try await bus.replay("tickets.events", "--type", "HoldExpired")
            return held.count == 1 ? true : nil
        }
    }

    @Test func `opens, and is whole, views included, before any worker has run`() async throws {
        try await onFormerLog { bus in
            let verified = try await bus.run("verify", "--json")
            #expect(verified.exit == 0, "\(verified)")
            let findings = try verified.lines.map { try JSON($0) }
            #expect(findings.filter { $0["check"] == "view" }.count >= 10, "\(verified)")
            #expect(findings.allSatisfy { $0["problem"] == nil }, "\(verified)")
            let decisions = try await bus.run("verify", "--decisions")
            #expect(decisions.exit == 0, "\(decisions)")
            for (topic, count) in [
                ("tickets.events", 8), ("orders.events", 7), ("social.events", 10), ("hits.events", 3),
            ] {
                #expect(try await bus.count(topic) == count, "\(topic)")
            }
            let seats = try await bus.query("tickets.seats", "--event", "e1", "--section", "stalls")
            #expect(seats["rows"].array.prefix(3).map { $0["status"].string } == ["sold", "sold", "free"])
            let driver = try await bus.query("rides.driver", "--driver", "d1")
            #expect("\(driver)".contains("48.15"))
        }
    }

    @Test func `is gone on with: states, timers and promotions are those that it had`() async throws {
        try await onFormerLog { bus in
            let worker = try await work(bus)
            try await expire(bus)
            let again = try await bus.send(
                "ConfirmPurchase", "--event", "e1", "--section", "stalls", "--hold", "h1", "--holder", "ann",
                "--payment-token", "tok_3", refused: true)
            #expect(again["reason"] == "paid-otherwise")
            try await bus.send(
                "HoldSeats", "--event", "e1", "--section", "balcony", "--holder", "dan", "--seats", "A-4")
            let late = try await bus.send("CancelOrder", "--order", "o1", "--reason", "late", refused: true)
            #expect(late["reason"] == "already-delivered", "\(late)")
            try await bus.send("MarkPickedUp", "--order", "o3", refused: true)
            // She has three followers and was promoted: they fetch what she writes.
            try await bus.send("PostTweet", "--user", "ann", "--tweet", "t9", "--text", "Again #one")
            try await bus.settle()
            let timeline = try await bus.query("social.timeline", "--user", "b")
            #expect(timeline["rows"].array.map { $0["tweet"].string } == ["t9", "t1"], "\(timeline)")
            #expect(
                try await bus.replay("social.home", "--type", "TimelineEntriesAdded").filter {
                    $0["event"]["author"] == "ann" && $0["event"]["entries"].array.contains { $0["tweet"] == "t9" }
                }.isEmpty)
            try await worker.stop()
            let verified = try await bus.start(["verify", "--at-rest"], environment: limit).end()
            #expect(verified.exit == 0, "\(verified)")
            let decisions = try await bus.run("verify", "--decisions")
            #expect(decisions.exit == 0, "\(decisions)")
        }
    }

    @Test func `gives its views again by a rebuild`() async throws {
        try await onFormerLog { bus in
            let worker = try await work(bus)
            try await expire(bus)
            try await bus.settle()
            try await worker.stop()
            for view in ["tickets.seatmap", "social.timelines", "orders.tracking", "hits.windows", "rides.drivers"] {
                let rebuilt = try await bus.start(["rebuild", view], environment: limit).end()
                #expect(rebuilt.exit == 0, "\(view): \(rebuilt)")
            }
            let verified = try await bus.start(["verify", "--at-rest"], environment: limit).end()
            #expect(verified.exit == 0, "\(verified)")
        }
    }
}
