import EventModel
import Foundation
import SwiftProtobuf
import Testing

@testable import Domains

/// A fact is admitted only if it is, wholly, what some command would make in that state at that time, and always if it is.
@Suite("A fact recorded elsewhere")
struct AdmissionTests {
    @Test(arguments: [1, 20_261_128, 0xadd] as [UInt64])
    func `of tickets is admitted where a command makes exactly it`(seed: UInt64) throws {
        try Recorded<Tickets>(domain: .tickets, seed: seed, draw: Self.ticket) { fact, state in
            switch fact {
            case .eventListed(let e):
                .listEvent(
                    .with {
                        ($0.event, $0.title, $0.venue, $0.startsAt) = (e.event, e.title, e.venue, e.startsAt)
                        $0.sections = e.sections
                        if e.hasLimits { $0.limits = e.limits }
                    })
            case .sectionOpened(let e):
                .openSection(
                    .with {
                        ($0.event, $0.section) = (e.event, e.section)
                        if e.hasLimits { $0.limits = e.limits }
                    })
            case .seatHeld(let e):
                .holdSeats(
                    .with {
                        ($0.event, $0.section, $0.holder, $0.seats) = (e.event, e.section, e.holder, e.seats)
                        $0.hold = e.hold
                    })
            case .holdExpired(let e):
                .expireHold(.with { ($0.event, $0.section, $0.hold) = (e.event, e.section, e.hold) })
            case .seatReleased(let e):
                .releaseHold(
                    .with {
                        ($0.event, $0.section, $0.hold) = (e.event, e.section, e.hold)
                        $0.holder = state.holds[e.hold]?.holder ?? "nobody"
                    })
            case .seatSold(let e):
                .confirmPurchase(
                    .with {
                        ($0.event, $0.section, $0.hold, $0.holder) = (e.event, e.section, e.hold, e.holder)
                        $0.paymentToken = e.paymentToken
                    })
            }
        }.run()
    }

    @Test(arguments: [1, 20_261_128, 0xadd] as [UInt64])
    func `of orders is admitted where a command makes exactly it`(seed: UInt64) throws {
        try Recorded<Orders>(domain: .orders, seed: seed, draw: Self.order) { fact, _ in
            switch fact {
            case .etaRevised(let e): .reviseEta(.with { ($0.order, $0.expectedAt) = (e.order, e.expectedAt) })
            case .orderStatusChanged(let e):
                switch e.status {
                case .assigned: .assignCourier(.with { ($0.order, $0.courier) = (e.order, e.courier) })
                case .pickedUp: .markPickedUp(.with { ($0.order, $0.courier) = (e.order, e.courier) })
                case .delivered: .markDelivered(.with { $0.order = e.order })
                case .cancelled: .cancelOrder(.with { ($0.order, $0.reason) = (e.order, e.reason) })
                case .received, .unspecified, .UNRECOGNIZED:
                    .placeOrder(
                        .with { ($0.order, $0.customer, $0.expectedAt) = (e.order, e.customer, e.expectedAt) })
                }
            }
        }.run()
    }

    @Test(arguments: [1, 20_261_128, 0xadd] as [UInt64])
    func `of social is admitted where a command makes exactly it`(seed: UInt64) throws {
        try Recorded<Social>(domain: .social(fanOutLimit: 100), seed: seed, draw: Self.social) { fact, _ in
            switch fact {
            case .tweetPosted(let e):
                .postTweet(.with { ($0.user, $0.tweet, $0.text) = (e.user, e.tweet, e.text) })
            case .tweetDeleted(let e): .deleteTweet(.with { ($0.user, $0.tweet) = (e.user, e.tweet) })
            case .retweeted(let e):
                .retweet(
                    .with {
                        ($0.user, $0.tweet, $0.text) = (e.user, e.tweet, e.text)
                        ($0.owner, $0.original) = (e.owner, e.original)
                    })
            case .userFollowed(let e): .follow(.with { ($0.user, $0.followee) = (e.user, e.followee) })
            case .userUnfollowed(let e): .unfollow(.with { ($0.user, $0.followee) = (e.user, e.followee) })
            }
        }.run()
    }

    // MARK: Commands at random, among few names

