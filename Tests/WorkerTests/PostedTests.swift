import EventLog
import EventModel
import Synchronization
import Testing

@testable import Handling
@testable import TicketsDomain

/// Commands for which no task waits.
@Suite("Posted commands", .timeLimit(.minutes(10)))
struct PostedTests {
    /// What was told, by id.
    private final class Told: Sendable {
        private let state = Mutex<[String: [Result<Outcome, any Error>]]>([:])
        let bell = Bell()

        func note(_ id: String) -> @Sendable (Result<Outcome, any Error>) -> Void {
            { result in
                self.state.withLock { $0[id, default: []].append(result) }
                self.bell.ring()
            }
        }
        var all: [String: [Result<Outcome, any Error>]] { state.withLock { $0 } }
        /// Of one that was told once.
        func outcome(_ id: String) throws -> Outcome {
            let told = all[id] ?? []
            try #require(told.count == 1, "\(id): \(told)")
            return try told[0].get()
        }
        func failure(_ id: String) -> (any Error)? {
            guard let told = all[id], told.count == 1, case .failure(let error) = told[0] else { return nil }
            return error
        }
        func until(_ count: Int) async throws {
            try await bell.until("\(count) are told") { all.count >= count }
        }
    }

    private func client(of site: Site) async throws -> CommandClient {
        let clock = site.clock
        return try await CommandClient(site.log, domains: [.tickets], clock: { clock.now })
    }

    @Test(arguments: Carrier.logs)
    func `are each told once what came of them`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            let (told, client) = (Told(), try await client(of: site))
            try await running(site.handler(), client) {
                for number in 0..<200 {
                    let open = site.command(.open(.named("s", seats: 2), event: "e\(number)"), id: "\(number)")
                    client.post(open, to: .tickets, within: .seconds(300), done: told.note("\(number)"))
                }
                try await told.until(200)
                for number in 0..<200 { #expect(try told.outcome("\(number)").accepted) }
                // The same again is answered as before, and another under its id is refused.
                let again = site.command(.open(.named("s", seats: 2), event: "e7"), id: "7")
                client.post(again, to: .tickets, within: .seconds(300), done: told.note("again"))
                let other = site.command(.open(.named("s", seats: 3), event: "e7"), id: "7")
                client.post(other, to: .tickets, within: .seconds(300), done: told.note("other"))
                try await told.until(202)
                #expect(try told.outcome("again") == told.outcome("7"))
                #expect(try told.outcome("other").reason == "id-reused")
            }
            #expect(try await site.facts().count == 200)
        }
    }

    @Test(arguments: Carrier.logs)
    func `are sent without one among them that is too large`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            let (told, client) = (Told(), try await client(of: site))
            for number in 0..<10 {
                var open = site.command(.open(.named("s", seats: 2), event: "e\(number)"), id: "\(number)")
                if number == 5 { open.value = Bytes(repeating: 1, count: Limits.valueBytes + 1) }
                client.post(open, to: .tickets, within: .seconds(300), done: told.note("\(number)"))
            }
            try await running(site.handler(), client) {
                try await told.until(10)
                #expect((told.failure("5") as? LogError)?.kind == .tooLarge, "\(told.all["5"] ?? [])")
                for number in 0..<10 where number != 5 { #expect(try told.outcome("\(number)").accepted) }
            }
        }
    }

    @Test func `that nobody answers, and those of a client that ends, are told so`() async throws {
        try await site(.memory) { site in
            let (told, client) = (Told(), try await client(of: site))
            let open = { site.command(.open(.named("s", seats: 2), event: "e"), id: $0) }
            try await running(client) {
                client.post(open("late"), to: .tickets, within: .milliseconds(100), done: told.note("late"))
                try await told.until(1)
                #expect((told.failure("late") as? CommandClient.NoAnswer)?.id == "late")
                client.post(open("a:b"), to: .tickets, within: .seconds(300), done: told.note("a:b"))
                #expect(told.failure("a:b") is Malformed, "it is told at once")
                client.post(open("left"), to: .tickets, within: .seconds(300), done: told.note("left"))
            }
            try await told.until(3)
            #expect(told.failure("left") is CancellationError)
            client.post(open("after"), to: .tickets, within: .seconds(300), done: told.note("after"))
            #expect(told.failure("after") is CancellationError)
        }
    }

    @Test func `go in the order in which they came, about a megabyte at once`() {
        var posted = PostedCommands()
        func one(_ id: Int, _ bytes: Int) -> PostedCommands.One {
            let record = NewRecord(key: "k", value: Bytes(repeating: 1, count: bytes), timestamp: noon)
            return .init(topic: id % 2 == 0 ? "a" : "b", partitions: 4, id: "\(id)", record: record, reply: Reply())
        }
        #expect(posted.take().isEmpty)
        for id in 0..<3 { posted.add(one(id, PostedCommands.bytes / 2)) }
        #expect(posted.take().map(\.id) == ["0", "1"] && posted.take().map(\.id) == ["2"] && posted.take().isEmpty)
        for id in 0...PostedCommands.most { posted.add(one(id, 1)) }
        let first = posted.take()
        #expect(first.map(\.id) == (0..<PostedCommands.most).map(String.init) && posted.take().count == 1)
        let appends = first.appends
        #expect(
            Set(appends.map(\.target.topic)) == ["a", "b"] && appends.reduce(0) { $0 + $1.records.count } == first.count
        )
    }
}
