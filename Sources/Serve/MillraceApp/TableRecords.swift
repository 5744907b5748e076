internal import CSVText
internal import EventModel
internal import MillraceBus

/// Lines of a file, with what an import knows of them.
struct ImportLine {
    /// Of its first line.
    var number: Int
    /// How many lines it is of: a table's quoted field may span some.
    var lines = 1
    var bytes: ArraySlice<UInt8>
    var tooLong: Bool
    var unfinished: Bool
    /// Of all lines through its last.
    var digest: UInt64
    /// Whether it was imported before.
    var isKnown: Bool

    var last: Int { number + lines - 1 }

    init(_ line: LineSource.Line, digest: UInt64, isKnown: Bool) {
        (number, bytes, tooLong, unfinished) = (line.number, line.bytes, line.tooLong, line.unfinished)
        (self.digest, self.isKnown) = (digest, isKnown)
    }
}

/// Puts the lines of a table together where a quoted field goes on in the next.
///
/// A quote that never closes costs its own line only: where no end comes within ``mostLines``, the first line is a record by
/// itself, a bad one, and the lines after it are looked at anew.
struct TableRecords {
    static let mostLines = 1000

    private var open: [ImportLine] = []
    private var size = 0
    private var quotes = CSVQuotes()

    /// Whether a line is a record by itself, which is what nearly all are.
    func isWhole(_ line: ImportLine) -> Bool {
        guard open.isEmpty else { return false }
        var quotes = CSVQuotes()
        quotes.add(line.bytes)
        return !quotes.isOpen
    }

    /// The records that a line completes.
    mutating func add(_ line: ImportLine) -> [ImportLine] {
        var records: [ImportLine] = []
        var next = [line]
        while let line = next.popLast() {
            quotes.add(line.bytes)
            open.append(line)
            size += line.bytes.count + 1
            if !quotes.isOpen {
                records.append(joined())
                forget()
            } else if open.count == Self.mostLines || size > Limits.lineBytes || line.tooLong {
                next += giveUp(&records)
            }
        }
        return records
    }

    /// The records that there are at the end.
    mutating func end() -> [ImportLine] {
        var records: [ImportLine] = []
        while !open.isEmpty {
            for line in giveUp(&records).reversed() { records += add(line) }
        }
        return records
    }

    /// The first line is a record; those after it are to be looked at again, the first one last.
    private mutating func giveUp(_ records: inout [ImportLine]) -> [ImportLine] {
        let lines = open
        forget()
        records.append(lines[0])
        return lines.dropFirst().reversed()
    }

    private mutating func forget() {
        open.removeAll(keepingCapacity: true)
        (size, quotes) = (0, CSVQuotes())
    }

    private func joined() -> ImportLine {
        var record = open[0]
        if open.count == 1 { return record }
        record.bytes = open.map(\.bytes).joined(separator: [0x0a]).reduce(into: ArraySlice()) { $0.append($1) }
        record.lines = open.count
        record.tooLong = open.contains(where: \.tooLong)
        let last = open[open.count - 1]
        (record.unfinished, record.digest, record.isKnown) = (last.unfinished, last.digest, last.isKnown)
        return record
    }
}
