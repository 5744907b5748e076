internal import EventModel
internal import Foundation
internal import SwiftProtobuf

extension KVState: Envelope {}

/// Says in `kv.state`, which is compacted, how each key is after each change: what a copy of all keys begins with.
///
/// It remembers a tag's keys as the decider does, for a change of an expiry does not say the value that stays.
struct NewestStates: StatefulReaction {
    static let topic = "kv.state"

    let name = "newest"
    var initial: Shelf { Shelf() }

    func isBlank(_ state: Shelf) -> Bool { state.entries.isEmpty }

    var inputs: [ReactionInput<Shelf>] {
        [
            ReactionInput(
                "kv.events", KVEvent.self, react: Self.told,
                evolve: { event, shelf, _ in
                    event.eachChange { shelf.fold($0) }
                    return true
                })
        ]
    }

    private static func told(_ event: KVEvent.Kind, _ shelf: Shelf, _ place: EventPosition) -> [Emission] {
        var emissions: [Emission] = []
        event.eachChange { change in
            switch change {
            case .put(let key, let value, let revision, let expires):
                emissions.append(
                    state(key, Shelf.Entry(value: value, revision: revision, expires: expires), place.offset))
            case .expiry(let key, let revision, let expires):
                guard var entry = shelf.entries[key] else { return }
                (entry.revision, entry.expires) = (revision, expires)
                emissions.append(state(key, entry, place.offset))
            case .gone(let key, _):
                emissions.append(Emission(topic: topic, key: Bytes(key), value: Bytes(), type: "KeyState"))
            }
        }
        return emissions
    }

    private static func state(_ key: String, _ entry: Shelf.Entry, _ offset: Offset) -> Emission {
        Emission(
            topic: topic, key: Bytes(key),
            value: KVState.bytes(
                .keyState(
                    .with {
                        ($0.key, $0.value, $0.revision) = (key, entry.value, entry.revision)
                        if let expires = entry.expires { $0.expiresAt = expires.proto }
                        $0.offset = offset.rawValue
                    })),
            type: "KeyState")
    }
}

/// The topic of the states, for those who begin with it.
package enum KeyStates {
    package static let topic = NewestStates.topic
    /// The reaction that writes it, whose offsets say how far it is.
    package static let group = "kv.newest"
}
