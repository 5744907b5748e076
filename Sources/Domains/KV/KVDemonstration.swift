internal import EventModel
internal import Foundation
internal import SwiftProtobuf

extension Demonstration {
    /// Shops that keep what is in stock, who is signed in, and how often they were looked at.
    static let kv = Demonstration(
        asking: { KeyValues.request(&$0) },
        actors: { size, seed in (0..<max(2, size / 4)).map { StockKeeper($0, seed: seed) } },
        showing: [
            Exhibit(
                "KEYS of \(StockKeeper.tag(0)), in order",
                proves: "What was put at once is there at once, and each change has its revision.",
                query: "kv.scan", [["prefix": StockKeeper.tag(0)]], limit: 6, as: .table(["key", "value", "revision"]),
                past: true),
            Exhibit(
                "HISTORY of \(StockKeeper.tag(0)).seen, newest first",
                proves: "A revision that was is still to be had.", query: "kv.history",
                [["key": "\(StockKeeper.tag(0)).seen"]], limit: 4,
                as: .table(["revision", "change", "value", ShownColumn("at", as: "at, UTC")])),
        ],
        replaying: ShownRecords(of: "kv.events", type: "ValuesPut"),
        trying: [
            "query kv.get --key \(StockKeeper.tag(0)).seen", "query kv.history --key \(StockKeeper.tag(0)).seen",
            "query kv.scan --prefix \(StockKeeper.tag(0))",
        ])
}

extension KeyValues {
    /// Keys of a few tags, so that most requests meet others.
    static func request(_ draw: inout LoadDraw) -> LoadRequest {
        let key = "{\(draw.name("t", 2))}.\(draw.number(1...3))"
        let value = Data("v\(draw.number(1...6))".utf8)
        switch draw.number(0...99) {
        case 0..<25:
            let (choice, ttl) = (draw.number(0...5), Int64(draw.number(1...20)) * 1000)
            return LoadRequest(
                KVPut.with {
                    ($0.key, $0.value) = (key, value)
                    if choice == 0 { $0.ifAbsent = true }
                    if choice == 1 { $0.ifPresent = true }
                    if choice == 2 { $0.keepTtl = true }
                    if choice > 3 { $0.ttlMs = ttl }
                })
        case 25..<35:
            let expected = draw.chance(50) ? 0 : Int64(draw.number(1...30))
            return LoadRequest(KVDelete.with { ($0.key, $0.expected) = (key, expected) })
        case 35..<45:
            let expected = Int64(draw.number(0...30))
            return LoadRequest(
                KVCompareAndSet.with { ($0.key, $0.value, $0.expected) = (key, value, expected) })
        case 45..<55:
            let tag = HashTag.of(key)
            return LoadRequest(
                KVPutMany.with {
                    $0.pairs = (1...3).map { n in .with { ($0.key, $0.value) = ("{\(tag)}.\(n)", value) } }
                })
        case 55..<68:
            let by = Int64(draw.number(-3...9))
            return LoadRequest(KVIncrement.with { ($0.key, $0.by) = ("\(key).n", by) })
        case 68..<76: return LoadRequest(KVAppendBytes.with { ($0.key, $0.value) = (key, value) })
        case 76..<86:
            let ttl = Int64(draw.number(1...20)) * 1000
            return LoadRequest(KVExpire.with { ($0.key, $0.ttlMs) = (key, ttl) })
        case 86..<92: return LoadRequest(KVPersist.with { $0.key = key })
        default: return LoadRequest(KVExpireKey.with { $0.key = key })
        }
    }
}

/// Who keeps the stock of a shop: several numbers that change at once, and a session that runs out.
struct StockKeeper: LoadActor {
    static func tag(_ number: Int) -> String { number == 0 ? "{shop}" : "{shop-\(number)}" }

    private let number: Int
    private var random: SeededRandom
    private var turn = 0
    private var rest: [LoadStep] = []

    init(_ number: Int, seed: UInt64) {
        self.number = number
        random = SeededRandom(seed, UInt64(number))
    }

    mutating func next(_ moment: LoadMoment) -> LoadStep? {
        if rest.isEmpty { look() }
        return rest.removeFirst()
    }

    private mutating func look() {
        self.turn += 1
        let (turn, tag) = (turn, Self.tag(number))
        let (apples, pears) = ("\(40 - turn % 20)", "\(30 - turn % 10)")
        var requests = [
            LoadRequest(
                KVPutMany.with {
                    $0.pairs = [
                        .with { ($0.key, $0.value) = ("\(tag).apples", Data(apples.utf8)) },
                        .with { ($0.key, $0.value) = ("\(tag).pears", Data(pears.utf8)) },
                    ]
                }),
            LoadRequest(KVIncrement.with { ($0.key, $0.by) = ("\(tag).seen", 1) }),
            LoadRequest(
                KVPut.with { ($0.key, $0.text, $0.ttlMs) = ("\(tag).session", "s\(turn)", 300) }),
        ]
        switch turn % 4 {
        case 0: requests.append(LoadRequest(KVDelete.with { $0.key = "\(tag).note" }))
        case 1: requests.append(LoadRequest(KVAppendBytes.with { ($0.key, $0.text) = ("\(tag).note", "n\(turn)") }))
        case 2:
            // Somebody expects what is long past.
            requests.append(
                LoadRequest(
                    KVCompareAndSet.with { ($0.key, $0.text, $0.expected) = ("\(tag).seen", "0", 1_000_000) }))
            requests.append(LoadRequest(KVExpire.with { ($0.key, $0.ttlMs) = ("\(tag).note", 60_000) }))
        default:
            requests.append(LoadRequest(KVPersist.with { $0.key = "\(tag).note" }))
            requests.append(LoadRequest(KVExpireKey.with { $0.key = "\(tag).seen" }))
        }
        rest = requests.map { LoadStep($0, pause: random.pause(20...80)) }
    }
}
