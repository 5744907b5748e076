import EventLog
import EventModel
import Foundation
import Handling
import Projecting
import ServiceLifecycle
import Snapshots
import Testing

@testable import HitsDomain
@testable import TicketsDomain

@Suite("A view and its log", .timeLimit(.minutes(10)))
struct ReachTests {
    private static let windows = Domain.hits.projections[0]
    private static let place = TopicPartition("hits.events", 0)

    /// Folds some events of every domain into all views.
    private func fold(_ projection: AnyProjection, _ site: Site) async throws {
        let bounds = try await site.log.bounds(of: site.log.partitions(of: projection.topics))
        var refold = try await ViewReplay(
            projection, from: site.log, starts: bounds.mapValues(\.lowerBound), into: site.views, owner: "test")
        try await refold.fold(to: bounds.mapValues(\.upperBound))
    }

    /// Says that a view has folded more of a partition than there is.
    private func putAhead(_ projection: AnyProjection, _ site: Site, of partition: TopicPartition? = nil) async throws {
        let partition = partition ?? Self.place
        let epochs = try await site.views.claim(projection, [partition], owner: "older log").mapValues(\.epoch)
        try await site.views.commit(projection, to: [partition: 5000], under: epochs) { _ in }
    }

    private func expectAhead(_ what: String, _ body: () async throws -> Void) async {
        let began = ContinuousClock.now
        let error = await #expect(throws: AheadOfLog.self, "\(what)") { try await body() }
        #expect(error?.description.contains("up to 5000, past the log's end") == true, "\(what)")
        #expect(ContinuousClock.now - began < .seconds(60), "\(what) waits for nothing")
    }

    @Test(arguments: Carrier.stores)
    func `that is ahead of the log is told of at once, whoever looks`(on carrier: Carrier) async throws {
        try await archive(carrier) { archive in
            let site = archive.site
            var events = RandomEvents(7)
            try await events.append(200, to: site.log)
            try await fold(Self.windows, site)
            try await putAhead(Self.windows, site)
            await expectAhead("a comparison") {
                var refold = try await ViewReplay(
                    Self.windows, from: site.log, starts: [:], into: MemoryViews(), owner: "test")
                _ = try await refold.comparison(with: Self.windows, in: site.views)
            }
            for invariant in Domain.hits.invariants where invariant.projection == Self.windows.name {
                await expectAhead("an invariant") {
                    _ = try await invariant.verdict(on: site.log, site.views, projections: [Self.windows])
                }
            }
            await expectAhead("a snapshot") { try await archive.keep(Self.windows) }
            #expect(try await archive.folder.all(of: Self.windows) == [])
            await expectAhead("a projector") { try await site.projector(of: Self.windows).run() }
            await expectAhead("a rebuild") {
                _ = try await Rebuild(Self.windows, log: site.log, views: site.views).build()
            }
        }
    }

    @Test(arguments: Carrier.stores)
    func `that tells of a partition which is none of its own is damaged`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            for (topic, number) in [("hits.evenus", 0), ("hits.events", 99)] {
                let projection = Self.windows.build(number + 1)
                try await site.views.open(projection)
                try await putAhead(projection, site, of: TopicPartition(topic, Partition(number)))
                let asOf = try await site.views.read(projection) { _, asOf in asOf }
                let error = await #expect(throws: ViewError.self) {
                    try await site.log.checkReach(of: projection, asOf: asOf)
                }
                #expect(error?.kind == .damaged && error?.message.contains("\(topic)/\(number)") == true)
            }
        }
    }

    /// A log whose first hits are past their retention, and a view that has folded them.
    private func onShortLog(_ test: (Site) async throws -> Void) async throws {
        try await site(.memory) { site in
            var topic = Domain.hits.topics[0]
            topic.retention = .seconds(60)
            let log = site.log as? any Maintained
            try await log?.configure([topic])
            var events = RandomEvents(9)
            try await events.append(300, to: site.log)
            try await fold(Self.windows, site)
            try await log?.maintain(at: noon + .seconds(90))
            #expect(try await !site.log.gone(of: Self.windows.topics).isEmpty)
            try await test(site)
        }
    }

    @Test func `of which the first events are gone is not rebuilt unless somebody says so`() async throws {
        try await onShortLog { site in
            var rebuild = Rebuild(Self.windows, log: site.log, views: site.views)
            let before = try await site.views.builds(of: Self.windows)
            let error = await #expect(throws: EventsGone.self) { _ = try await rebuild.build() }
            let first = try #require(try await site.log.gone(of: Self.windows.topics).first)
            #expect(error?.description.contains("\(first.partition) begins at \(first.before)") == true)
            #expect(try await site.views.builds(of: Self.windows) == before, "nothing was changed")
            rebuild.withoutGone = true
            let made = try await rebuild.build()
            #expect(!made.comparison.isEqual)
            try await rebuild.swap(to: made.build)
            #expect(try await site.views.live(Self.windows).build == 1)
        }
    }

    @Test func `is not taken back to a build that lacks events which are gone`() async throws {
        try await site(.memory) { site in
            var topic = Domain.hits.topics[0]
            topic.retention = .seconds(60)
            let log = site.log as? any Maintained
            var events = RandomEvents(11)
            try await events.append(100, to: site.log)
            try await fold(Self.windows, site)
            var rebuild = Rebuild(Self.windows, log: site.log, views: site.views)
            try await rebuild.swap(to: rebuild.build().build)
            try await events.append(400, to: site.log)
            try await log?.configure([topic])
            try await log?.maintain(at: Timestamp.calendar.upperBound)
            let error = await #expect(throws: EventsGone.self) { _ = try await rebuild.rollBack() }
            #expect(error?.what == "build 0 of hits.windows")
            rebuild.withoutGone = true
            #expect(try await rebuild.rollBack().build == 0)
        }
    }

    @Test func `decisions are not called wrong where the first events are gone, but not checked`() async throws {
        try await site(.memory) { site in
            try await running(site.handler()) {
                try await site.talk { client async throws in
                    _ = try await client.send(
                        site.command(.open(.named("s", seats: 4)), id: "open"),
                        site.command(.hold("h1", by: "ann", "A-1"), id: "hold"))
                }
            }
            let partition = Domain.tickets.topics[0].partition(of: "e1:s")
            func again() async throws -> DecisionAudit {
                try await DecisionAudit(partition, of: .tickets, Domain.tickets.decider!, on: site.log)
            }
            let found = try await again()
            #expect(found.unchecked == nil && found.problem == nil)
            let log = site.log as? any Maintained
            var topics = Domain.tickets.topics.filter { $0.name == "tickets.events" }
            (topics[0].retention, topics[0].cleanup) = (nil, .compact)
            try await log?.configure(topics)
            #expect(try await again().unchecked?.contains("is compacted") == true)
            (topics[0].retention, topics[0].cleanup) = (.seconds(1), .delete)
            try await log?.configure(topics)
            try await log?.maintain(at: noon + .seconds(3600))
            let gone = try await again()
            #expect(gone.problem == nil)
            let why = "tickets.events/\(partition) begins at 2: what was before is past its retention"
            #expect(gone.unchecked == "cannot be checked before offset 2: \(why)")
        }
    }

    @Test func `a projector that goes on behind a gap says what is missing`() async throws {
        try await onShortLog { site in
            let late = Self.windows.build(0)
            let fresh = Site(log: site.log, views: WatchedViews(MemoryViews()))
            try await running(fresh.projector(of: late)) { try await fresh.folded(late) }
            #expect(
                fresh.journal.all.contains { $0.contains("are past their retention; what they did is not in the view") }
            )
        }
    }
}
