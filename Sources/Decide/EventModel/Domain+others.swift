extension Sequence<Domain> {
    /// The topics that these domains declare, and those of other domains that their workers read by name: where the other domain is not
    /// among them, such a topic is there with nothing in it.
    package var topicsWithOthers: [Topic] {
        let own = flatMap(\.topics)
        var names = Set(own.map(\.name))
        let read = flatMap { $0.reactions.flatMap(\.topics) + $0.projections.flatMap(\.topics) }
        return own.map { topic in
            var topic = topic
            topic.readers = readersFromOutside(of: topic.name)
            return topic
        }
            + read.filter { names.insert($0).inserted }.map { topic in
                Topic(
                    topic, partitions: 4, key: "of another domain", schema: "of another domain", owner: "another domain"
                )
            }
    }

    /// Of which domains other than its own, and as which kinds of workers.
    private func readersFromOutside(of topic: String) -> [String] {
        filter { domain in !domain.topics.contains { $0.name == topic } }.flatMap { domain in
            (domain.reactions.contains { $0.topics.contains(topic) } ? ["\(domain.name).reactor"] : [])
                + (domain.projections.contains { $0.topics.contains(topic) } ? ["\(domain.name).projector"] : [])
        }.sorted()
    }
}
