import EventModel
import MillraceTestKit

@testable import HitsDomain
@testable import OrdersDomain
@testable import RidesDomain
@testable import SocialDomain

extension Traffic {
    /// Three sites, two hours in which hits come out of order.
    static let hits = Traffic(.hits) { _, random in
        let site = "s\(Int.random(in: 1...3, using: &random))"
        let visitor = "v\(Int.random(in: 1...6, using: &random))"
        // One of ten is later than a window waits for.
        let age = Int.random(in: 0..<10, using: &random) == 0 ? 7200 : Int.random(in: 0...5, using: &random)
        return Ask("Hit", #"{"site":"\#(site)","path":"/","visitor":"\#(visitor)"}"#, age: .seconds(age))
    }

    /// Five users who follow, unfollow, tweet and delete; who has two followers is fetched, not handed out.
    static let social = Traffic(.social(fanOutLimit: 2)) { n, random in
        let user = #""user":"u\#(Int.random(in: 1...5, using: &random))""#
        let other = "u\(Int.random(in: 1...5, using: &random))"
        let tweet = "t\(Int.random(in: 0...n, using: &random))"
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<32:
            let text = Bool.random(using: &random) ? "hi @\(other) #x" : "hello"
            return Ask("PostTweet", #"{\#(user),"text":"\#(text)","tweet":"t\#(n)"}"#)
        case 32..<44: return Ask("Retweet", #"{\#(user),"owner":"\#(other)","original":"\#(tweet)","tweet":"t\#(n)"}"#)
        case 44..<54: return Ask("DeleteTweet", #"{\#(user),"tweet":"\#(tweet)"}"#)
        case 54..<84: return Ask("Follow", #"{\#(user),"followee":"\#(other)"}"#)
        default: return Ask("Unfollow", #"{\#(user),"followee":"\#(other)"}"#)
        }
    }

    /// Four orders, two couriers.
    static let orders = Traffic(.orders) { n, random in
        let order = #""order":"o\#(Int.random(in: 1...4, using: &random))""#
        let courier = #""courier":"k\#(Int.random(in: 1...2, using: &random))""#
        switch Int.random(in: 0..<100, using: &random) {
        case _ where n < 3, 0..<25: return Ask("PlaceOrder", #"{\#(order),"customer":"ann"}"#)
        case 25..<50: return Ask("AssignCourier", #"{\#(order),\#(courier)}"#)
        case 50..<65: return Ask("MarkPickedUp", #"{\#(order)}"#)
        case 65..<75: return Ask("MarkDelivered", #"{\#(order)}"#)
        case 75..<80: return Ask("CancelOrder", #"{\#(order),"reason":"late"}"#)
        default:
            let hour = Int.random(in: 18...22, using: &random)
            return Ask("ReviseEta", #"{\#(order),"expectedAt":"2026-11-02T\#(hour):00:00Z"}"#)
        }
    }

    /// Four drivers whose locations overtake each other.
    static let rides = Traffic(.rides) { _, random in
        let driver = "d\(Int.random(in: 1...4, using: &random))"
        let (lat, lng) = (Double.random(in: 48...49, using: &random), Double.random(in: 2...3, using: &random))
        return Ask(
            "DriverLocation", #"{"driver":"\#(driver)","lat":\#(lat),"lng":\#(lng)}"#,
            age: .seconds(Int.random(in: 0...8, using: &random)))
    }

    static let all: [Traffic] = [tickets(), hits, social, orders, rides]
}
