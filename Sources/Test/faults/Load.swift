internal import Domains
internal import EventModel

/// Lines that one process is given, and the ids in them.
struct Chunk: Sendable {
    var ids: [String] = []
    var lines: [String] = []
}

/// What one producer asks for: the same for the same seed, but for the moments in it.
///
/// Commands are those that their domain demonstrates itself with. Their keys are few and the same for all producers of a
/// domain, so that these and workers get in each other's way; they move on, so that states do not fill up. Facts and lines of
/// files are made here: each carries its id in itself, by which it is found again on the log.
struct Load: Sendable {
    enum Kind: Sendable, Hashable, CaseIterable {
        /// Of the domain of that name.
        case commands(String)
        case hits, rides, imports

        /// The domains that decide and demonstrate themselves.
        static let domains = Domains.all.filter { $0.decider != nil && $0.demonstration != nil }
        static var allCases: [Kind] { domains.map { .commands($0.name) } + [.hits, .rides, .imports] }
        var isTelemetry: Bool { if case .commands = self { false } else { true } }
    }
    /// After so many commands their keys are others.
    private static let generation = 250
    /// Of the key space.
    private static let size = 4

    let kind: Kind
    /// What the ids and keys of the whole campaign begin with.
    let tag: String
    /// Sets this producer's ids apart.
    let name: String
    private let start: Timestamp
    private let seed: UInt64
    private var random: SeededRandom
    private var count = 0

    init(_ kind: Kind, name: String, tag: String, seed: UInt64, start: Timestamp) {
        self.kind = kind
        self.name = name
        self.tag = tag
        self.start = start
        random = SeededRandom(seed, name.utf8.reduce(0) { $0 &* 31 &+ UInt64($1) })
        self.seed = random.next()
    }

    mutating func chunk(now: Timestamp) -> Chunk {
        // A large one now and then takes several commits.
        let size = kind.isTelemetry ? (number(0...9) == 0 ? 6000 : number(50...400)) : number(20...150)
        var chunk = Chunk()
        for _ in 0..<size {
            var id = "\(tag)-\(name)-\(count)"
            switch kind {
            case .commands(let domain): chunk.lines.append(command(id, of: domain, now))
            case .hits:
                chunk.lines.append(
                    #"{"site":"\#(tag)s\#(number(1...5))","path":"/\#(id)","visitor":"v\#(number(1...50))"}"#)
            case .rides:
                // A driver has one location a millisecond, and none is ahead of the clock, however long the load lasts.
                let (driver, time) = ("\(tag)\(name)d\(count % 20)", start + .milliseconds(count / 20))
                id = FactID.location(of: driver, at: time)
                chunk.lines.append(
                    """
                    {"driver":"\(driver)","lat":\(Double(number(480...490)) / 10),"lng":\(Double(number(20...30)) / 10),\
                    "@time":\(time.rawValue)}
                    """)
            case .imports:
                chunk.lines.append(
                    """
                    10.0.0.\(number(1...50)) - - [\(AccessStamp.of(now))] "GET /\(id) HTTP/1.0" 200 \(number(1...9999))
                    """)
            }
            chunk.ids.append(id)
            count += 1
        }
        return chunk
    }

    private mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

    /// The next command as `send --file` takes it. Each has an id of its own, whatever the request says: repeating is up to
    /// the producer.
    private func command(_ id: String, of domain: String, _ now: Timestamp) -> String {
        guard let domain = Kind.domains.first(where: { $0.name == domain }), let demonstration = domain.demonstration
        else {
            preconditionFailure("\(domain) decides nothing, or demonstrates nothing")
        }
        let generation = count / Self.generation
        let keys = KeySpace(prefix: "\(tag)\(generation)", size: Self.size)
        var number = count % Self.generation
        func drawn() -> LoadRequest {
            demonstration.request(number, in: keys, seed: seed &+ UInt64(generation), at: now)
        }
        var request = drawn()
        // Facts of a domain that decides have no ids by which they would be found again.
        while domain.decider?.commands.kind(named: request.kind) == nil {
            number += Self.generation
            request = drawn()
        }
        let time = request.age == .zero ? "" : #","@time":\#((now - request.age).rawValue)"#
        let fields = request.json == "{}" ? "}" : ",\(request.json.dropFirst())"
        return #"{"@command":"\#(request.kind)","@id":"\#(id)"\#(time)\#(fields)"#
    }
}
