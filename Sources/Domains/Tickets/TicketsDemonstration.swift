internal import EventModel

extension Demonstration {
    /// Fans who all want the seats of one gala.
    static let tickets = Demonstration(
        asking: { Tickets.request(&$0) },
        setup: { _, _ in BoxOffice() },
        actors: { size, seed in (0..<size).map { Fan($0, seed: seed) } },
        showing: [
            Exhibit(
                "SEATS of the gala",
                proves: "Many want the same seats, and none is sold twice: . free, o held, # sold.",
                query: "tickets.seats", [["event": BoxOffice.event]], limit: Limits.pageRows,
                as: .map(
                    lines: ["section", "row_label"], of: "status", signs: ["free": ".", "held": "o", "sold": "#"])),
            Exhibit(
                "SECTIONS of the gala",
                proves: "Free, held and sold make up a section's seats; the price is that of one seat.",
                query: "tickets.sections", [["event": BoxOffice.event]],
                as: .table([
                    "section", ShownColumn("seats", as: "all seats"), "free", "held", "sold", "price", "currency",
                ]), past: true),
        ],
        replaying: ShownRecords(of: "tickets.events", type: "SeatSold"),
        trying: [
            "replay tickets.events --type SeatSold --limit 3",
            "query tickets.seats --event gala --status sold --limit 5",
            "query tickets.sections --event gala --as-of @-3s",
        ])
}
