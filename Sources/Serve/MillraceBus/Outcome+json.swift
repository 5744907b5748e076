internal import EventModel
package import Handling

extension Outcome {
    package var json: String { JSON.object(members.map { ($0.name, $0.value) }) }

    package var members: Members {
        [
            ("id", JSON.string(id)), ("outcome", JSON.string(accepted ? "accepted" : "refused")),
            ("reason", accepted ? "null" : JSON.string(reason)), ("message", accepted ? "null" : JSON.string(message)),
            (
                "events",
                JSON.array(
                    events.map { event in
                        JSON.object([
                            ("topic", JSON.string(event.place.topic)), ("partition", event.place.partition.description),
                            ("offset", event.offset.description), ("type", JSON.string(event.type)),
                        ])
                    })
            ),
        ]
    }
}
