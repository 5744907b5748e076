import Millrace
import SwiftProtobuf

extension LikesCommand: Envelope {}
extension LikesEvent: Envelope {}

extension Domain {
    /// Who likes what: the smallest domain there is.
    public static let likes = Domain("likes", "Likes of things.", descriptor: likesDescriptor)
        .deciding(Likes.self, key: "thing")
        .projecting(LikesCounts.self)
        .answering(
            Query(
                "likes.count", "How many like a thing.", of: "likes.counts",
                [thing]
            ) { arguments, reader in
                try Page(of: Scan(LikesCounts.things, equal: [.text(arguments[thing])]).page(arguments), in: reader)
            }
        )
        .keeping(.likesAreCounted)
        .demonstrating(.likes)

    private static let thing = RequiredParameter<String>("thing", "the thing")
}

/// A person likes a thing at most once.
enum Likes: Decider {
    typealias Command = LikesCommand
    typealias Event = LikesEvent

    enum Rejection: Refusal {
        case likedAlready(thing: String)
        var reason: String { "liked-already" }
        var message: String {
            switch self {
            case .likedAlready(let thing): "you like \(thing) already"
            }
        }
    }

    static let initial: Set<String> = []

    static func key(of command: Command.Kind) -> String {
        switch command {
        case .likeThing(let c): c.thing
        }
    }
    static func key(of event: Event.Kind) -> String {
        switch event {
        case .thingLiked(let e): e.thing
        }
    }

    static func check(_ command: Command.Kind) throws(Malformed) {
        switch command {
        case .likeThing(let c): try Check.identifier(c.thing, "thing")
        }
    }
    static func check(_ event: Event.Kind) throws(Malformed) {
        switch event {
        case .thingLiked(let e): try Check.identifier(e.thing, "thing")
        }
    }

    static func decide(
        _ command: Command.Kind, id: String, on people: Set<String>, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind] {
        switch command {
        case .likeThing(let c):
            if people.contains(c.person) { throw .likedAlready(thing: c.thing) }
            return [.thingLiked(.with { ($0.thing, $0.person) = (c.thing, c.person) })]
        }
    }

    static func admit(_ event: Event.Kind, on people: Set<String>, at now: Timestamp) throws(Rejection) {
        switch event {
        case .thingLiked(let e): if people.contains(e.person) { throw .likedAlready(thing: e.thing) }
        }
    }

    static func evolve(_ people: inout Set<String>, with event: Event.Kind, at time: Timestamp) {
        switch event {
        case .thingLiked(let e): people.insert(e.person)
        }
    }
}

/// How many like each thing.
struct LikesCounts: Projection {
    typealias Event = Only<LikesEvent>
    static let name = "counts"
    static let version = 1
    static let about = "Likes of each thing."
    static let topics = ["likes.events"]
    static let tables = [things]
    static let things = Table(
        "likes_things", "One row a thing.", key: [Column("thing", .text)], columns: [Column("likes", .integer)])

    enum Thing {
        static let name = things.text("thing")
        static let likes = things.integer("likes")
    }

    init() {}

    func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) {
        switch event {
        case .thingLiked(let e): view.add(Self.things, [.text(e.thing)], [1])
        }
    }
}
