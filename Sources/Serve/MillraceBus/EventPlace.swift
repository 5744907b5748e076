package import EventModel

/// An event's place on the log, as people write it: `TOPIC/PARTITION@OFFSET`, such as `tickets.events/2@17`.
package struct EventPlace: Hashable, Sendable {
    package var partition: TopicPartition
    package var offset: Offset

    /// - Throws: ``BusError`` where the text is none.
    package init(_ text: String) throws(BusError) {
        let parts = text.split(separator: "@")
        let place = parts.first?.split(separator: "/") ?? []
        guard parts.count == 2, place.count == 2, let partition = Int32(place[1]), let offset = Int64(parts[1]),
            partition >= 0, offset >= 0
        else {
            throw BusError(.usage, "\(text) is not TOPIC/PARTITION@OFFSET, such as tickets.events/2@17")
        }
        self.partition = TopicPartition(String(place[0]), Partition(rawValue: partition))
        self.offset = Offset(offset)
    }
}
