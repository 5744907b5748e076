import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import TicketsDomain

/// What happened is the same whether it was asked for as it happened, recorded elsewhere and told as facts, or imported.
@Suite("A history of tickets")
struct TicketsHistoryTests {
    @Test(arguments: [7, 20_261_129, 0xfacade] as [UInt64])
    func `is the same asked for and told as facts`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let (live, told) = (try HistoryBus(.tickets), try HistoryBus(.tickets))
        var now = noon
        for step in 0..<2000 {
            now = now + .milliseconds(Int64.random(in: 0...20_000, using: &random))
            let command = TicketsCommands.draw(&random, step)
            try live.ask(
                EncodedCommand(command, Tickets.key(of: command), "c\(step)", as: TicketsCommand.self), at: now)
        }
        try told.admit(live.records, seed: seed)
        #expect(live.records.count > 300 && live.refused > 300, "seed \(seed)")
        try expectSame(live, told, "told as facts", seed: seed)
    }
}
