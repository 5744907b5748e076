public import EventModel

/// What people ask of one domain while it is simulated: the same for the same seed.
///
/// The smaller the space of its keys, the more often asks get in each other's way, which is what finds mistakes.
public struct Traffic: Sendable {
    let domain: Domain
    let make: @Sendable (_ n: Int, _ random: inout SeededRandom) -> LoadRequest

    /// Its domain's name.
    public var name: String { domain.name }

    /// - Parameters:
    ///   - domain: Whose commands and facts they are.
    ///   - make: The ask of that number, from 0. It must depend on nothing but the number and what it draws.
    public init(_ domain: Domain, _ make: @escaping @Sendable (_ n: Int, _ random: inout SeededRandom) -> LoadRequest) {
        self.domain = domain
        self.make = make
    }

    /// What a domain demonstrates itself with.
    ///
    /// - Parameters:
    ///   - domain: One that demonstrates itself.
    ///   - keys: Among which names it chooses; the smallest space, unless told.
    public init(_ domain: Domain, in keys: KeySpace = KeySpace()) {
        guard let demonstration = domain.demonstration else {
            preconditionFailure("\(domain.name) demonstrates nothing: give its traffic, or add .demonstrating(...)")
        }
        self.init(domain) { n, random in
            var draw = LoadDraw(n, in: keys, at: Playing.start, random)
            defer { random = draw.random }
            return demonstration.request(&draw)
        }
    }
}

extension Traffic: CustomStringConvertible {
    public var description: String { "traffic of \(name)" }
}

extension Traffic {
    /// Which of its seed's asks that is, in words.
    func ask(_ n: Int, seed: UInt64) -> LoadRequest {
        var random = SeededRandom(seed, UInt64(n) &+ 0x5eed)
        return make(n, &random)
    }

    /// An ask on its way to the log.
    ///
    /// - Throws: ``Malformed`` where the domain has no such kind, or would not take it.
    func record(_ ask: LoadRequest, _ n: Int, now: Timestamp) throws -> (topic: String, record: NewRecord) {
        switch try domain.encode(ask, id: LoadRequest.id(of: n), now: now) {
        case .command(let command): return (domain.commandsTopic, command.record(now: now))
        case .fact(let topic, var record):
            record.headers = [Header(HeaderName.type, Bytes(ask.kind))]
            return (topic, record)
        }
    }
}
