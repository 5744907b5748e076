import Domains
import EventLog
import EventModel
import MillraceBus
import SwiftProtobuf

@testable import HitsDomain
@testable import OrdersDomain
@testable import RidesDomain
@testable import SocialDomain
@testable import TicketsDomain

/// Events of every domain, drawn from few keys so that they get in each other's way. What no decider would let happen is
/// among them: a projection folds whatever is on the log.
struct RandomEvents {
    private var random: SeededRandom
    private var count = 0
    private var time = noon
    private let kinds = RandomFacts.all

    /// Whether events come in any order of time, as those of an import, within so many seconds of ``noon``.
    private let shuffled: Int?

    init(_ seed: UInt64, shuffled: Int? = nil) { (random, self.shuffled) = (SeededRandom(seed), shuffled) }

    private mutating func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    private mutating func name(_ prefix: String, _ count: Int) -> String { "\(prefix)\(pick(1...count))" }

    /// Appends so many events to the topics of all domains, some with a time before that of the one before.
    mutating func append(_ number: Int, to log: any EventLog) async throws {
        let counts = try await log.partitionCounts()
        var appends: [TopicPartition: [NewRecord]] = [:]
        for _ in 0..<number {
            count += 1
            time = time + .milliseconds(Int64(pick(0...900)))
            let (topic, key, value) = event()
            var at = pick(0...9) == 0 ? time - .seconds(Int64(pick(0...4000))) : time
            if let shuffled { at = noon + .seconds(pick(0...shuffled)) }
            let place = TopicPartition(topic, Partitioner.partition(of: key, among: counts[topic] ?? 1))
            appends[place, default: []].append(NewRecord(key: key, value: value, timestamp: at))
        }
        _ = try await log.append(appends.sorted { $0.key < $1.key }.map { Append($0.key, $0.value) })
    }

    private mutating func event() -> (topic: String, key: Bytes, value: Bytes) {
        if count % 3 == 0 {
            // In turn, so that none is left out.
            return kinds[count / 3 % kinds.count].event(at: time, using: &random)
        }
        let (topic, key, value) = coherent()
        return (topic, Bytes(key), value)
    }

    /// An event that belongs to others: of one seat, one order, one reader.
    private mutating func coherent() -> (topic: String, key: String, value: Bytes) {
        switch pick(0...9) {
        case 0...2:
            let hit = HitsEvent.OneOf_Kind.hit(
                .with { ($0.site, $0.path, $0.visitor) = (name("s", 3), "/", name("v", 9)) })
            return ("hits.events", Hits.key(of: hit), HitsEvent.bytes(hit))
        case 3:
            let location = RidesEvent.OneOf_Kind.driverLocation(
                .with {
                    $0.driver = name("d", 5)
                    ($0.lat, $0.lng) = (48 + Double(pick(0...1000)) / 1000, 2 + Double(pick(0...1000)) / 1000)
                })
            return ("rides.locations", Rides.key(of: location), RidesEvent.bytes(location))
        case 4:
            let fact = order()
            return ("orders.events", Orders.key(of: fact), OrdersEvent.bytes(fact))
        case 5:
            let sent = OrdersOutbox.OneOf_Kind.notificationSent(
                .with {
                    ($0.order, $0.customer, $0.stage) = (name("o", 8), name("c", 4), "received")
                    ($0.id, $0.text, $0.at) = ("\($0.order):\(count)", "Hello", time.proto)
                })
            return ("orders.notifications", name("c", 4), OrdersOutbox.bytes(sent))
        case 6...7:
            let fact = ticket()
            return ("tickets.events", Tickets.key(of: fact), TicketsEvent.bytes(fact))
        case 8:
            let fact = tweet()
            return ("social.events", Social.key(of: fact), SocialEvent.bytes(fact))
        default:
            let entry = SocialTimelineEntry.with { ($0.tweet, $0.postedAt) = (name("t", 40), time.proto) }
            let readers = [name("u", 5), name("u", 5)]
            let author = name("u", 5)
            let home: SocialHomeEvent.OneOf_Kind =
                switch pick(0...4) {
                case 0...2:
                    .timelineEntriesAdded(.with { ($0.author, $0.entries, $0.readers) = (author, [entry], readers) })
                case 3:
                    .timelineEntriesRemoved(.with { ($0.author, $0.entries, $0.readers) = (author, [entry], readers) })
                default: .userMentioned(.with { ($0.author, $0.entry, $0.users) = (author, entry, readers) })
                }
            return ("social.home", author, SocialHomeEvent.bytes(home))
        }
    }

