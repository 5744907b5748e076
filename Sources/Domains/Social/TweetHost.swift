/// A host in a text: labels with dots between, the last of them a top-level domain that there is.
struct Host {
    var range: Range<Int>

    enum Search {
        case found(Host)
        /// No host begins before `next`.
        case none(next: Int)
    }

    /// The host behind a scheme, of any letters.
    init?(_ scalars: [Unicode.Scalar], withScheme start: Int) {
        if case .found(let host) = Self.search(scalars, at: start) {
            self = host
            return
        }
        guard let end = Self.labels(scalars, at: start, of: Self.isOfUnicode).end else { return nil }
        range = start..<end
    }

    /// Labels of the longest name of DNS (RFC 1035).
    private static let mostLabels = 127

    private init(_ range: Range<Int>) { self.range = range }

    /// The host of Latin letters that begins at `start`.
    static func search(_ scalars: [Unicode.Scalar], at start: Int) -> Search {
        let (end, next) = labels(scalars, at: start, of: isOfLatin)
        return end.map { .found(Host(start..<$0)) } ?? .none(next: next)
    }

    /// The end of the longest host that begins here; where there is none, the next place where one could.
    ///
    /// A label begins and ends with a letter; within, it has hyphens, and underscores but for the one before the top-level
    /// domain.
    private static func labels(
        _ scalars: [Unicode.Scalar], at start: Int, of isLetter: (Unicode.Scalar) -> Bool
    ) -> (end: Int?, next: Int) {
        var (at, found, later, count) = (start, Int?.none, Int?.none, 0)
        while at < scalars.count, count < mostLabels, isLetter(scalars[at]) {
            count += 1
            var (end, underscore) = (at + 1, Int?.none)
            while end < scalars.count, isLetter(scalars[end]) || scalars[end] == "-" || scalars[end] == "_" {
                if scalars[end] == "_" { underscore = end }
                end += 1
            }
            guard end < scalars.count, scalars[end] == ".", isLetter(scalars[end - 1]) else {
                // A label that no dot follows, or that ends amiss, is none from its middle on either; a scheme may end it.
                at = end < scalars.count && scalars[end] == ":" ? end - "https".utf8.count : end
                break
            }
            if let domain = TopLevelDomain.end(scalars, at: end + 1) {
                if let underscore { later = later ?? underscore + 1 } else { found = domain }
            }
            at = end + 1
        }
        // From a label in between on there is no other host than from the first on, but behind an underscore.
        return (found, max(min(later ?? at, at), start + 1))
    }

    private static func isOfLatin(_ scalar: Unicode.Scalar) -> Bool {
        TweetText.isASCIILetter(scalar) || TweetText.isDigit(scalar) || !scalar.isASCII && TweetText.isAccented(scalar)
    }

    /// Neither punctuation nor space, nor a mark of direction.
    private static func isOfUnicode(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return TweetText.isASCIILetter(scalar) || TweetText.isDigit(scalar) }
        switch scalar.value {
        // General punctuation, where joiners and marks of direction are.
        case 0x2000...0x206f, 0x61c, 0xfffe, 0xffff, 0xfeff, 0x85, 0x180e: return false
        default: break
        }
        switch scalar.properties.generalCategory {
        case .spaceSeparator, .lineSeparator, .paragraphSeparator: return false
        default: return true
        }
    }

    /// How long the host is as DNS has it (RFC 3490), where each label has 1 to 63 characters; nil where it can be none.
    func encodedLength(_ scalars: [Unicode.Scalar]) -> Int? {
        var length = -1
        for label in scalars[range].split(separator: ".", omittingEmptySubsequences: false) {
            guard let encoded = Self.encodedLength(label), (1...63).contains(encoded) else { return nil }
            length += encoded + 1
        }
        return length
    }

    private static func encodedLength(_ label: ArraySlice<Unicode.Scalar>) -> Int? {
        if label.allSatisfy(\.isASCII) { return label.count }
        // Encoded, it is longer.
        if label.count > 63 { return nil }
        let lower = TweetText.string(label).lowercased().unicodeScalars.map(\.value)
        // What says that it is encoded may have nothing but ASCII.
        if lower.starts(with: "xn--".unicodeScalars.map(\.value)) { return nil }
        return "xn--".utf8.count + Punycode.length(lower)
    }
}

/// The encoding of other letters than ASCII in host names (RFC 3492): how long it is.
enum Punycode {
    static func length(_ label: [UInt32]) -> Int {
        let basic = label.filter { $0 < 0x80 }.count
        var length = basic > 0 ? basic + 1 : 0
        var (known, handled, delta, bias) = (UInt32(0x80), basic, 0, 72)
        while handled < label.count {
            guard let next = label.filter({ $0 >= known }).min() else { break }
            delta += Int(next - known) * (handled + 1)
            known = next
            for scalar in label {
                if scalar < known { delta += 1 }
                if scalar != known { continue }
                length += digits(delta, bias)
                bias = adapt(delta, handled + 1, first: handled == basic)
                delta = 0
                handled += 1
            }
            delta += 1
            known += 1
        }
        return length
    }

    private static func digits(_ delta: Int, _ bias: Int) -> Int {
        var (rest, digits, k) = (delta, 1, 36)
        while true {
            let threshold = min(max(k - bias, 1), 26)
            if rest < threshold { return digits }
            rest = (rest - threshold) / (36 - threshold)
            digits += 1
            k += 36
        }
    }

    private static func adapt(_ delta: Int, _ points: Int, first: Bool) -> Int {
        var delta = first ? delta / 700 : delta / 2
        delta += delta / points
        var k = 0
        while delta > 455 {
            delta /= 35
            k += 36
        }
        return k + 36 * delta / (delta + 38)
    }
}
