import LikesDomain
import MillraceBus
import ServiceLifecycle

/// Likes from within a program: it runs the workers, sends commands, reads its own writes, and follows the events.
///
///     swift run embedded FOLDER
@main enum Main {
    static func main() async throws {
        guard let folder = CommandLine.arguments.dropFirst().first else {
            print("usage: embedded FOLDER")
            return
        }
        try await Bus.with(log: "local:\(folder)", domains: [.likes]) { bus in
            for person in ["ann", "ben", "ann"] {
                let outcome = try await bus.send(LikesLikeThing.with { ($0.thing, $0.person) = ("tea", person) })
                print(outcome.accepted ? "\(person) likes tea" : "\(person): \(outcome.message)")
                let count = try await bus.query("likes.count", ["thing": "tea"], after: outcome.places)
                print("tea has \(count.rows.first?["likes"]?.integer ?? 0) likes")
            }
            for try await event in bus.events("likes.events", following: false) {
                if case .thingLiked(let liked)? = try event.content(LikesEvent.self) {
                    print("\(event.partition)@\(event.offset): \(liked.person) likes \(liked.thing)")
                }
            }
        }
    }
}
