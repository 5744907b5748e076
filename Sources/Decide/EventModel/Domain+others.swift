extension Sequence<Domain> {
    /// The topics that these domains declare, and those of other domains that their workers read by name: where the other domain is not
    /// among them, such a topic is there with nothing in it.
    package var topicsWithOthers: [Topic] {
        let own = flatMap(\.topics)
        var names = Set(own.map(\.name))
        let read = flatMap { $0.reactions.flatMap(\.topics) + $0.projections.flatMap(\.topics) }
        return own
            + read.filter { names.insert($0).inserted }.map { topic in
                Topic(
                    topic, partitions: 4, key: "of another domain", schema: "of another domain", owner: "another domain"
                )
            }
    }
}
