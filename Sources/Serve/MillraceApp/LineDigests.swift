internal import EventModel
internal import Foundation

/// The hash of lines: tells files apart that differ by accident.
struct Digest {
    private var hash = FNV1a()
    var value: UInt64 { hash.value }

    init() {}
    init(_ line: ArraySlice<UInt8>, marked: Bool = false) { add(line, marked: marked) }

    /// - Parameter marked: A byte order mark stood before the line.
    mutating func add(_ line: ArraySlice<UInt8>, marked: Bool = false) {
        if marked { ByteOrderMark.bytes.withUnsafeBytes { hash.add($0) } }
        line.withUnsafeBytes { hash.add($0) }
        hash.add(0x0a)
    }
}

/// Digests of a file's beginnings, by which a copy that ends early, or goes on otherwise, is known again.
///
/// There is one of the first line, the first two, and so on for the first 8,192 lines; behind those 4,096 for each doubling. So
/// a file of ten million lines has 52,000, and between two lie at most 0.05% of the lines before. They are kept in parts, of
/// which only the last one changes while a file grows: part 0 has the first 8,192 lines, part n those up to 8,192 * 2^n.
struct LineDigests {
    /// The lines of which each has its own.
    static let dense = 8192

    /// The lower halves of the digests, in order.
    private(set) var parts: [Int: [UInt32]] = [:]
    /// Parts that have changed since they were last written.
    private var changed: Set<Int> = []
    private var part = 0
    private var step = 1

    init(parts: [Int: [UInt32]] = [:]) { self.parts = parts }

    /// The part that has a line.
    static func part(of line: Int) -> Int {
        line <= dense ? 0 : Int.bitWidth - ((line - 1) / dense).leadingZeroBitCount
    }
    /// How many lines apart the digests around a line are.
    static func step(at line: Int) -> Int { 1 << part(of: line) }

    /// Notes the digest of so many lines. They are given line by line.
    mutating func add(_ lines: Int, _ digest: UInt64) {
        if lines & (step - 1) != 0 { return }
        if Self.part(of: lines) != part {
            part = Self.part(of: lines)
            step = 1 << part
            if lines & (step - 1) != 0 { return }
        }
        parts[part, default: []].append(UInt32(truncatingIfNeeded: digest))
        changed.insert(part)
    }

    /// What is known of the digest of so many lines.
    subscript(lines: Int) -> UInt32? {
        let part = Self.part(of: lines)
        if lines & (1 << part - 1) != 0 { return nil }
        let before = part == 0 ? 0 : Self.dense << (part - 1)
        let at = (lines - before) >> part - 1
        guard let digests = parts[part], digests.indices.contains(at) else { return nil }
        return digests[at]
    }

    /// The parts that have changed since this was last called, each as one word.
    mutating func takeChanged() -> [(part: Int, text: String)] {
        defer { changed = [] }
        return changed.sorted().compactMap { part in parts[part].map { (part, Self.text($0)) } }
    }

    static func text(_ digests: [UInt32]) -> String {
        var bytes = Data(capacity: digests.count * 4)
        for digest in digests { withUnsafeBytes(of: digest.littleEndian) { bytes.append(contentsOf: $0) } }
        return bytes.base64EncodedString()
    }

    static func digests(_ text: String) -> [UInt32]? {
        guard let bytes = Data(base64Encoded: text), bytes.count % 4 == 0 else { return nil }
        return bytes.withUnsafeBytes { bytes in
            (0..<bytes.count / 4).map {
                UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self))
            }
        }
    }
}

/// Numbers of lines, as ranges. Of so many ranges only the first are kept; those of the others are only counted.
struct LineRanges: Equatable {
    static let most = 4000

    private(set) var ranges: [ClosedRange<Int>] = []
    /// Lines in no range.
    private(set) var uncounted = 0
    var count: Int { ranges.reduce(uncounted) { $0 + $1.count } }

    init() {}

    /// Lines that are only counted.
    init(uncounted: Int) { self.uncounted = uncounted }

    func contains(_ line: Int) -> Bool {
        guard let at = place(line) else { return false }
        return ranges[at].contains(line)
    }

    /// Adds lines behind all there are.
    mutating func append(_ lines: ClosedRange<Int>) {
        if let last = ranges.last, last.upperBound + 1 == lines.lowerBound {
            ranges[ranges.count - 1] = last.lowerBound...lines.upperBound
        } else if ranges.count < Self.most {
            ranges.append(lines)
        } else {
            uncounted += lines.count
        }
    }

    mutating func remove(_ line: Int) {
        guard let at = place(line), ranges[at].contains(line) else { return }
        let range = ranges[at]
        var left: [ClosedRange<Int>] = []
        if range.lowerBound < line { left.append(range.lowerBound...(line - 1)) }
        if line < range.upperBound { left.append((line + 1)...range.upperBound) }
        ranges.replaceSubrange(at...at, with: left)
    }

    /// Those among the first so many lines.
    func through(_ line: Int) -> LineRanges {
        var lines = self
        lines.ranges = ranges.filter { $0.lowerBound <= line }
        if let last = lines.ranges.popLast() { lines.ranges.append(last.lowerBound...min(last.upperBound, line)) }
        return lines
    }

    /// How many are among the first so many lines.
    func count(through line: Int) -> Int {
        ranges.reduce(0) { $0 + max(0, min($1.upperBound, line) - $1.lowerBound + 1) }
    }

    /// The last range that begins at or before a line.
    private func place(_ line: Int) -> Int? {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].lowerBound <= line { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : low - 1
    }

    /// One word: `3,5-9,+12`, the last for lines that are only counted; `-` for none.
    var text: String {
        let words = ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
        let all = words + (uncounted > 0 ? ["+\(uncounted)"] : [])
        return all.isEmpty ? "-" : all.joined(separator: ",")
    }

    init?(_ text: String) {
        if text == "-" { return }
        for word in text.split(separator: ",") {
            if word.first == "+" {
                guard let count = Int(word.dropFirst()) else { return nil }
                uncounted = count
                continue
            }
            let ends = word.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard let low = ends.first ?? nil, let high = ends.last ?? nil, ends.count <= 2, low <= high else {
                return nil
            }
            ranges.append(low...high)
        }
    }
}