    static func ticket(_ random: inout SeededRandom, _ step: Int) -> TicketsCommand.OneOf_Kind {
        func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        let (event, section) = ("e\(pick(1...3))", ["stalls", "balcony"][pick(0...1)])
        let (hold, holder) = ("h\(pick(0...9))", "p\(pick(1...3))")
        let limits = TicketsHoldLimits.with {
            if pick(0...1) == 0 { $0.seatsPerHolder = 3 }
            if pick(0...1) == 0 { $0.holdSeconds = 600 }
        }
        let sections = [TicketsSection.stalls, .balcony]
        switch pick(0...99) {
        case 0..<8:
            return .listEvent(
                .with {
                    ($0.event, $0.title, $0.venue, $0.startsAt) = (event, "t", "v", after(9000).proto)
                    $0.sections = sections
                    if pick(0...1) == 0 { $0.limits = limits }
                })
        case 8..<20:
            return .openSection(
                .with {
                    ($0.event, $0.section) = (event, sections[pick(0...1)])
                    if pick(0...1) == 0 { $0.limits = limits }
                })
        case 20..<60:
            let row = pick(0...1) == 0 ? "A" : "B"
            let seats = Set((0...pick(0...2)).map { _ in "\(row)-\(pick(1...4))" })
            return .holdSeats(
                .with {
                    ($0.event, $0.section, $0.hold, $0.holder) = (event, section, hold, holder)
                    $0.seats = seats.sorted()
                })
        case 60..<72:
            return .confirmPurchase(
                .with {
                    ($0.event, $0.section, $0.hold, $0.holder) = (event, section, hold, holder)
                    $0.paymentToken = "tok_\(pick(1...2))"
                })
        case 72..<86:
            return .releaseHold(
                .with { ($0.event, $0.section, $0.hold, $0.holder) = (event, section, hold, holder) })
        default: return .expireHold(.with { ($0.event, $0.section, $0.hold) = (event, section, hold) })
        }
    }

    static func order(_ random: inout SeededRandom, _ step: Int) -> OrdersCommand.OneOf_Kind {
        func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        // New ones come as old ones end.
        let (order, courier) = ("o\(step / 12 + pick(0...2))", "k\(pick(1...2))")
        switch pick(0...99) {
        case 0..<25:
            return .placeOrder(
                .with {
                    ($0.order, $0.customer) = (order, "c\(pick(1...2))")
                    if pick(0...1) == 0 { $0.expectedAt = after(Int64(step) * 60 + 3600).proto }
                })
        case 25..<50: return .assignCourier(.with { ($0.order, $0.courier) = (order, courier) })
        case 50..<65: return .markPickedUp(.with { $0.order = order })
        case 65..<75: return .markDelivered(.with { $0.order = order })
        case 75..<80: return .cancelOrder(.with { ($0.order, $0.reason) = (order, "rain") })
        default:
            return .reviseEta(
                .with { ($0.order, $0.expectedAt) = (order, after(Int64(step + pick(1...3)) * 60 + 5000).proto) })
        }
    }

    static func social(_ random: inout SeededRandom, _ step: Int) -> SocialCommand.OneOf_Kind {
        func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        let (user, other, tweet) = ("u\(pick(1...3))", "u\(pick(1...3))", "t\(pick(0...12))")
        switch pick(0...99) {
        case 0..<30:
            let text = ["hello", "hi @\(other) #one #Two", "#one @\(other) @u9"][pick(0...2)]
            return .postTweet(.with { ($0.user, $0.tweet, $0.text) = (user, tweet, text) })
        case 30..<45: return .deleteTweet(.with { ($0.user, $0.tweet) = (user, tweet) })
        case 45..<65:
            return .retweet(
                .with {
                    ($0.user, $0.owner, $0.original, $0.text) = (user, other, tweet, "seen")
                    $0.tweet = "t\(pick(0...12))"
                })
        case 65..<85: return .follow(.with { ($0.user, $0.followee) = (user, other) })
        default: return .unfollow(.with { ($0.user, $0.followee) = (user, other) })
        }
    }
}

/// Facts at random held against what a decider makes: those that it made, those that it once made, and either of them with
/// some field another than it was.
struct Recorded<D: Decider> {
    let domain: Domain
    let seed: UInt64
    let draw: (inout SeededRandom, Int) -> D.Command.Kind
    /// The one command that could make a fact in a state.
    let maker: (D.Event.Kind, D.State) -> D.Command.Kind

