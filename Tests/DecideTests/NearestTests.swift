import EventModel
import Testing

@Suite("A mistyped name")
struct NearestTests {
    private static let known = [
        "tickets.events", "tickets.seats", "hits.events", "orders.events", "query", "replay", "HoldSeats", "--event",
        "a", "lat",
    ]

    @Test(arguments: [
        ("qurey", "query"), ("QUERY", "query"), ("ticket.events", "tickets.events"), ("tickets.seat", "tickets.seats"),
        ("HoldSeat", "HoldSeats"), ("holdseats", "HoldSeats"), ("--evnt", "--event"), ("hit.evnts", "hits.events"),
        ("seats", "tickets.seats"), ("rep", "replay"), ("latitude", "lat"),
    ])
    func `finds the one that was meant`(_ name: String, _ meant: String) {
        #expect(Nearest.names(to: name, among: Self.known).first == meant)
    }

    @Test(arguments: ["", "zzz", "b", "frobnicate", "ev", String(repeating: "query", count: 100_000)])
    func `finds none where none is near`(_ name: String) {
        #expect(Nearest.names(to: name, among: Self.known) == [])
        #expect(Nearest.question(to: name, among: Self.known) == nil)
    }

    @Test func `asks for all that are as near, and not for more than three`() {
        #expect(Nearest.question(to: "its", among: ["hits", "bits"]) == "did you mean bits or hits?")
        #expect(Nearest.names(to: "seat-0", among: (1...9).map { "seat-\($0)" }).count == 3)
    }

    @Test func `is told with what there is`() {
        #expect(
            Nearest.notA("field", of: "Hit", "sit", among: ["site", "path"])
                == "is not a field of Hit; did you mean site? It has site, path")
        #expect(
            Nearest.notA("field", of: "Hit", "colour", among: ["site", "path"])
                == "is not a field of Hit, which has site, path")
    }
}
