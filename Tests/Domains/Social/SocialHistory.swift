import DomainTesting
import EventModel
import Foundation
import SwiftProtobuf

@testable import SocialDomain

/// What some users did, each thing at its time, to be told to a feed in one way or another.
struct SocialHistory {
    struct Deed {
        enum Kind {
            case post(text: String)
            /// The text is the original's as far as a client keeps it. Whether the original is in the history is told.
            case pass(owner: String, original: String, text: String, isKnown: Bool)
            case delete
            case follow(String)
            case unfollow(String)
        }
        var at: Timestamp
        var user: String
        var tweet = ""
        var kind: Kind

        var isKept: Bool {
            switch kind {
            case .post, .pass, .follow: true
            case .delete, .unfollow: false
            }
        }
    }
    private struct Said {
        var user: String
        var tweet: String
        /// What it shows: its own text, or that of its original.
        var text: String
        /// Whether the original is in the history.
        var isKnown: Bool
    }

    static let names = (0..<5).map { "u\($0)" }
    private static let tags = ["#a", "#B", "#ünï", "#multiple", "none"]
    private(set) var deeds: [Deed] = []

    /// Only what is not refused, and makes an event.
    ///
    /// - Parameter anyOrder: Nothing is done twice or undone and done again, nor one's own passed on, so that what is kept
    ///   may be told in any order before the rest.
    init(seed: UInt64, count: Int, anyOrder: Bool) {
        var random = SeededRandom(seed)
        var (said, clock): ([Said], Int64) = ([], 0)
        var (passed, followed, unfollowed): (Set<String>, Set<String>, Set<String>) = ([], [], [])
        var states: [String: Social.State] = [:]
        var kept: [Deed] = []
        defer { deeds = kept }
        func keep(_ deed: Deed) -> Bool {
            let state = states[deed.user] ?? Social.initial
            guard let events = try? Social.decide(deed.live { $0 }, id: "c", on: state, at: deed.at), !events.isEmpty
            else { return false }
            for event in events { Social.evolve(&states[deed.user, default: state], with: event, at: deed.at) }
            kept.append(deed)
            return true
        }
        for i in 0..<count {
            clock += Int64.random(in: 0...40, using: &random)
            let (at, tweet) = (after(clock), "t\(i)")
            let user = Self.names.randomElement(using: &random)!
            let other = Self.names.randomElement(using: &random)!
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<35:
                let tag = Self.tags.randomElement(using: &random)!
                let text = "hello \(tag) from @\(other), number \(i) #\(Bool.random(using: &random) ? "x" : "y")"
                if keep(Deed(at: at, user: user, tweet: tweet, kind: .post(text: text))) {
                    said.append(Said(user: user, tweet: tweet, text: text, isKnown: true))
                }
            case 35..<65:
                var one = said.randomElement(using: &random)
                if Int.random(in: 0..<6, using: &random) == 0 {
                    one = Said(user: "zoe", tweet: "z\(i % 7)", text: "zoe on #a and #z", isKnown: false)
                }
                guard let one else { continue }
                if anyOrder, one.user == user || !passed.insert("\(user) \(one.user) \(one.tweet)").inserted {
                    continue
                }
                // Some clients cut what they quote.
                let text = one.isKnown && Bool.random(using: &random) ? "\(one.text.prefix(12))…" : one.text
                let kind = Deed.Kind.pass(
                    owner: one.user, original: one.tweet, text: text, isKnown: one.isKnown)
                if keep(Deed(at: at, user: user, tweet: tweet, kind: kind)) {
                    said.append(Said(user: user, tweet: tweet, text: one.text, isKnown: one.isKnown))
                }
            case 65..<75:
                guard let one = said.randomElement(using: &random) else { continue }
                _ = keep(Deed(at: at, user: one.user, tweet: one.tweet, kind: .delete))
            case 75..<92:
                if anyOrder, user == other || !followed.insert("\(user) \(other)").inserted { continue }
                _ = keep(Deed(at: at, user: user, kind: .follow(other)))
            default:
                let edge = "\(user) \(other)"
                if anyOrder, !followed.contains(edge) || !unfollowed.insert(edge).inserted { continue }
                _ = keep(Deed(at: at, user: user, kind: .unfollow(other)))
            }
        }
    }

    /// The history so far as it goes by a moment.
    func until(_ time: Timestamp) -> SocialHistory {
        var some = self
        some.deeds.removeAll { $0.at > time }
        return some
    }

    /// What is kept in any order, and then what was undone.
    func shuffled(seed: UInt64) -> SocialHistory {
        var (random, some) = (SeededRandom(seed), self)
        some.deeds = deeds.filter(\.isKept).shuffled(using: &random) + deeds.filter { !$0.isKept }
        return some
    }
}

extension SocialHistory.Deed {
    /// As a user asks for it. Texts of others are left out where they are known.
    func live(_ handle: (String) -> String) -> Ask {
        let user = handle(user)
        switch kind {
        case .post(let text): return .post(tweet, by: user, text)
        case .pass(let owner, let original, let text, let isKnown):
            return .retweet(
                .with {
                    ($0.user, $0.owner, $0.original, $0.tweet) = (user, handle(owner), original, tweet)
                    $0.text = isKnown ? "" : text
                })
        case .delete: return .delete(tweet, by: user)
        case .follow(let other): return .follow(handle(other), by: user)
        case .unfollow(let other): return .unfollow(handle(other), by: user)
        }
    }

    /// As an import has it; what no file has is asked for.
    func imported() throws -> Ask {
        var line: [String: String] = ["id": tweet, "time": at.rfc3339, "user": user]
        switch kind {
        case .post(let text): line["text"] = text
        case .pass(let owner, let original, let text, _):
            (line["retweet_of"], line["owner"], line["text"]) = (original, owner, "RT @\(owner): \(text)")
        case .follow(let other):
            let commands = try FollowEdge.commands(Array("\(user),\(other)".utf8)[...], mutual: false)
            return try SocialCommand.kind(in: commands[0].value)!
        case .delete, .unfollow: return live { $0 }
        }
        let command = try TweetLine.command(Array(try JSONEncoder().encode(line))[...])
        precondition(command.time == at)
        return try SocialCommand.kind(in: command.value)!
    }
}
