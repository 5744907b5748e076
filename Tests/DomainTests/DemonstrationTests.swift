import DomainTesting
import Domains
import EventModel
import Testing

/// What every domain that demonstrates itself must keep.
@Suite("What domains demonstrate", .timeLimit(.minutes(10)))
struct DemonstrationTests {
    static let names = Domains.all.filter { $0.demonstration != nil }.map(\.name)
    private static func domain(_ name: String) throws -> Domain {
        try #require(Domains.all.first { $0.name == name })
    }
    private static let seed: UInt64 = 20

    @Test func `the domains of the first day all show themselves`() {
        #expect(Set(Self.names).isSuperset(of: ["hits", "orders", "rides", "social", "tickets"]))
    }

    @Test(arguments: names)
    func `the same seed asks for the same, another one for other things`(name: String) throws {
        let domain = try Self.domain(name)
        func asked(_ seed: UInt64) throws -> [[LoadRequest]] {
            let (random, actors) = (try Rehearsal(domain), try Rehearsal(domain))
            try random.ask(300, in: KeySpace(), seed: seed)
            try actors.play(size: 8, seed: seed, for: .seconds(2))
            return [random.requests, actors.requests]
        }
        let (once, again, other) = (try asked(Self.seed), try asked(Self.seed), try asked(Self.seed + 1))
        #expect(once == again && once.allSatisfy { !$0.isEmpty }, "seed \(Self.seed)")
        for (one, another) in zip(once, other) { #expect(one != another, "seed \(Self.seed)") }
    }

    @Test(arguments: names, [1, 4])
    func `requests at random are taken, many do something, and all kinds of events come of them`(
        name: String, size: Int
    ) throws {
        // As many as a simulation or a campaign asks before the names are others.
        let rehearsals = try (Self.seed..<Self.seed + 5).map { seed in
            let rehearsal = try Rehearsal(Self.domain(name))
            try rehearsal.ask(40 * size, in: KeySpace(size: size), seed: seed)
            return rehearsal
        }
        try check(rehearsals, of: Self.domain(name), "size \(size), from seed \(Self.seed)")
    }

    @Test(arguments: names)
    func `actors get what they want often enough, and all kinds of events come of it`(name: String) throws {
        let rehearsal = try Rehearsal(Self.domain(name))
        try rehearsal.play(size: 16, seed: Self.seed, for: .seconds(6))
        try check([rehearsal], of: Self.domain(name), "seed \(Self.seed)")
    }

    private func check(_ rehearsals: [Rehearsal], of domain: Domain, _ how: String) throws {
        let (accepted, refused) = rehearsals.reduce((0, 0)) { ($0.0 + $1.accepted, $0.1 + $1.refused) }
        let events = rehearsals.reduce(into: [:]) { $0.merge($1.events, uniquingKeysWith: +) }
        let counts = "\(accepted) accepted, \(refused) refused, \(events), \(how)"
        let schemas = [domain.decider?.events].compactMap { $0 } + domain.telemetry.map(\.events)
        let kinds = schemas.flatMap(\.kinds).map(\.name)
        #expect(Set(events.keys) == Set(kinds), "\(counts)")
        if domain.decider == nil { return }
        #expect((25...99).contains(accepted * 100 / (accepted + refused)), "\(counts)")
        // What is accepted and changes nothing makes no event.
        #expect(events.values.reduce(0, +) * 100 / (accepted + refused) >= 20, "\(counts)")
    }

    @Test(arguments: names)
    func `loads of different prefixes never meet`(name: String) throws {
        let domain = try Self.domain(name)
        func keys(_ prefix: String) throws -> Set<Bytes> {
            let demonstration = try #require(domain.demonstration)
            return try (0..<300).reduce(into: []) { keys, number in
                let request = demonstration.request(
                    number, in: KeySpace(prefix: prefix, size: 3), seed: Self.seed, at: noon)
                switch try domain.encode(request, id: "x", now: noon) {
                case .command(let command): keys.insert(command.key)
                case .fact(_, let record): keys.insert(record.key)
                }
            }
        }
        let (one, other) = (try keys("a7"), try keys("b7"))
        #expect(one.count > 3 && one.isDisjoint(with: other))
        // A key that is a hash has no name in it; one that has a name has the load's.
        let named = one.filter { !$0.text.hasPrefix("bucket:") }
        #expect(!named.isEmpty && named.allSatisfy { $0.text.contains("a7") }, "\(one.map(\.text))")
    }

    @Test(arguments: names)
    func `what is shown is a query of the domain, with its parameters`(name: String) throws {
        let domain = try Self.domain(name)
        let demonstration = try #require(domain.demonstration)
        #expect(!demonstration.exhibits.isEmpty && demonstration.exhibits.contains { $0.isShownPast })
        for exhibit in demonstration.exhibits {
            let query = try #require(domain.queries.first { $0.name == exhibit.query }, "\(exhibit.title)")
            for parameters in exhibit.parameters {
                #expect(Set(parameters.keys).isSubset(of: query.parameters.map(\.name)), "\(exhibit.title)")
                let required = query.parameters.filter(\.required).map(\.name)
                #expect(Set(required).isSubset(of: parameters.keys), "\(exhibit.title)")
            }
            #expect(exhibit.proves.hasSuffix("."), "\(exhibit.title)")
        }
        let records = try #require(demonstration.records)
        #expect(domain.schema(of: records.topic)?.kind(named: records.type) != nil)
        #expect(!demonstration.tries.isEmpty)
    }
}
