/// One line of input.
package struct InputLine: Sendable {
    /// From 1.
    package var number: Int
    package var bytes: ArraySlice<UInt8>
    /// Whether it was cut because it is over the limit.
    package var tooLong = false
    /// Whether the input ends in it, without a line feed: its writer may not have finished it.
    package var unfinished = false

    package init(number: Int, bytes: ArraySlice<UInt8>, tooLong: Bool = false, unfinished: Bool = false) {
        (self.number, self.bytes, self.tooLong, self.unfinished) = (number, bytes, tooLong, unfinished)
    }
}

/// Cuts input that comes in chunks into lines. Of one that is over the limit no more than that is kept.
package struct LineSplitter: Sendable {
    private let limit: Int
    private var pending: [UInt8] = []
    private var skipping = false
    private var number = 0

    /// - Parameter limit: Bytes of a line.
    package init(limit: Int) { self.limit = limit }

    /// The lines that a chunk completes.
    ///
    /// - Parameter endsWhole: Whether the input ends with the chunk, and nothing of it is missing.
    package mutating func take(_ chunk: [UInt8], endsWhole: Bool = false) -> [InputLine] {
        var lines: [InputLine] = []
        var start = 0
        while let end = chunk[start...].firstIndex(of: 0x0a) {
            if skipping {
                skipping = false
            } else if pending.isEmpty {
                lines.append(line(chunk[start..<end]))
            } else {
                pending += chunk[start..<end]
                lines.append(line(pending[...]))
            }
            pending = []
            start = end + 1
        }
        if !skipping { pending += chunk[start...] }
        if pending.count > limit {
            lines.append(line(pending[...]))
            pending = []
            skipping = true
        }
        if endsWhole && !pending.isEmpty {
            lines.append(line(pending[...], unfinished: true))
            pending = []
        }
        return lines
    }

    private mutating func line(_ bytes: ArraySlice<UInt8>, unfinished: Bool = false) -> InputLine {
        number += 1
        if bytes.count > limit { return InputLine(number: number, bytes: bytes.prefix(80), tooLong: true) }
        let bytes = bytes.last == 0x0d ? bytes.dropLast() : bytes
        return InputLine(number: number, bytes: bytes, unfinished: unfinished)
    }
}
