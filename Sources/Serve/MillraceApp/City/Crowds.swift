internal import EventModel
internal import Foundation
internal import Handling
internal import MillraceBus

/// Fans who buy seats of one gala.
struct Fans: Crowd {
    static let event = "gala"
    private static let sections = [("stalls", 8, 24), ("balcony", 4, 30)]

    let seed: UInt64
    let count: Int
    var people: Int { count }

    func open(_ desk: Desk) async throws {
        let sections = Self.sections.enumerated().map { i, section in
            let rows = (0..<section.1).map { row in
                #"{"label":"\#(Character(Unicode.Scalar(UInt8(65 + row))))","seats":\#(section.2)}"#
            }
            return
                #"{"name":"\#(section.0)","rows":[\#(rows.joined(separator: ","))],"price":{"amount":\#(9000 - 3000 * i),"currency":"EUR"}}"#
        }
        let starts = (now() + .seconds(30 * 86_400)).rfc3339
        try await desk.send(
            "ListEvent",
            #"{"event":"\#(Self.event)","title":"The Gala","venue":"Opera","startsAt":"\#(starts)","sections":[\#(sections.joined(separator: ","))]}"#
        )
        // The sections are opened by a reaction; seats can be held once the first hold is not refused for that.
        for section in Self.sections {
            let who =
                #""event":"\#(Self.event)","section":"\#(section.0)","holder":"usher","hold":"opening-\#(section.0)""#
            let deadline = ContinuousClock.now + .seconds(20)
            while try await desk.send("HoldSeats", "{\(who),\"seats\":[\"A-1\"]}").reason == "unknown-section",
                .now < deadline
            {
                try await Task.sleep(for: .milliseconds(5))
            }
            try await desk.send("ReleaseHold", "{\(who)}")
        }
    }

    func act(as fan: Int, at desk: Desk, until end: ContinuousClock.Instant) async throws {
        var random = SeededRandom(seed &+ UInt64(fan) &* 7919)
        var turn = 0
        while .now < end {
            turn += 1
            let section = random.one(of: Self.sections)
            let row = Character(Unicode.Scalar(UInt8(65 + Int.random(in: 0..<section.1, using: &random))))
            let count = Int.random(in: 1...4, using: &random)
            let first = Int.random(in: 1...(section.2 - count + 1), using: &random)
            let seats = (first..<first + count).map { "\"\(row)-\($0)\"" }.joined(separator: ",")
            let who =
                #""event":"\#(Self.event)","section":"\#(section.0)","holder":"fan-\#(fan)","hold":"fan-\#(fan)-\#(turn)""#
            let choice = Int.random(in: 0..<100, using: &random)
            // Some came almost five minutes ago and have forgotten: their holds run out while the demo lasts.
            let forgotten = choice >= 80
            let held = try await desk.send(
                "HoldSeats", "{\(who),\"seats\":[\(seats)]}", at: forgotten ? now() - .seconds(298) : nil)
            if held.accepted, choice < 45 {
                try await desk.send("ConfirmPurchase", "{\(who),\"paymentToken\":\"tok_\(fan)_\(turn)\"}")
            } else if held.accepted, choice < 60 {
                try await desk.send("ReleaseHold", "{\(who)}")
            }
            try await random.pause(20...120)
        }
    }
}

/// Visitors of three sites.
struct Visitors: Crowd {
    static let sites = ["home", "shop", "blog"]

    let seed: UInt64
    var people: Int { 1 }

    func open(_ desk: Desk) {}

