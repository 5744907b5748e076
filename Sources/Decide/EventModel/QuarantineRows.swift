/// A quarantine as rows beside those of a view: what is left out of the view is part of what it shows.
extension Quarantine {
    /// The table of a projection's waiting events.
    static func table(of projection: String) -> Table {
        Table(
            Table.prefix(of: projection) + "_quarantine",
            "The events that wait, or were dropped: they are not in the view.",
            key: [Column("topic", .text), Column("partition", .integer), Column("offset", .integer)],
            columns: [
                Column("key", .text), Column("dropped", .integer), Column("reason", .text),
                Column("attempts", .integer), Column("time", .timestamp),
            ])
    }

    /// What a table of quarantines says.
    public static func all(in rows: some Sequence<Row>) -> [TopicPartition: Quarantine] {
        rows.reduce(into: [:]) { all, row in
            guard let topic = row[0].text, let partition = row[1].integer.flatMap({ Int32(exactly: $0) }),
                let offset = row[2].integer, let key = row[3].text
            else { return }
            let source = TopicPartition(topic, Partition(rawValue: partition))
            if row[4] != .integer(0) {
                all[source, default: Quarantine()].unpark(Offset(offset), dropping: true)
            } else {
                all[source, default: Quarantine()].park(
                    Parked(
                        offset: Offset(offset), key: Bytes(storable: key), reason: row[5].text ?? "",
                        attempts: Int(Int32(clamping: row[6].integer ?? 0)), timestamp: Timestamp(row[7].integer ?? 0)))
            }
        }
    }
}

extension Quarantine.Parked {
    /// Its row in a worker's table of what waits: topic, partition, offset, key, whether it was dropped, reason,
    /// attempts, time.
    public func row(in source: TopicPartition, dropped: Bool = false) -> Row {
        Self.key(offset, in: source) + [
            .text(key.storable), dropped ? 1 : 0, .text(reason), Value(attempts), Value(timestamp),
        ]
    }

    /// The row of a record that was dropped elsewhere.
    public static func dropped(_ offset: Offset, in source: TopicPartition) -> Row {
        key(offset, in: source) + ["", 1, "", 0, 0]
    }

    /// The primary key of its row: topic, partition, offset.
    public static func key(_ offset: Offset, in source: TopicPartition) -> Row {
        [.text(source.topic), Value(source.partition), .integer(offset.rawValue)]
    }
}

extension Table {
    /// What the names of a worker's own tables begin with: `tickets_seatmap`.
    public static func prefix(of worker: String) -> String {
        String(worker.map { $0.isLetter || $0.isNumber ? $0 : "_" })
    }
}

extension Bytes {
    /// As text that every database takes: what is no UTF-8, or has a zero in it, is written as its digits.
    public var storable: String {
        if let text = validText, !slice.contains(0), slice.first != 1 { return text }
        let digits = Array("0123456789abcdef".utf8)
        let hex = slice.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return "\u{1}" + String(decoding: hex, as: UTF8.self)
    }

    /// The bytes that a text of ``storable`` stands for.
    public init(storable text: String) {
        if text.utf8.first != 1 {
            self.init(text)
            return
        }
        // What is none of our digits was damaged where it was kept: it stands for itself.
        let digits = text.utf8.dropFirst().compactMap { Character(UnicodeScalar($0)).hexDigitValue.map { UInt8($0) } }
        guard digits.count == text.utf8.count - 1 else {
            self.init(text)
            return
        }
        self.init(stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
    }
}
