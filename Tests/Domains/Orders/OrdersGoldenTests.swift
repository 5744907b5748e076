import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import OrdersDomain

/// The bytes were made by `protoc --encode` from the same values as text.
enum OrdersGoldens {
    static let events: [(OrderFact, String)] = [
        (.received, "0a130a026f311203616e6e18012a0608cce89cd706"),
        (.assigned, "0a180a026f311203616e6e18022203626f622a0608cce89cd706"),
        (.pickedUp, "0a180a026f311203616e6e18032203626f622a0608cce89cd706"),
        (.delivered, "0a180a026f311203616e6e18042203626f622a0608cce89cd706"),
        (.cancelled, "0a160a026f311203616e6e18052203626f6232047261696e"),
        (.revised(3600), "12110a026f311203616e6e1a0608d0ef9cd706"),
    ]
    static let commands: [(OrderCommand, String)] = [
        (.place, "0a090a026f311203616e6e"),
        (.place(expected: after(2700)), "0a110a026f311203616e6e1a0608cce89cd706"),
        (.assign(), "12090a026f311203626f62"),
        (.pickUp("bob"), "1a090a026f311203626f62"),
        (.deliver, "22040a026f31"),
        (.cancel(), "2a0a0a026f3112047261696e"),
        (.revise(3600), "320c0a026f31120608d0ef9cd706"),
    ]
    static let sent = OrdersNotificationSent.with {
        ($0.id, $0.customer, $0.order, $0.stage, $0.text) = ("o1:eta_revised:2", "ann", "o1", "eta_revised", "t")
        ($0.expectedAt, $0.at) = (after(3600).proto, noon.proto)
    }

    static let all: [Golden] =
        events.map { Golden(OrdersEvent.self, $0, $1) } + commands.map { Golden(OrdersCommand.self, $0, $1) }
        + [
            Golden(
                OrdersOutbox.self, .notificationSent(sent),
                "0a3b0a106f313a6574615f726576697365643a321203616e6e1a026f31220b6574615f726576697365642a0174"
                    + "320608d0ef9cd7063a0608c0d39cd706")
        ]
}

@Suite("The words of orders")
struct OrdersGoldenTests {
    @Test func `show a status in JSON by the name that the views have`() throws {
        let events = try #require(Domain.orders.decider).events
        #expect(
            try events.decode(OrdersEvent.bytes(.pickedUp)).json
                == #"{"order":"o1","customer":"ann","status":"picked_up","courier":"bob","expectedAt":"2026-11-01T12:45:00Z"}"#
        )
    }
    @Test func `have a comment for every kind`() throws {
        let decider = try #require(Domain.orders.decider)
        for schema in [decider.commands, decider.events, Domain.orders.derived[0].events] {
            for kind in schema.kinds { #expect(!kind.about.isEmpty, "\(kind.name)") }
        }
    }
}

@Suite("The bytes of orders on the log")
struct OrdersBytesTests {
    @Test func `stay as they are, and are known for every kind`() {
        expect(OrdersGoldens.all, of: Domain.orders.schemas)
    }
}