    func run(steps: Int = 1200) throws {
        let schema = try #require(domain.decider).events
        var (random, other) = (SeededRandom(seed), Alteration(seed: seed &+ 1))
        var (states, now): ([String: D.State], Timestamp) = ([:], noon)
        var past: [Bytes] = []
        var (admitted, refused) = (0, 0)

        func judge(_ bytes: Bytes) throws {
            guard let fact = try D.Event.kind(in: bytes), (try? D.check(fact)) != nil else { return }
            let state = states[D.key(of: fact)] ?? D.initial
            let command = maker(fact, state)
            let made = (try? D.check(command)).flatMap { try? D.decide(command, id: "x", on: state, at: now) }
            var no: String?
            do {
                try D.admit(fact, on: state, at: now)
                admitted += 1
            } catch {
                no = "\(error)"
                refused += 1
            }
            let json = try schema.decode(bytes)
            #expect((no == nil) == (made == [fact]), "\(json), \(no ?? "admitted"), seed \(seed)")
        }

        for step in 0..<steps {
            now = now + .milliseconds(Int64.random(in: 0...90_000, using: &random))
            for _ in 0..<2 {
                guard let old = past.randomElement(using: &random) else { break }
                try judge(Bool.random(using: &random) ? old : other.alter(old, schema) ?? old)
            }
            let command = draw(&random, step)
            try D.check(command)
            let key = D.key(of: command)
            guard let made = try? D.decide(command, id: "c\(step)", on: states[key] ?? D.initial, at: now) else {
                continue
            }
            for fact in made {
                let bytes = D.Event.bytes(fact)
                try judge(bytes)
                for _ in 0..<4 { if let altered = other.alter(bytes, schema) { try judge(altered) } }
                D.evolve(&states[key, default: D.initial], with: fact, at: now)
                past.append(bytes)
            }
        }
        let counts = "\(past.count) facts, \(admitted) admitted, \(refused) refused"
        #expect(past.count > 200 && admitted > past.count && refused > 1000, "\(counts), seed \(seed)")
    }
}

/// Changes one field of a fact to what another fact has, to something near it, or to nothing.
private struct Alteration {
    private var random: SeededRandom
    private var words: [String] = []

    init(seed: UInt64) { random = SeededRandom(seed) }

    /// Nil where the change leaves no message of the schema.
    mutating func alter(_ fact: Bytes, _ schema: Schema) -> Bytes? {
        guard let (name, json) = try? schema.decode(fact), let kind = schema.kind(named: name),
            let object = try? JSONSerialization.jsonObject(with: Data(json.utf8))
        else { return nil }
        learn(object)
        guard let data = try? JSONSerialization.data(withJSONObject: change(object)) else { return nil }
        return try? schema.encode(kind, json: Bytes([UInt8](data)))
    }

    private mutating func learn(_ value: Any) {
        switch value {
        case let object as [String: Any]: for value in object.values { learn(value) }
        case let list as [Any]: for value in list { learn(value) }
        case let text as String: if words.count < 500, !words.contains(text) { words.append(text) }
        default: break
        }
    }

    private mutating func change(_ value: Any) -> Any {
        switch value {
        case var object as [String: Any]:
            guard let key = object.keys.sorted().randomElement(using: &random), let inner = object[key] else {
                return value
            }
            let isGone = Int.random(in: 0..<8, using: &random) == 0
            object[key] = isGone ? nil : .some(change(inner))
            return object
        case var list as [Any]:
            let i = Int.random(in: 0..<max(1, list.count), using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: list.reverse()
            case 1: if !list.isEmpty { list.remove(at: i) }
            case 2: if !list.isEmpty { list.append(list[i]) }
            default: if !list.isEmpty { list[i] = change(list[i]) }
            }
            return list
        case let text as String: return change(text)
        case let number as NSNumber: return number.int64Value + [-1, 1, 100][Int.random(in: 0..<3, using: &random)]
        default: return value
        }
    }

    private mutating func change(_ text: String) -> String {
        if let time = Timestamp(rfc3339: text) {
            let later = time + .milliseconds([-300_000, -1, 1, 1000, 60_000][Int.random(in: 0..<5, using: &random)])
            return Int.random(in: 0..<4, using: &random) == 0
                ? "\(time.rfc3339.prefix(19)).000000001Z" : later.rfc3339
        }
        switch Int.random(in: 0..<4, using: &random) {
        case 0: return text + "x"
        case 1: return text.uppercased()
        default: return words.randomElement(using: &random) ?? text
        }
    }
}
