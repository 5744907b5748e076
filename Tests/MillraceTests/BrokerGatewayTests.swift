import EventModel
import Foundation
import MillraceTestKit
import TestSupport
import Testing

/// Several gateways on one broker, as behind one address that sends each request to any of them.
extension BrokerTests {
    @Test func `what one gateway was told another shows, and the same id has the same outcome at each`() async throws {
        try await onBroker { bus in
            let name = Broker.name()
            _ = try await bus.work()
            var gateways: [Web] = []
            for _ in 0..<3 { gateways.append(try await bus.web("serve")) }
            for (i, gateway) in gateways.enumerated() {
                let order = #"{"order":"\#(name)\#(i)","customer":"ann"}"#
                let told = try await gateway.send("PlaceOrder", order, id: "\(name)\(i)")
                #expect(told.status == 200, "\(told)")
                let event = told.json["events"][0]
                let place = "\(event["topic"].string)/\(event["partition"].int)@\(event["offset"].int)"
                for other in gateways {
                    let shown = try await other.get("/views/orders.status?order=\(name)\(i)&after=\(place)&wait=40s")
                    #expect(shown.status == 200 && shown.body.contains("received"), "\(shown)")
                    let again = try await other.send("PlaceOrder", order, id: "\(name)\(i)")
                    #expect(again.status == 200 && again.json["events"] == told.json["events"], "\(again)")
                }
            }
            #expect(try await bus.replay("orders.events").filter { $0["key"].string.hasPrefix(name) }.count == 3)
        }
    }

    @Test func `who finds one gateway dead asks another, and each command is decided once`() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var random = SeededRandom(seed)
        try await onBroker { bus in
            let (name, count) = (Broker.name(), 60)
            _ = try await bus.work("handler", "reactor")
            var gateways: [Web] = []
            for _ in 0..<3 { gateways.append(try await bus.web("serve")) }
            var placed: [String: JSON] = [:]
            var refused = 0
            for i in 0..<count {
                // One is killed with requests of others on their way, and comes back on another port.
                if i % 20 == 10 {
                    let dead = random.number(0...2)
                    let victim = gateways[dead]
                    async let under = victim.send("PlaceOrder", Self.order(name, i), id: "\(name)\(i)")
                    try await victim.process.crash()
                    _ = try await under
                    if i == 30 { gateways[dead] = try await bus.web("serve") }
                }
                let told = try await eventually("an answer to \(name)\(i)") {
                    let gateway = gateways[random.number(0...2)]
                    let told = try await gateway.send("PlaceOrder", Self.order(name, i), id: "\(name)\(i)")
                    if told.status != 200 { refused += 1 }
                    return told.status == 200 ? told : nil
                }
                placed["\(name)\(i)"] = told.json
            }
            #expect(refused > 0, "requests met a gateway that is gone")
            let events = try await bus.replay("orders.events").filter { $0["key"].string.hasPrefix(name) }
            #expect(Set(events.map { $0["key"].string }) == Set(placed.keys) && events.count == count)
            for event in events {
                let told = placed[event["key"].string]?["events"][0]
                #expect(told?["partition"] == event["partition"] && told?["offset"] == event["offset"], "\(event)")
            }
        }
    }

    private static func order(_ name: String, _ i: Int) -> String { #"{"order":"\#(name)\#(i)","customer":"ann"}"# }
}
