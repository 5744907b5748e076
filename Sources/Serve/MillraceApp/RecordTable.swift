internal import EventModel
internal import MillraceBus

/// Records as a table that is shown part by part as they come: later parts keep the columns of those before, and are wider
/// only where they must be.
struct RecordTable {
    private let shape: RecordShape
    private var waiting: [[String]] = []
    private var widths: [Int] = []
    private static let header = ["place", "time", "key", "type", "event"]

    init(_ shape: RecordShape) { self.shape = shape }

    mutating func add(_ record: Record, _ source: TopicPartition) {
        waiting.append([
            "\(source)@\(record.offset)", record.timestamp.rfc3339, record.key.text, shape.type(record, source),
            shape.event(record, source),
        ])
    }

    /// The lines of what was added; nil where nothing was.
    mutating func take() -> String? {
        if waiting.isEmpty { return nil }
        var table = TextTable(header: Self.header, rows: waiting, whole: [0, 1])
        (table.atLeast, table.hasHeader) = (widths, widths.isEmpty)
        waiting = []
        let text = table.text
        for (i, width) in table.natural.enumerated() where i < Self.header.count - 1 {
            if i < widths.count { widths[i] = max(widths[i], width) } else { widths.append(width) }
        }
        return text
    }
}
