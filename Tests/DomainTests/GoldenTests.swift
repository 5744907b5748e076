import EventModel
import Quarantining
import SwiftProtobuf
import Testing

@testable import Domains

/// What is on people's logs: a field number or type that changes would make it another thing.
///
/// The bytes were made by `protoc --encode` from the same values as text.
@Suite("The bytes on the log")
struct GoldenTests {
    private static let events: [(Fact, String)] = [
        (
            .listed,
            "0a5d0a026531120a4e7574637261636b65721a054f70657261220608c0f6a1d7062a200a067374616c6c731205"
                + "0a0141100412050a014210041a0808942312034555522a1a0a0762616c636f6e7912050a014110021a0808c413"
                + "1203455552"
        ),
        (
            .opened,
            "12260a02653112200a067374616c6c7312050a0141100412050a014210041a080894231203455552"
        ),
        (
            .held("h1", by: "ann", "A-1", "A-2"),
            "1a310a02653112067374616c6c731a0268312203616e6e2a03412d312a03412d32320608ecd59cd7063a0808a8"
                + "461203455552"
        ),
        (
            .expired("h1", "A-1"),
            "22150a02653112067374616c6c731a0268312203412d31"
        ),
        (
            .released("h1", "A-1"),
            "2a150a02653112067374616c6c731a0268312203412d31"
        ),
        (
            .sold("h1", to: "ann", "A-1"),
            "322b0a02653112067374616c6c731a0268312203616e6e2a03412d313205746f6b5f313a080894231203455552"
        ),
    ]
    private static let limited: [Golden] = {
        let few = TicketsHoldLimits.with { $0.seatsPerHolder = 6 }
        let all = TicketsHoldLimits.with { ($0.seatsPerHolder, $0.holdSeconds, $0.windowSeconds) = (6, 0, 7200) }
        let opening =
            "12290a026531121a0a0762616c636f6e7912050a014110021a0808c41312034555521a070806100018a038"
        let listing =
            "0a3f0a026531120a4e7574637261636b65721a054f70657261220608c0f6a1d7062a1a0a0762616c636f6e7912050a0141"
            + "10021a0808c413120345555232020806"
        guard case .sectionOpened(var opened) = Fact.opened(.balcony),
            case .openSection(var open) = Order.open(.balcony),
            case .eventListed(var listed) = Fact.listed(sections: [.balcony]),
            case .listEvent(var list) = Order.list("Nutcracker", sections: [.balcony])
        else { return [] }
        (opened.limits, open.limits, listed.limits, list.limits) = (all, all, few, few)
        return [
            Golden(TicketsEvent.self, .sectionOpened(opened), opening),
            Golden(TicketsCommand.self, .openSection(open), opening),
            Golden(TicketsEvent.self, .eventListed(listed), listing),
            Golden(TicketsCommand.self, .listEvent(list), listing),
        ]
    }()
    private static let commands: [(Order, String)] = [
        (
            .list,
            "0a5d0a026531120a4e7574637261636b65721a054f70657261220608c0f6a1d7062a200a067374616c6c731205"
                + "0a0141100412050a014210041a0808942312034555522a1a0a0762616c636f6e7912050a014110021a0808c413"
                + "1203455552"
        ),
        (
            .open(.balcony),
            "12200a026531121a0a0762616c636f6e7912050a014110021a0808c4131203455552"
        ),
        (
            .hold("h1", by: "ann", "A-1", "A-2"),
            "1a1f0a02653112067374616c6c731a03616e6e2203412d312203412d322a026831"
        ),
        (
            .confirm("h1", by: "ann"),
            "221c0a02653112067374616c6c731a0268312203616e6e2a05746f6b5f31"
        ),
        (
            .release("h1", by: "ann"),
            "2a150a02653112067374616c6c731a0268312203616e6e"
        ),
        (
            .expire("h1"),
            "32100a02653112067374616c6c731a026831"
        ),
    ]
    private static let hit = HitsEvent.with {
        $0.hit = .with {
            ($0.site, $0.path, $0.visitor, $0.method) = ("www", "/", "10.0.0.1", "GET")
            ($0.status, $0.bytes, $0.referrer, $0.userAgent) = (200, 300, "r", "a")
        }
    }

    static let all: [Golden] =
        events.map { Golden(TicketsEvent.self, $0, $1) } + commands.map { Golden(TicketsCommand.self, $0, $1) }
        + limited
        + [
            Golden(
                HitsEvent.self, .hit(hit.hit),
                "0a230a0377777712012f1a0831302e302e302e31220347455428c80130ac023a0172420161")
        ] + OrdersGoldens.all + SocialGoldens.all + RidesGoldens.all + QuarantineGoldens.all

    @Test(arguments: all) func `stay as they are, and are read back`(golden: Golden) throws {
        #expect(golden.made() == golden.bytes)
        #expect(try golden.isReadBack())
    }

    @Test func `are known for every kind of every topic`() {
        for schema in Domains.all.flatMap(\.schemas) + [QuarantineLog.schema] {
            let known = Set(Self.all.filter { $0.schema == schema.name }.map { schema.kindName(in: $0.bytes) })
            let missing = schema.kinds.map(\.name).filter { !known.contains($0) }
            #expect(missing == [], "\(schema.name): make golden bytes with protoc --encode")
        }
    }
}

/// A value, and the bytes that it has on people's logs.
struct Golden: Sendable, CustomTestStringConvertible {
    let schema: String
    let bytes: Bytes
    let made: @Sendable () -> Bytes
    let isReadBack: @Sendable () throws -> Bool
    let testDescription: String

    init<E: Envelope>(_ type: E.Type, _ kind: E.Kind, _ hex: String) {
        let digits = Array(hex.utf8).map { UInt8($0 < 97 ? $0 - 48 : $0 - 87) }
        let bytes = Bytes(stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
        (schema, self.bytes, testDescription) = (E.protoMessageName, bytes, "\(E.protoMessageName) \(hex.prefix(24))")
        made = { E.bytes(kind) }
        isReadBack = { try E.kind(in: bytes) == kind }
    }
}

extension Domain {
    /// The schemas of all its topics.
    var schemas: [Schema] {
        [decider?.commands, decider?.events, telemetry?.events].compactMap { $0 } + derived.map(\.events)
    }
}