    func act(as person: Int, at desk: Desk, until end: ContinuousClock.Instant) async throws {
        var random = SeededRandom(seed)
        while .now < end {
            try await desk.observe(
                "Hit",
                (0..<200).map { _ in
                    let site = Self.sites[random.one(of: [0, 0, 0, 1, 1, 2])]
                    let visitor = Int.random(in: 0..<5000, using: &random)
                    return #"{"site":"\#(site)","path":"/\#(visitor % 97)","visitor":"v\#(visitor)","status":200}"#
                })
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}

/// People who follow each other, tweet, pass on, and see fireworks halfway.
struct Tweeters: Crowd {
    /// The first of them, whose timeline is shown.
    static let first = "ann"
    private static let names = ["ann", "ben", "cleo", "dan", "eva", "finn", "gus", "hana"]
    private static let daily = ["coffee", "rain", "metro", "news"]

    let seed: UInt64
    let count: Int
    var people: Int { count }

    private func name(_ person: Int) -> String {
        person < Self.names.count ? Self.names[person] : "user\(person)"
    }

    /// Everybody follows some; and the day before was as any day.
    func open(_ desk: Desk) async throws {
        var random = SeededRandom(seed)
        let follows = (0..<count).flatMap { person in
            Set((0..<Int.random(in: 3...12, using: &random)).map { _ in Int.random(in: 0..<count, using: &random) })
                .sorted().filter { $0 != person }
                .map { (#"{"user":"\#(name(person))","followee":"\#(name($0))"}"#, Timestamp?.none) }
        }
        try await desk.send("Follow", follows)
        let morning = now() - .seconds(86_400)
        let yesterday = (0..<24 * 12).map { i in
            let text = "#" + random.one(of: Self.daily) + ", as ever"
            return (
                #"{"user":"\#(name(i % count))","text":"\#(text)"}"#,
                Timestamp?.some(morning + .seconds(300 * Int64(i)))
            )
        }
        try await desk.send("PostTweet", yesterday)
    }

    func act(as person: Int, at desk: Desk, until end: ContinuousClock.Instant) async throws {
        var random = SeededRandom(seed &+ UInt64(person) &* 104_729)
        let half = ContinuousClock.now + (end - .now) / 2
        var posted = 0
        while .now < end {
            let other = Int.random(in: 0..<count, using: &random)
            let me = #""user":"\#(name(person))""#
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<6:
                posted += 1
                let topic = .now > half && Bool.random(using: &random) ? "fireworks" : random.one(of: Self.daily)
                let text = Bool.random(using: &random) ? "@\(name(other)) look, #" + topic : "again #" + topic
                try await desk.send("PostTweet", #"{\#(me),"tweet":"\#(name(person))-\#(posted)","text":"\#(text)"}"#)
            case 6..<8:
                try await desk.send(
                    "Retweet", #"{\#(me),"owner":"\#(name(other))","original":"\#(name(other))-1","text":"seen"}"#)
            case 8: try await desk.send("Follow", #"{\#(me),"followee":"\#(name(other))"}"#)
            default: try await desk.send("Unfollow", #"{\#(me),"followee":"\#(name(other))"}"#)
            }
            try await random.pause(150...600)
        }
    }
}

/// Customers who order, and couriers who bring it, or not.
struct Kitchens: Crowd {
    /// The customer whose notifications are shown.
    static let first = "ann"

    let seed: UInt64
    let count: Int
    var people: Int { count }

    func open(_ desk: Desk) {}

    func act(as kitchen: Int, at desk: Desk, until end: ContinuousClock.Instant) async throws {
        var random = SeededRandom(seed &+ UInt64(kitchen) &* 15_485_863)
        var turn = 0
        while .now < end {
            turn += 1
            let order = #""order":"order-\#(kitchen)-\#(turn)""#
            let customer = kitchen == 0 ? Self.first : "customer-\(Int.random(in: 0..<200, using: &random))"
            let steps: [(String, String)] = [
                ("PlaceOrder", #"{\#(order),"customer":"\#(customer)"}"#),
                ("AssignCourier", #"{\#(order),"courier":"courier-\#(Int.random(in: 0..<9, using: &random))"}"#),
                ("MarkPickedUp", "{\(order)}"), ("MarkDelivered", "{\(order)}"),
            ]
            // One of eight is called off on the way; one of ten couriers says too early that it was delivered.
            let calledOff = Int.random(in: 0..<32, using: &random)
            for (i, step) in steps.enumerated() where .now < end {
                if calledOff == i {
                    try await desk.send("CancelOrder", #"{\#(order),"reason":"the customer called"}"#)
                    break
                }
                if i == 2, Int.random(in: 0..<10, using: &random) == 0 {
                    try await desk.send("MarkDelivered", "{\(order)}")
                }
                try await desk.send(step.0, step.1)
                try await random.pause(40...250)
            }
        }
    }
}

/// Taxis on a grid of streets, each of which says every four seconds where it is.
struct Taxis: Crowd {
    /// The corner whose nearest taxis are shown: Times Square.
    static let corner = (lat: 40.758, lng: -73.9855)
    private static let block = (lat: 0.00072, lng: 0.0021)
    private static let blocks = 40

    let seed: UInt64
    let count: Int
    /// One driver of the simulation moves all taxis.
    var people: Int { 1 }

    func open(_ desk: Desk) {}

    func act(as person: Int, at desk: Desk, until end: ContinuousClock.Instant) async throws {
        var random = SeededRandom(seed &+ 31)
        var places = (0..<count).map { _ in
            (x: Int.random(in: 0...Self.blocks, using: &random), y: Int.random(in: 0...Self.blocks, using: &random))
        }
        var tick = 0
        // A twentieth of the taxis every fifth of a second: each one every four seconds; all of them at the start.
        while .now < end {
            let reports = places.indices.filter { tick == 0 || $0 % 20 == tick % 20 }.map { taxi in
                let step = random.one(of: [(0, 1), (1, 0), (0, -1), (-1, 0)])
                places[taxi].x = min(Self.blocks, max(0, places[taxi].x + step.0))
                places[taxi].y = min(Self.blocks, max(0, places[taxi].y + step.1))
                let lat = Self.corner.lat + Self.block.lat * Double(places[taxi].y - Self.blocks / 2)
                let lng = Self.corner.lng + Self.block.lng * Double(places[taxi].x - Self.blocks / 2)
                return #"{"driver":"taxi-\#(taxi)","lat":\#(lat),"lng":\#(lng)}"#
            }
            try await desk.observe("DriverLocation", reports)
            tick += 1
            try await Task.sleep(for: .milliseconds(200))
        }
    }
}
