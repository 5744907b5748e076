import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import AccountsDomain

/// What happened is the same whether it was asked for as it happened, or recorded elsewhere and told as facts.
@Suite("A history of accounts")
struct AccountsHistoryTests {
    @Test(arguments: [7, 20_261_129, 0xfacade] as [UInt64])
    func `is the same asked for and told as facts`(seed: UInt64) throws {
        let (live, told) = (try HistoryBus(.accounts), try HistoryBus(.accounts))
        for step in 0..<1500 {
            let time = after(Int64(step) * 60)
            var draw = LoadDraw(step, in: KeySpace(), at: time, SeededRandom(seed, UInt64(step)))
            let encoded = try Domain.accounts.encode(Accounts.request(&draw), id: "c\(step)", now: time)
            guard case .command(let command) = encoded else { continue }
            try live.ask(command, at: time)
        }
        #expect(live.records.count > 150 && live.refused > 150, "seed \(seed): \(live.records.count), \(live.refused)")
        try told.admit(live.records, seed: seed)
        #expect(try live.states() == told.states(), "seed \(seed)")
        let (a, b) = (
            try Fold.everyWay(Domain.accounts.projection("accounts.people"), live.records),
            Fold(projection: Domain.accounts.projection("accounts.people"))
        )
        try b.take(told.records)
        #expect(try a.rows() == b.rows(), "seed \(seed)")
    }
}
