import Domains
import EventModel
import Testing

@Suite("Who acts")
struct ActorTests {
    /// Commands and events of people's that name nobody who acts, by their domain. A new one belongs here or declares its actor.
    private static let nobody: [String: Set<String>] = [
        "hits": ["Hit"],
        // What an order comes to is told of by whoever runs the kitchen; the customer and the courier are told of it.
        "orders": ["AssignCourier", "MarkDelivered", "CancelOrder", "ReviseEta", "OrderStatusChanged", "EtaRevised"],
        "rides": [], "accounts": [],
        // Headlines are read in for everybody.
        "social": ["NewsIngested"],
        "tickets": [
            "ListEvent", "OpenSection", "ExpireHold", "EventListed", "SectionOpened", "HoldExpired", "SeatReleased",
        ],
    ]

    private static func schemas(of domain: Domain) -> [Schema] {
        [domain.decider?.commands, domain.decider?.events].compactMap { $0 } + domain.telemetry.map(\.events)
    }
    private static func kinds(of domain: Domain) -> [Schema.Kind] { schemas(of: domain).flatMap(\.kinds) }

    @Test func `is declared of each command and event that names him, and of no other`() {
        for domain in Domains.all {
            // Of a domain that is new its own tests may say the same.
            guard let nobody = Self.nobody[domain.name] else { continue }
            let unnamed = Self.kinds(of: domain).filter { domain.actor(of: $0) == nil }.map(\.name)
            #expect(Set(unnamed) == nobody, "\(domain.name)")
        }
    }

    @Test func `is read from a message's bytes and written into them, and nothing else is changed`() throws {
        for domain in Domains.all {
            for schema in Self.schemas(of: domain) {
                for kind in schema.kinds {
                    guard let field = domain.actor(of: kind) else { continue }
                    let texts = kind.fields.filter { $0.type == "string" && !$0.repeated }.map(\.name)
                    let json = "{" + texts.map { "\"\($0)\":\"\($0) é\"" }.joined(separator: ",") + "}"
                    let bytes = try schema.encode(kind, json: Bytes(json))
                    #expect(schema.text(field, of: kind, in: bytes) == "\(field.name) é", "\(kind.name)")
                    let other = schema.setting(field, of: kind, to: "ann", in: bytes)
                    #expect(schema.text(field, of: kind, in: other) == "ann")
                    let was = try schema.decode(bytes).json
                    #expect(try schema.decode(other).json == was.replacing("\"\(field.name) é\"", with: "\"ann\""))
                    let empty = try schema.encode(kind, json: "{}")
                    #expect(schema.text(field, of: kind, in: empty) == "")
                    let filled = try schema.decode(schema.setting(field, of: kind, to: "ann", in: empty))
                    #expect(filled.kind == kind.name && filled.json == "{\"\(field.name)\":\"ann\"}")
                }
            }
        }
    }
}
