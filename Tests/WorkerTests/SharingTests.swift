import EventLog
import EventModel
import Handling
import LocalLog
import Projecting
import Quarantining
import Testing

@testable import TicketsDomain

@Suite("Several handlers", .timeLimit(.minutes(10)))
struct SharingTests {
    /// Opens a section of each of some events, so that all partitions have work; gives the accepted.
    private func openMany(_ name: String, _ client: CommandClient, _ site: Site) async throws -> Int {
        let commands = (0..<40).map {
            site.command(.open(.named(name, seats: 2), event: "e\($0)"), id: "\(name)-\($0)")
        }
        let outcomes = try await client.send(commands, to: .tickets, within: .seconds(300))
        #expect(Set(outcomes.flatMap(\.events).map(\.place.partition)).count == 4, "all partitions had work")
        return outcomes.count(where: \.accepted)
    }

    @Test(arguments: Carrier.logs)
    func `share the partitions, and one takes over what the other leaves`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            try await site.talk { client async throws in
                try await running(site.handler("one")) {
                    #expect(try await openMany("a", client, site) == 40)
                    try await running(site.handler("two")) {
                        try await site.journal.bell.until("the second had partitions") {
                            site.journal.taken(by: "two") >= 2
                        }
                        #expect(try await openMany("b", client, site) == 40)
                    }
                    let again = site.command(.open(.named("b", seats: 2), event: "e7"), id: "again")
                    let outcome = try await client.ask(again)
                    #expect(outcome.accepted && outcome.events == [], "what the other opened is known")
                    #expect(try await openMany("c", client, site) == 40)
                }
            }
            #expect(site.journal.taken(by: "one") >= 6, "four, and two that came back")
            #expect(try await site.facts().count == 120)
        }
    }
    @Test func `in two processes on one local log decide each command once`() async throws {
        try await folder { folder in
            let carrier = Carrier.local
            let log = try await carrier.log(folder)
            let other = try await carrier.log(folder)
            try await log.create(Domain.tickets.topics + [QuarantineLog.topic])
            let site = Site(log: log, views: WatchedViews(try carrier.views(folder)))
            try await site.talk { client async throws in
                try await running(site.handler("one"), site.handler("two", on: other)) {
                    try await site.journal.bell.until("both had partitions") {
                        site.journal.taken(by: "one") >= 2 && site.journal.taken(by: "two") >= 2
                    }
                    for name in ["a", "b", "c"] { #expect(try await openMany(name, client, site) == 40) }
                }
            }
            #expect(try await site.facts().count == 120)
            await site.views.close()
            await other.close()
            await log.close()
        }
    }
    @Test(arguments: Carrier.logs)
    func `one that was cancelled in the middle of its work leaves nothing half done`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            let commands = (0..<400).map { n in
                site.command(.open(.named("s\(n % 10)", seats: 1), event: "e\(n / 10)"), id: "c\(n)")
            }
            try await site.talk { client async throws in
                try await withThrowingTaskGroup(of: [Outcome].self) { group in
                    group.addTask { try await client.send(commands, to: .tickets, within: .seconds(300)) }
                    for name in ["cut 1", "cut 2", "cut 3"] {
                        try await cutting(site.handler(name)) {
                            try await site.journal.bell.until("it had begun") { site.journal.taken(by: name) > 0 }
                        }
                    }
                    try await running(site.handler("last")) {
                        let outcomes = try await group.next() ?? []
                        #expect(outcomes.count(where: \.accepted) == 400)
                    }
                }
            }
            #expect(try await site.facts().count == 400)
            #expect(try await site.records("tickets.outcomes").values.map(\.count).reduce(0, +) == 400)
        }
    }
}