    private mutating func order() -> OrdersEvent.OneOf_Kind {
        let (order, customer, later) = (name("o", 8), name("c", 4), time + .seconds(Int64(pick(60...3600))))
        if pick(0...4) == 0 {
            return .etaRevised(.with { ($0.order, $0.customer, $0.expectedAt) = (order, customer, later.proto) })
        }
        return .orderStatusChanged(
            .with {
                ($0.order, $0.customer, $0.expectedAt) = (order, customer, later.proto)
                $0.status = [.received, .assigned, .pickedUp, .delivered, .cancelled][pick(0...4)]
                $0.courier = name("k", 2)
            })
    }

    private mutating func ticket() -> TicketsEvent.OneOf_Kind {
        let (event, hold, holder) = (name("e", 4), name("h", 9), name("p", 3))
        let seats = ["A-\(pick(1...6))", "B-\(pick(1...6))"]
        let price = TicketsMoney.with { ($0.amount, $0.currency) = (100, "EUR") }
        let section = TicketsSection.with {
            ($0.name, $0.price) = ("s", price)
            $0.rows = ["A", "B"].map { label in .with { ($0.label, $0.seats) = (label, 6) } }
        }
        switch pick(0...9) {
        case 0:
            return .eventListed(
                .with {
                    ($0.event, $0.title, $0.venue, $0.startsAt) = (event, "t\(count)", "v", time.proto)
                    $0.sections = [section]
                })
        case 1...2: return .sectionOpened(.with { ($0.event, $0.section) = (event, section) })
        case 3...6:
            return .seatHeld(
                .with {
                    ($0.event, $0.section, $0.hold, $0.holder, $0.seats) = (event, "s", hold, holder, seats)
                    ($0.expiresAt, $0.total) = ((time + .seconds(300)).proto, price)
                })
        case 7: return .holdExpired(.with { ($0.event, $0.section, $0.hold, $0.seats) = (event, "s", hold, seats) })
        case 8: return .seatReleased(.with { ($0.event, $0.section, $0.hold, $0.seats) = (event, "s", hold, seats) })
        default:
            return .seatSold(
                .with {
                    ($0.event, $0.section, $0.hold, $0.holder, $0.seats) = (event, "s", hold, holder, seats)
                    ($0.paymentToken, $0.total) = ("tok", price)
                })
        }
    }

    private mutating func tweet() -> SocialEvent.OneOf_Kind {
        let (user, other, tweet) = (name("u", 5), name("u", 5), name("t", 40))
        switch pick(0...9) {
        case 0...4:
            return .tweetPosted(
                .with {
                    ($0.user, $0.tweet, $0.text) = (user, "t\(count)", "hi #x @\(other)")
                    ($0.hashtags, $0.mentions) = (["x"], [other])
                })
        case 5: return .tweetDeleted(.with { ($0.user, $0.tweet) = (user, tweet) })
        case 6:
            return .retweeted(
                .with { ($0.user, $0.tweet, $0.owner, $0.original) = (user, "t\(count)", other, tweet) })
        case 7...8: return .userFollowed(.with { ($0.user, $0.followee) = (user, other) })
        default: return .userUnfollowed(.with { ($0.user, $0.followee) = (user, other) })
        }
    }
}
