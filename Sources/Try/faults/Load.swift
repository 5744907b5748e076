internal import EventModel
internal import MillraceTestKit

/// Lines that one process is given, and the ids in them.
struct Chunk: Sendable {
    var ids: [String] = []
    var lines: [String] = []
}

/// What one producer asks for: the same for the same seed, but for the moments in it.
///
/// Keys are few, so that producers and workers get in each other's way, and move on, so that states do not fill up.
struct Load: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        case tickets, orders, social, hits, rides, imports
    }
    let kind: Kind
    /// What the ids and keys of the whole campaign begin with.
    let tag: String
    /// Sets this producer's ids apart.
    let name: String
    private let start: Timestamp
    private var random: SeededRandom
    private var count = 0

    init(_ kind: Kind, name: String, tag: String, seed: UInt64, start: Timestamp) {
        self.kind = kind
        self.name = name
        self.tag = tag
        self.start = start
        random = SeededRandom(seed, name.utf8.reduce(0) { $0 &* 31 &+ UInt64($1) })
    }

    var isTelemetry: Bool { [.hits, .rides, .imports].contains(kind) }

    mutating func chunk(now: Timestamp) -> Chunk {
        // A large one now and then takes several commits.
        let size = isTelemetry ? (number(0...9) == 0 ? 6000 : number(50...400)) : number(20...150)
        var chunk = Chunk()
        for _ in 0..<size {
            var id = "\(tag)-\(name)-\(count)"
            switch kind {
            case .tickets: chunk.lines.append(command(id, tickets(now)))
            case .orders: chunk.lines.append(command(id, order()))
            case .social: chunk.lines.append(command(id, social()))
            case .hits:
                chunk.lines.append(
                    #"{"site":"\#(tag)s\#(number(1...5))","path":"/\#(id)","visitor":"v\#(number(1...50))"}"#)
            case .rides:
                // A driver has one location a millisecond, and none is ahead of the clock, however long the load lasts.
                let (driver, time) = ("\(tag)\(name)d\(count % 20)", start + .milliseconds(count / 20))
                id = FactID.location(of: driver, at: time)
                chunk.lines.append(
                    """
                    {"driver":"\(driver)","lat":\(Double(number(480...490)) / 10),"lng":\(Double(number(20...30)) / 10),\
                    "@time":\(time.rawValue)}
                    """)
            case .imports:
                chunk.lines.append(
                    """
                    10.0.0.\(number(1...50)) - - [\(AccessStamp.of(now))] "GET /\(id) HTTP/1.0" 200 \(number(1...9999))
                    """)
            }
            chunk.ids.append(id)
            count += 1
        }
        return chunk
    }

    private mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

    private func command(_ id: String, _ body: (name: String, fields: String)) -> String {
        #"{"@command":"\#(body.name)","@id":"\#(id)",\#(body.fields)}"#
    }

    /// A house of 50 seats, then another; buyers who want the same seats. Some come when their hold is as good as over.
    private mutating func tickets(_ now: Timestamp) -> (String, String) {
        let house = "\(tag)\(name)e\(count / 250)"
        if count % 250 == 0 {
            let rows = "ABCDE".map { #"{"label":"\#($0)","seats":10}"# }.joined(separator: ",")
            return (
                "ListEvent",
                """
                "event":"\(house)","title":"T","venue":"V","startsAt":"2031-12-24T19:30:00Z","sections":[{"name":"s",\
                "rows":[\(rows)],"price":{"amount":4500,"currency":"EUR"}}]
                """
            )
        }
        let place = #""event":"\#(house)","section":"s""#
        let hold = "h\(number(0...40))"
        let who = #""hold":"\#(hold)","holder":"p\#(number(1...4))""#
        switch number(0...99) {
        case 0..<60:
            let seats = Set(
                (0..<number(1...3)).map { _ in "\(["A", "B", "C", "D", "E"][number(0...4)])-\(number(1...10))" })
            let late = number(0...4) == 0 ? #","@time":\#((now - .seconds(296)).rawValue)"# : ""
            let list = seats.sorted().map { #""\#($0)""# }.joined(separator: ",")
            return ("HoldSeats", #"\#(place),\#(who),"seats":[\#(list)]\#(late)"#)
        case 60..<85: return ("ConfirmPurchase", #"\#(place),\#(who),"paymentToken":"tok_1""#)
        default: return ("ReleaseHold", #"\#(place),\#(who)"#)
        }
    }

    /// Orders on their way, some steps of which come too early or twice.
    private mutating func order() -> (String, String) {
        let order = #""order":"\#(tag)\#(name)o\#(max(0, count / 6 - number(0...2)))""#
        switch number(0...99) {
        case _ where count % 6 == 0: return ("PlaceOrder", #"\#(order),"customer":"c\#(number(1...9))""#)
        case 0..<35: return ("AssignCourier", #"\#(order),"courier":"\#(tag)k\#(number(1...5))""#)
        case 35..<65: return ("MarkPickedUp", order)
        case 65..<85: return ("MarkDelivered", order)
        case 85..<90: return ("CancelOrder", #"\#(order),"reason":"late""#)
        default: return ("ReviseEta", #"\#(order),"expectedAt":"2031-11-02T\#(number(10...22)):00:00Z""#)
        }
    }

    private mutating func social() -> (String, String) {
        let user = #""user":"\#(tag)u\#(number(1...12))""#
        let other = "\(tag)u\(number(1...12))"
        let tweet = "\(name)t\(number(max(0, count - 200)...count))"
        switch number(0...99) {
        case 0..<40:
            return ("PostTweet", #"\#(user),"text":"hi @\#(other) #tag\#(number(1...5))","tweet":"\#(name)t\#(count)""#)
        case 40..<50:
            return (
                "Retweet", #"\#(user),"owner":"\#(other)","original":"\#(tweet)","tweet":"\#(name)t\#(count)""#
            )
        case 50..<60: return ("DeleteTweet", #"\#(user),"tweet":"\#(tweet)""#)
        case 60..<85: return ("Follow", #"\#(user),"followee":"\#(other)""#)
        default: return ("Unfollow", #"\#(user),"followee":"\#(other)""#)
        }
    }
}
